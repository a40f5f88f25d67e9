//! What each fault looks like from the *other* side: bytes, errors, and whether it took long; for
//! programs that block, poll, and use epoll level- and edge-triggered, in C and in Python.
//!
//! The whole test runs as an ordinary user in a user and network namespace of its own.

mod harness;

use std::process::ExitCode;
use std::sync::Arc;

use harness::{Guest, Outcome, PLAIN, Part, Workshop, part, run};
use libtest_mimic::{Arguments, Failed, Trial};

type Scenario = fn(&Arc<Workshop>, Guest) -> Result<(), String>;

/// Those that depend on how programs wait.
const STYLED: [(&str, Scenario); 9] = [
    ("delay_keeps_the_order_and_blocks_nobody", delay),
    ("delay_until_an_event", delay_until),
    ("a_partition_that_is_healed_loses_nothing", partition),
    ("a_stall_cuts_one_direction", stall),
    ("loud_and_silent_crashes_are_told_apart", crashes),
    ("connects_are_refused_time_out_and_hang", connects),
    ("a_reset_is_seen_by_both", reset),
    ("a_late_flood_arrives_whole", flood),
    ("receives_accepts_and_sends_fail", call_errors),
];

/// Those that do not.
const OTHERS: [(&str, Scenario); 13] = [
    ("datagrams_are_lost_doubled_late_and_overtaken", datagrams),
    ("a_byte_is_another", corrupt),
    ("writes_are_short", short_writes),
    ("disks_fail", disk_errors),
    ("faults_count_from_an_event_on", since),
    ("power_loss_loses_exactly_what_was_not_synced", power_loss),
    ("a_node_comes_back_with_and_without_its_data", restarts),
    ("whichever_node_it_is_comes_back", whichever),
    ("a_silent_host_that_is_back_answers_with_a_reset", host_back),
    ("a_silent_host_takes_with_it_what_was_held_back", held_back),
    ("a_paused_node_is_late_and_nothing_else", pause),
    ("nothing_leaks_to_pairs_that_were_not_cut", leaks),
    ("faults_that_do_not_fire_say_why", reasons),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let here = harness::become_ordinary().and_then(|()| Workshop::new());
    let workshop = match here {
        Ok(workshop) => Arc::new(workshop),
        Err(why) => {
            assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: {why}");
            eprintln!("skipped: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let mut trials = Vec::new();
    for (name, scenario) in STYLED {
        for python in [false, true] {
            for style in ["block", "poll", "level", "edge"] {
                let guest = Guest { python, style };
                let language = if python { "python" } else { "c" };
                let workshop = Arc::clone(&workshop);
                trials.push(Trial::test(format!("{name}/{language}/{style}"), move || {
                    if !workshop.has(guest) {
                        assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "no python3");
                        eprintln!("skipped: no python3");
                        return Ok(());
                    }
                    scenario(&workshop, guest).map_err(Failed::from)
                }));
            }
        }
    }
    for (name, scenario) in OTHERS {
        let workshop = Arc::clone(&workshop);
        trials.push(Trial::test(name, move || scenario(&workshop, PLAIN).map_err(Failed::from)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Every trial has its own address of the loopback network, so that they can run side by side.
fn place() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("127.0.{}.{}:7000", number / 200, number % 200 + 1)
}

fn pair(
    workshop: &Arc<Workshop>,
    guest: Guest,
    server: &str,
    client: &str,
    faults: &[&str],
) -> Result<Outcome, String> {
    let at = place();
    let parts: [Part; 2] = [
        part("b", guest, &format!("clock listen {at} {server}")),
        part("a", guest, &client.replace("HERE", &at)),
    ];
    run(workshop, &parts, faults)
}

fn delay(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 1 recv 100 took 500 calm",
        "connect HERE send 0 clock send one send two shutdown took 300 recv 1 close",
        &["delay a->b one by 600ms"],
    )?;
    outcome.expect("b", &["listen ok", "recv 0", "recv onetwo eof", "slow", "calm"])?;
    outcome.expect("a", &["connect ok", "fast", "recv  eof"])?;
    outcome.fired(&["send a->b one port 7000"])
}

fn delay_until(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    // The closed connection ends behind its late bytes; another connection is not late at all.
    let outcome = pair(
        workshop,
        guest,
        "accept use 1 accept recv 4 send now use 0 recv 100",
        "connect HERE send late close use 1 connect HERE send soon recv 3 send x close",
        &["delay a->b late until recv a<-b now"],
    )?;
    outcome.expect("b", &["listen ok", "recv soon", "recv late eof"])?;
    outcome.expect("a", &["connect ok", "connect ok", "recv now"])?;
    outcome.fired(&["send a->b late port 7000"])
}

fn partition(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    // Three connections: one in use, one made before the cut and accepted in it, one asked for in
    // it. One side sends and closes while it is cut.
    let outcome = pair(
        workshop,
        guest,
        "accept recv 1 sleep 200 use 1 accept use 0 recv 100 took 700 use 1 recv 100 use 2 \
         accept recv 100 calm",
        "connect HERE use 1 connect HERE use 0 send 0 send one send two close use 1 send three \
         close use 2 clock connect HERE took 300 send four close",
        &["partition a | b from send a->b one for 800ms"],
    )?;
    let expected = ["recv 0", "recv onetwo eof", "slow", "recv three eof", "recv four eof", "calm"];
    outcome.expect("b", &[&["listen ok"][..], &expected].concat())?;
    outcome.expect("a", &["connect ok", "connect ok", "connect ok", "slow"])?;
    outcome.fired(&["before send a->b one port 7000"])
}

fn stall(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    // From a to b nothing comes; from b to a all does.
    let outcome = pair(
        workshop,
        guest,
        "accept recv 1 send back recv 100 took 600",
        "connect HERE send 0 recv 4 send one close",
        // The label of `0` is masked, as every number is.
        &["stall a->b after recv b<-a \"#\" for 700ms"],
    )?;
    outcome.expect("b", &["listen ok", "recv 0", "recv one eof", "slow"])?;
    outcome.expect("a", &["connect ok", "recv back"])?;
    outcome.fired(&["after recv b<-a \"#\" port 7000"])
}

fn crashes(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let server = "accept recv 3 send never sleep 20000 forever";
    let client = "connect HERE send one hear 500 send two hear 500";
    let loud = pair(workshop, guest, server, client, &["crash b before send b->a never"])?;
    // The first answer is the end, the second send meets a closed port.
    loud.expect("a", &["connect ok", "recv  eof", "recv  ECONNRESET"])
        .or_else(|_| loud.expect("a", &["connect ok", "recv  eof", "recv  eof"]))?;
    loud.fired(&["before send b->a never port 7000"])?;
    let silent = pair(workshop, guest, server, client, &["silent-crash b before send b->a never"])?;
    silent.expect("a", &["connect ok", "silence", "silence"])?;
    silent.fired(&["before send b->a never port 7000"])?;
    // After the answer was sent, it arrives: a crash takes back nothing.
    let client = "connect HERE send one recv 5 hear 500";
    let after = pair(workshop, guest, server, client, &["silent-crash b after send b->a never"])?;
    after.expect("a", &["connect ok", "recv never", "silence"])
}

fn connects(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 100",
        "connect HERE connect HERE clock connect HERE took 300 send yes close",
        &["refuse a->b #1", "time-out a->b #2", "hang a->b #3 for 900ms"],
    )?;
    outcome.expect("a", &["connect ECONNREFUSED", "connect ETIMEDOUT", "connect ok", "slow"])?;
    outcome.expect("b", &["listen ok", "recv yes eof"])?;
    outcome.fired(&[
        "connect a->b port 7000",
        "connect a->b port 7000 #2",
        "connect a->b port 7000 #3",
    ])
}

fn reset(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 5 recv 100 accept recv 100",
        "connect HERE send HELLO recv 100 connect HERE send again close",
        &["reset a->b after recv b<-a HELLO"],
    )?;
    outcome.expect("b", &["listen ok", "recv HELLO", "recv  ECONNRESET", "recv again eof"])?;
    outcome.expect("a", &["connect ok", "recv  ECONNRESET", "connect ok"])?;
    outcome.fired(&["after recv b<-a HELLO port 7000"])
}

fn flood(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    // More than the queue holds: the sender waits at last, and neither side spins.
    let size = 6_000_000;
    let server = format!("accept recv 5 drain {size} calm");
    let client = format!("connect HERE send ready send late flood {size} calm close");
    let faults = ["delay a->b late by 300ms"];
    let server = server.replace("recv 5", "recv 9");
    let late = pair(workshop, guest, &server, &client, &faults)?;
    let plain = pair(workshop, guest, &server, &client, &[])?;
    if late.said["b"][2] != plain.said["b"][2] || !plain.said["b"][2].starts_with("took 6000000 ") {
        return Err(format!("{:?} came, not {:?}", late.said, plain.said));
    }
    late.expect("a", &["connect ok", "calm"])?;
    late.fired(&["send a->b late port 7000"])
}

fn call_errors(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept accept sleep 200 recv 3 recv 100",
        "connect HERE send one send two close",
        &["error EMFILE b accept #1", "error ECONNRESET b recv #2", "error EPIPE a->b send two"],
    )?;
    outcome.expect("b", &["listen ok", "accept EMFILE", "recv one", "recv  ECONNRESET"])?;
    outcome.expect("a", &["connect ok", "send EPIPE"])
}

fn datagrams(workshop: &Arc<Workshop>, _: Guest) -> Result<(), String> {
    let (near, far) = (place(), place());
    let send = |words: &str| {
        words.split(' ').map(|word| format!("sendto {near} {word} ")).collect::<String>()
    };
    let talk = |words: &str, heard: usize, faults: &[&str]| {
        let hear = "datagram 2000 ".repeat(heard);
        let parts = [
            part("b", PLAIN, &format!("bind {near} {hear} datagram 300")),
            part("a", PLAIN, &format!("bind {far} {}", send(words))),
        ];
        run(workshop, &parts, faults)
    };
    let heard = |outcome: &Outcome, words: &[&str]| {
        let mut lines = vec!["listen ok".to_owned()];
        lines.extend(words.iter().map(|word| format!("recv {word}")));
        lines.push("silence".into());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        outcome.expect("b", &lines)
    };
    for (fault, order) in [
        ("omit a->b two", &["one", "three"][..]),
        ("omit a->b #1", &["two", "three"]),
        ("omit a->b #every", &[]),
        ("duplicate a->b two", &["one", "two", "two", "three"]),
        ("delay a->b one by 200ms", &["two", "three", "one"]),
        ("reorder a->b one", &["two", "one", "three"]),
        ("reorder a->b three", &["one", "two", "three"]),
        ("stall a->b from send a->b two", &["one"]),
        ("stall b->a", &["one", "two", "three"]),
    ] {
        let outcome = talk("one two three", order.len(), &[fault])?;
        heard(&outcome, order).map_err(|error| format!("{fault}: {error}"))?;
        if outcome.reports.iter().any(|report| !report.fired()) {
            return Err(format!("{fault}: {:?}", outcome.reports));
        }
    }
    Ok(())
}

fn corrupt(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 100",
        "connect HERE send one send AAA send three close",
        &["corrupt a->b AAA byte 1"],
    )?;
    // One byte is no ASCII any more (0x41 xor 0xff = 0xbe), the rest is as it was sent.
    let said = &outcome.said["b"];
    if said.len() != 1 {
        return Err(format!("an invalid byte ends the lines a test reads: {said:?}"));
    }
    outcome.fired(&["send a->b AAA port 7000"])
}

