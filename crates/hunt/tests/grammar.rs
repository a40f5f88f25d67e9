//! What the hunt proposes is written in the language of faults, as the injector reads it.

use std::collections::BTreeSet;

use linchpin_hunt::{EventName, Fault, Kind, MessageName, Moment, Trigger};
use linchpin_injector::{check_nodes, parse_fault};

fn faults(label: &str) -> Vec<Fault> {
    let (from, to) = ("a".to_owned(), "b".to_owned());
    let message = MessageName { from, to, label: label.into(), occurrence: 2 };
    let events = [
        EventName::Send(message.clone()),
        EventName::Receive(message.clone()),
        EventName::Write { node: "a".into(), occurrence: 3 },
        EventName::Sync { node: "a".into(), occurrence: 1 },
    ];
    let mut faults = vec![
        Fault::Delay { message: message.clone(), duration_ms: 1500 },
        Fault::Loss { message: message.clone() },
        Fault::Duplicate { message: message.clone() },
        Fault::Corrupt { message },
    ];
    for event in &events[2..] {
        faults.push(Fault::Error { event: event.clone(), error: "EIO".into() });
    }
    for (event, moment) in events.iter().flat_map(|event| {
        [Moment::Before, Moment::After].into_iter().map(move |moment| (event, moment))
    }) {
        let at = Trigger { moment, event: event.clone() };
        if moment == Moment::Before && matches!(event, EventName::Receive(_)) {
            // Nothing can come between the kernel and a receive that has returned.
            continue;
        }
        let kinds = [Kind::Crash, Kind::SilentCrash, Kind::PowerLoss, Kind::Restart, Kind::Pause];
        for kind in kinds {
            let node = "a".to_owned();
            faults.push(Fault::Node { kind, node, at: at.clone(), duration_ms: 2000 });
        }
        let one = BTreeSet::from(["a".to_owned()]);
        let other = BTreeSet::from(["b".to_owned(), "c".to_owned()]);
        faults.push(Fault::Partition { one, other, at: at.clone() });
        let (from, to) = ("a".to_owned(), "b".to_owned());
        faults.push(Fault::Stall { from: from.clone(), to: to.clone(), at: at.clone() });
        faults.push(Fault::Refuse { from: from.clone(), to: to.clone(), at: at.clone() });
        faults.push(Fault::Reset { from, to, at });
    }
    // Whichever of two it is.
    let either = || "{a,b}".to_owned();
    let message = MessageName { from: either(), to: either(), label: label.into(), occurrence: 2 };
    for event in [
        EventName::Send(message.clone()),
        EventName::Write { node: either(), occurrence: 3 },
        EventName::Sync { node: either(), occurrence: 1 },
    ] {
        let at = Trigger { moment: Moment::Before, event: event.clone() };
        for kind in [Kind::Crash, Kind::Restart, Kind::PowerLoss, Kind::Pause] {
            let (node, at) = (either(), at.clone());
            faults.push(Fault::Node { kind, node, at, duration_ms: 2000 });
        }
        if matches!(event, EventName::Send(_)) {
            faults.push(Fault::Stall { from: either(), to: either(), at: at.clone() });
            faults.push(Fault::Refuse { from: either(), to: either(), at: at.clone() });
            faults.push(Fault::Reset { from: either(), to: either(), at });
        } else {
            faults.push(Fault::Error { event, error: "EIO".into() });
        }
    }
    faults.push(Fault::Delay { message, duration_ms: 1500 });
    let kinds: BTreeSet<Kind> = faults.iter().map(Fault::kind).chain([Kind::Input]).collect();
    assert_eq!(kinds.len(), Kind::ALL.len(), "every kind is tried");
    faults
}

#[test]
fn the_injector_reads_what_the_hunt_writes() {
    let nodes = ["a", "b", "c"].map(str::to_owned);
    for label in ["REPL", "two words", "at", "", "GET /x?y", "say \"x\""] {
        for fault in faults(label) {
            for clause in fault.clauses() {
                match parse_fault(&clause) {
                    Ok(parsed) => assert!(check_nodes(&parsed, &nodes).is_empty(), "{clause}"),
                    Err(wrong) => panic!("`{clause}`: {wrong:?}"),
                }
            }
        }
    }
}
