//! Linearizability, judged by another checker too: porcupine (<https://github.com/anishathalye/porcupine>), in Go.
//!
//! `LINCHPIN_HISTORIES=20000 cargo test -p linchpin-history --test porcupine -- --nocapture` judges more.

mod common;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use linchpin_history::{Checker, History, Limits, Verdict, check};

const HISTORIES_DEFAULT: u32 = 1500;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a register might have done with what some processes ask at random times, but for a read here and there that
/// returns something else.
fn generate(random: &mut Random) -> String {
    let processes = 2 + random.below(4) as usize;
    let (events, wrong) = (20 + random.below(40), random.below(2) == 0);
    let mut open: Vec<Option<(&str, String)>> = vec![None; processes];
    let mut applied: Vec<Option<String>> = vec![None; processes];
    let mut register = "null".to_owned();
    let mut text = String::new();
    for _ in 0..events {
        let process = random.below(processes as u64) as usize;
        let value = random.below(3);
        match (open[process].clone(), applied[process].clone()) {
            (None, _) => {
                let (operation, value) = match random.below(5) {
                    0 | 1 => ("write", format!(" {value}")),
                    2 => ("cas", format!(" [{},{value}]", random.below(3))),
                    _ => ("read", String::new()),
                };
                text += &format!("{process} invoke {operation} x{value}\n");
                open[process] = Some((operation, value.trim().to_owned()));
            }
            (Some((operation, asked)), None) => {
                let mut answer = format!("ok {operation} x");
                match operation {
                    "write" => register = asked,
                    "read" if wrong && random.below(8) == 0 => answer += &format!(" {value}"),
                    "read" => answer += &format!(" {register}"),
                    _ => {
                        let (expected, new) = asked[1..asked.len() - 1].split_once(',').unwrap();
                        if register == expected {
                            register = new.to_owned();
                        } else {
                            answer = format!("fail {operation} x");
                        }
                    }
                }
                if random.below(8) == 0 {
                    answer = format!("info {operation} x");
                }
                applied[process] = Some(answer);
            }
            (Some(_), Some(answer)) => {
                text += &format!("{process} {answer}\n");
                (open[process], applied[process]) = (None, None);
            }
        }
    }
    common::lines(&text)
}

/// One verdict per history: true for linearizable.
fn porcupine(histories: &[String]) -> Result<Vec<bool>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/porcupine");
    let mut go = Command::new("go")
        .args(["run", "-mod=readonly", "."])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("no go: {error}"))?;
    let text: String = histories.iter().map(|history| format!("{history}\n")).collect();
    let mut input = go.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = go.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    if !output.status.success() {
        return Err(format!("go run: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(|line| line == "ok").collect())
}

#[test]
fn porcupine_agrees() {
    let count: u32 = std::env::var("LINCHPIN_HISTORIES")
        .map_or(HISTORIES_DEFAULT, |count| count.parse().expect("a number"));
    let mut random = Random(88_172_645_463_325_252);
    let histories: Vec<String> = (0..count).map(|_| generate(&mut random)).collect();
    let theirs = match porcupine(&histories) {
        Ok(verdicts) => verdicts,
        Err(why) => {
            assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "{why}");
            println!("skipped: {why}");
            return;
        }
    };
    assert_eq!(theirs.len(), histories.len());
    let mut broken = 0;
    for (text, linearizable) in histories.iter().zip(theirs) {
        let history = History::parse(text).expect("well-formed");
        let report = check(&history, Checker::LinearizableRegister, &Limits::default());
        assert_ne!(report.verdict, Verdict::Unknown);
        assert_eq!(report.verdict != Verdict::Bad, linearizable, "{text}\n{report:?}");
        broken += u32::from(!linearizable);
    }
    println!("{count} histories, {broken} of them not linearizable");
    assert!(broken > count / 10 && broken < count / 10 * 9, "{broken} of {count}");
}
