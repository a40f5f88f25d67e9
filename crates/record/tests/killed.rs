//! A writer killed (SIGKILL) at any moment leaves a directory that loads and goes on.

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use linchpin_record::{Campaign, Existing, Writer};
use support::{conclusion, header, run, summary};

const DIRECTORY: &str = "LINCHPIN_TEST_KILLED_DIRECTORY";
const KILLS: u32 = 50;

/// Not a test of its own: what the other test starts and kills.
#[test]
fn writer_process() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    loop {
        let mut writer = match Writer::resume(directory) {
            Ok((campaign, writer)) => {
                for (index, finished) in campaign.finished().enumerate() {
                    assert_eq!(*finished, summary(index as u64));
                }
                writer
            }
            Err(_) => Writer::create(directory, header(), Existing::Refuse).unwrap(),
        };
        for _ in 0..200 {
            let number = writer.run_count();
            writer.finish_run(&summary(number)).unwrap();
            if number % 20 == 0 {
                writer.keep_run(&run(number)).unwrap();
            }
        }
        writer.conclude(conclusion(writer.run_count())).unwrap();
        if writer.run_count() >= 2000 {
            drop(writer);
            Writer::create(directory, header(), Existing::Replace).unwrap();
        }
    }
}

#[test]
fn killed_at_any_moment_the_directory_loads_and_resumes() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("out");
    let mut random = 88_172_645_463_325_252_u64;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer_process"])
            .env(DIRECTORY, &directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !directory.exists() {
            assert!(Instant::now() < deadline, "the writer never starts");
            std::thread::sleep(Duration::from_millis(1));
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % 60_000));
        assert_eq!(child.try_wait().unwrap(), None, "the writer failed before kill {kill}");
        child.kill().unwrap();
        child.wait().unwrap();
        let before =
            Campaign::load(&directory).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        let (campaign, mut writer) = Writer::resume(&directory).unwrap();
        assert_eq!(campaign.runs, before.runs);
        writer.finish_run(&summary(campaign.runs.len() as u64)).unwrap();
    }
}