fn short_writes(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 100",
        "open {data}/file write 0123456789 write 0123456789 writev abcdef connect HERE send \
         0123456789 send end close",
        &["short-write a to 4 #2", "short-write a #3 to 2", "short-write a->b to 3"],
    )?;
    outcome.expect("a", &["write 4 short", "writev 2 bytes", "connect ok"])?;
    outcome.expect("b", &["listen ok", "recv 0123456789end eof"])?;
    let file = outcome.file("a/file");
    if file.as_deref() != Some("01234567890123ab") {
        return Err(format!("the file holds {file:?}"));
    }
    outcome.fired(&["write a file #2", "write a file #3", "send a->b \"#\" port 7000"])
}

fn disk_errors(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let script = "open {data}/log write one write two fsync fsync rename {data}/log {data}/new \
                  rename {data}/log {data}/new unlink {data}/new unlink {data}/new open {data}/x \
                  open {data}/y";
    let faults = [
        "error ENOSPC a write #2",
        "error EIO a fsync log #1",
        "error EXDEV a rename #1",
        "error EACCES a unlink new",
        "error EMFILE a open x #every",
    ];
    let outcome = run(workshop, &[part("a", guest, script)], &faults)?;
    let lines = ["write -1 ENOSPC", "fsync EIO", "rename EXDEV", "unlink EACCES", "open EMFILE"];
    outcome.expect("a", &lines)?;
    if outcome.file("a/log").is_some() || outcome.file("a/new").is_some() {
        return Err("what did not fail had no effect".into());
    }
    if outcome.reports.iter().all(|report| report.fired() && report.count == 1) {
        return Ok(());
    }
    Err(format!("{:?}", outcome.reports))
}

/// The event that counting begins with is counted itself, and what came before is not.
fn since(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let script = "open {data}/x write 1 fsync write 2 fsync fsync write 3 write 4 write 5";
    let faults = [
        "error ENOSPC a write #2 since fsync a #2",
        "error EIO a fsync #2 since fsync a #2",
        "error EDQUOT a write #1 since fsync a #4",
    ];
    let outcome = run(workshop, &[part("a", guest, script)], &faults)?;
    let wrong = || Err(format!("{:?}, {:?}", outcome.reports, outcome.file("a/x")));
    if outcome.file("a/x").as_deref() != Some("1235") {
        return wrong();
    }
    let said: Vec<String> = outcome.reports.iter().map(ToString::to_string).collect();
    let fired = [&said[0], &said[1]].map(|told| told.contains(": fired "));
    let why = ": never fired (`fsync a #4` did not happen)";
    if fired == [true, true] && said[2].ends_with(why) { Ok(()) } else { wrong() }
}

fn power_loss(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let script = "open {data}/kept write one fsync write two open {data}/lost write x open \
                  {data}/next write new fsync rename {data}/next {data}/renamed open {data}/empty \
                  write y syncdir {data} write z rename {data}/renamed {data}/again open \
                  {data}/again write more sleep 20000";
    for (fault, expected) in [
        ("power-loss a after write a again", [Some("one"), Some(""), Some("new"), None, Some("")]),
        ("power-loss a after fsync #1", [Some("one"), None, None, None, None]),
        ("power-loss a before fsync #1", [None, None, None, None, None]),
        (
            "crash a after write a again",
            [Some("onetwo"), Some("x"), None, Some("newmore"), Some("yz")],
        ),
    ] {
        let outcome = run(workshop, &[part("a", guest, script)], &[fault])?;
        let files = ["kept", "lost", "renamed", "again", "empty"]
            .map(|name| outcome.file(&format!("a/{name}")));
        let files = files.each_ref().map(Option::as_deref);
        if files != expected || !outcome.reports.iter().all(FaultFired::fired_well) {
            return Err(format!("{fault}: {files:?}, not {expected:?}: {:?}", outcome.reports));
        }
    }
    Ok(())
}

trait FaultFired {
    fn fired_well(&self) -> bool;
}

impl FaultFired for linchpin_injector::FaultReport {
    fn fired_well(&self) -> bool {
        self.fired() && self.count == 1
    }
}

fn restarts(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let at = place();
    for (data, kept) in [("keep", Some("oldnew")), ("lose", Some("new"))] {
        let mut server = part(
            "b",
            guest,
            &format!("open {{data}}/file write old listen {at} accept recv 3 sleep 20000"),
        );
        server.again =
            format!("open {{data}}/file write new listen {at} say again accept recv 100");
        // It comes back on the same port, and those who connect then reach it.
        let client = part(
            "a",
            guest,
            &format!("connect {at} send one recv 9 sleep 1200 connect {at} send two close"),
        );
        let faults = ["crash b after recv b<-a one", &format!("restart b {data} after 100ms")];
        let outcome = run(workshop, &[server, client], &faults)?;
        outcome.expect("a", &["connect ok", "recv  eof", "connect ok"])?;
        outcome.expect("b", &["listen ok", "listen ok", "again", "recv two eof"])?;
        if outcome.file("b/file").as_deref() != kept {
            return Err(format!("{data}: {:?}", outcome.file("b/file")));
        }
        outcome.fired(&["after recv b<-a one port 7000", "after exit b"])?;
    }
    Ok(())
}

/// Of two servers whichever is asked first is killed and comes back; the other one never is.
fn whichever(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    for asked in ["b", "c"] {
        let servers = [("b", place()), ("c", place())];
        let mut parts: Vec<Part> = Vec::new();
        for (name, at) in &servers {
            let mut server = part(name, guest, &format!("listen {at} accept recv 3 sleep 500"));
            if *name == asked {
                server.again = format!("listen {at} say again accept recv 100");
            }
            parts.push(server);
        }
        let (asked_at, other_at) = match asked {
            "b" => (&servers[0].1, &servers[1].1),
            _ => (&servers[1].1, &servers[0].1),
        };
        let client = format!(
            "connect {asked_at} send one recv 9 sleep 1200 connect {asked_at} send two close \
             connect {other_at} send new close"
        );
        parts.push(part("a", guest, &client));
        let faults = [
            "crash {b,c} after recv {b,c}<-a one",
            "restart {b,c} keep after recv {b,c}<-a one after 100ms",
        ];
        let outcome = run(workshop, &parts, &faults)?;
        outcome.expect("a", &["connect ok", "recv  eof", "connect ok", "connect ok"])?;
        outcome.expect(asked, &["listen ok", "listen ok", "again", "recv two eof"])?;
        let other = if asked == "b" { "c" } else { "b" };
        outcome.expect(other, &["listen ok", "recv new"])?;
        let fired = format!("after recv {asked}<-a one port 7000");
        outcome.fired(&[&fired, &fired])?;
    }
    Ok(())
}

fn host_back(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let at = place();
    let mut server = part("b", guest, &format!("listen {at} accept recv 3 sleep 20000"));
    server.again = format!("listen {at} accept recv 100");
    // Nothing is heard while the host is down; the first word after it is back is answered by a
    // reset, and a new connection works.
    let client = format!(
        "connect {at} send one hear 300 sleep 1000 send two hear 5000 connect {at} send three close"
    );
    let faults = ["silent-crash b after recv b<-a one", "restart b keep after 600ms"];
    let outcome = run(workshop, &[server, part("a", guest, &client)], &faults)?;
    outcome.expect("a", &["connect ok", "silence", "recv  ECONNRESET", "connect ok"])?;
    outcome.expect("b", &["listen ok", "listen ok", "recv three eof"])
}

fn held_back(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let server = "accept hear 2500";
    let client = "connect HERE sleep 300 send one sleep 20000";
    let stall = "stall a->b from send a->b one for 700ms";
    // A process that dies leaves a kernel that delivers; a host that dies leaves nothing.
    for (crash, heard) in [("crash", "recv one eof"), ("silent-crash", "silence")] {
        let crash = format!("{crash} a after send a->b one");
        let outcome = pair(workshop, guest, server, client, &[stall, &crash])?;
        outcome.expect("b", &["listen ok", heard])?;
        outcome.expect("a", &["connect ok"])?;
    }
    Ok(())
}

fn pause(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 3 send back recv 100",
        "connect HERE clock send one recv 4 took 300 send two close",
        &["pause b for 600ms at recv b<-a one"],
    )?;
    outcome.expect("a", &["connect ok", "recv back", "slow"])?;
    outcome.expect("b", &["listen ok", "recv one", "recv two eof"])?;
    outcome.fired(&["after recv b<-a one port 7000"])
}

fn leaks(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let (one, other) = (place(), place());
    // While a and b are cut, both talk to c at once.
    let parts = [
        part(
            "c",
            guest,
            &format!("listen {other} accept use 1 accept recv 5 send back use 0 recv 5 send back"),
        ),
        part(
            "b",
            guest,
            &format!(
                "listen {one} accept recv 3 clock use 1 connect {other} send fromb recv 4 took 400 use 0 recv 100"
            ),
        ),
        part(
            "a",
            guest,
            &format!(
                "connect {one} send one send cut clock use 1 connect {other} send froma recv 4 took 400 use 0 close"
            ),
        ),
    ];
    // Whichever of them connects first is heard first or last: c answers both.
    let outcome = run(workshop, &parts, &["partition a | b from send a->b cut for 1500ms"])?;
    outcome.expect(
        "b",
        &["listen ok", "recv one", "connect ok", "recv back", "fast", "recv cut eof"],
    )?;
    outcome.expect("a", &["connect ok", "connect ok", "recv back", "fast"])
}

fn reasons(workshop: &Arc<Workshop>, guest: Guest) -> Result<(), String> {
    let outcome = pair(
        workshop,
        guest,
        "accept recv 100",
        "connect HERE send one send two close",
        &[
            "crash a after send a->b three",
            "crash a after send a->b one #2",
            "omit a->b one",
            "crash a before send a->b one after {send a->b two}",
            "crash a after {recv b<-a nothing}",
            "reset b->b after recv b<-a two",
        ],
    )?;
    outcome.expect("b", &["listen ok", "recv onetwo eof"])?;
    let said: Vec<String> = outcome.reports.iter().map(ToString::to_string).collect();
    let expected = [
        "crash a after send a->b three: never fired (seen: send a->b one port 7000, send a->b two port 7000)",
        "crash a after send a->b one #2: never fired (only 1 such events were seen)",
        "omit a->b one: never fired (no network loses or doubles part of a stream: use stall, delay or reset)",
        "crash a before send a->b one after {send a->b two}: never fired (`send a->b one port 7000` came before `send a->b two`)",
        "crash a after {recv b<-a nothing}: never fired (`recv b<-a nothing` did not happen)",
        "reset b->b after recv b<-a two: never fired (there was no connection to reset after recv b<-a two port 7000)",
    ];
    if said == expected { Ok(()) } else { Err(format!("{said:#?}")) }
}
