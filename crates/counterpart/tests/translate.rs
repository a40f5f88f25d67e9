//! Faults of a specification, rewritten.

use std::collections::BTreeMap;
use std::fs;

use linchpin_counterpart::{Map, MapError, Sent, TranslateError};
use linchpin_model::FaultSet;

const MAP: &str = r#"
specification = "a.ded"
cluster = "cluster.toml"
[nodes]
A = "a"
B = "b"
C = "client"
[messages]
copy = "replicate"
again = "replicate"
confirm = "stored"
"#;

fn map(faults: &str) -> Map {
    toml::from_str(&format!("{MAP}[faults]\n{faults}")).expect("a map")
}

/// `A>B copy x 1`: A sends B `copy("x")` at time 1. With ` lost` after it, it does not arrive.
fn sent(lines: &[&str]) -> Vec<Sent> {
    let one = |line: &&str| {
        let words: Vec<&str> = line.split([' ', '>']).collect();
        let [from, to, relation, row, at] = words[..5] else { panic!("`{line}`") };
        let (from, to) = (Some(from.to_owned()), to.to_owned());
        let at = at.parse().expect("a time");
        let arrives = (words.len() == 5).then_some(at + 1);
        let (relation, row) = (relation.to_owned(), row.to_owned());
        Sent { at, from, to, relation, row, arrives }
    };
    lines.iter().map(one).collect()
}

fn translate(map: &Map, faults: &[&str], lines: &[&str]) -> Result<Vec<String>, TranslateError> {
    let faults: FaultSet = faults.iter().map(|text| text.parse().expect("a fault")).collect();
    let translated = map.translate(&faults, |_| Ok::<_, TranslateError>(sent(lines)))?;
    Ok(translated.iter().flat_map(|each| &each.by).map(ToString::to_string).collect())
}

#[test]
fn the_kth_message_of_a_link_is_the_kth_with_its_label() {
    let map = map("omit = \"omit\"");
    let lines = [
        "A>B copy x 1",
        "B>A confirm x 2",
        "A>B again x 2",
        "A>B copy y 2",
        "A>C copy x 2",
        "A>B copy z 3",
    ];
    assert_eq!(
        translate(&map, &["omit A->B @1", "omit A->B @2"], &lines).expect("translated"),
        ["omit a->b replicate", "omit a->b replicate #2", "omit a->b replicate #3"]
    );
    let error = translate(&map, &["omit B->A @1"], &lines).expect_err("nothing is sent");
    assert!(error.to_string().ends_with("the specification then sends nothing"), "{error}");
    let error = translate(&map, &["crash A @1"], &lines).expect_err("not said");
    assert!(error.to_string().contains("add `crash` to [faults]"), "{error}");
}

/// Processes do not say again what has arrived.
#[test]
fn what_is_said_again_counts_only_if_it_did_not_arrive() {
    let map = map("omit = \"omit\"");
    let lines = [
        "A>B copy x 1",
        "A>B copy x 2",
        "A>B copy y 3 lost",
        "A>B copy x 3",
        "A>B copy y 4",
        "A>B copy y 5",
        "A>B copy z 6",
    ];
    let omit = |fault: &str| translate(&map, &[fault], &lines).expect("translated");
    assert_eq!(omit("omit A->B @3"), ["omit a->b replicate #2"]);
    assert_eq!(omit("omit A->B @4"), ["omit a->b replicate #3"]);
    assert_eq!(omit("omit A->B @6"), ["omit a->b replicate #4"]);
    // Nothing that matters is lost: then all of them count.
    assert_eq!(omit("omit A->B @2"), ["omit a->b replicate #2"]);
}

#[test]
fn losses_and_delays_stand_for_what_the_map_says() {
    let lines = ["A>B copy x 1", "A>B copy y 2", "A>B copy z 3"];
    let with = |faults: &str, fault: &[&str]| translate(&map(faults), fault, &lines);
    // What is stalled stays so.
    assert_eq!(
        with("omit = \"stall\"", &["omit A->B @2", "omit A->B @3"]).expect("translated"),
        ["stall a->b before send a->b replicate #2"]
    );
    assert_eq!(
        with("omit = \"400ms\"", &["omit A->B @2"]).expect("translated"),
        ["delay a->b replicate #2 by 400ms"]
    );
    assert_eq!(
        with("delay = \"300ms\"", &["delay A->B @1 by 2"]).expect("translated"),
        ["delay a->b replicate by 600ms"]
    );
}

#[test]
fn a_crash_comes_before_what_the_node_says_next_for_the_first_time() {
    let map = map("crash = \"crash\"\nrecover = \"restart\"");
    let lines = [
        "C>A copy x 1",
        "A>B copy x 2",
        "A>B copy x 3",
        "B>A confirm x 3",
        "A>C confirm x 4",
        "A>B copy x 4",
        "A>B copy y 5",
        "A>C copy y 5",
    ];
    let crash = |fault: &str| translate(&map, &[fault], &lines).expect("translated");
    assert_eq!(crash("crash A @2"), ["crash a before send a->b replicate"]);
    assert_eq!(crash("crash A @3"), ["crash a after send a->b replicate"]);
    assert_eq!(crash("crash A @4"), ["crash a before send a->client stored"]);
    assert_eq!(crash("crash A @5"), ["crash a before send a->* replicate #2"]);
    assert_eq!(
        translate(&map, &["crash A @2", "recover A @4"], &lines).expect("translated"),
        ["crash a before send a->b replicate", "restart a keep"]
    );
    let error = translate(&map, &["crash C @1"], &lines).expect_err("it never fails");
    assert!(matches!(error, TranslateError::ClientCrash { .. }), "{error}");
    let error = translate(&map, &["crash B @1"], &["B>A other x 2"]).expect_err("not mapped");
    assert!(error.to_string().ends_with("sends `other`"), "{error}");
}

#[test]
fn inputs_of_the_environment_and_power_failures_have_counterparts() {
    let text = format!(
        "{MAP}[faults]\ncrash = \"power-loss\"\nrecover = \"restart\"\n\
         [inputs]\nfails = \"error EIO a fsync log #2\"\n"
    );
    let map: Map = toml::from_str(&text).expect("a map");
    let lines = ["A>B copy x 2"];
    let faults = ["input fails(\"A\") @2", "crash A @2", "recover A @4"];
    assert_eq!(
        translate(&map, &faults, &lines).expect("translated"),
        ["power-loss a before send a->b replicate", "error EIO a fsync log #2", "restart a keep"]
    );
    let error = translate(&map, &["input begin(\"A\") @2"], &lines).expect_err("the workload's");
    assert!(error.to_string().ends_with("add that to [inputs]"), "{error}");
}

#[test]
fn a_crash_with_nothing_left_to_say_comes_once_all_before_it_has_happened() {
    let lines = ["C>A copy x 1", "A>B copy x 2", "A>C confirm x 2", "B>A confirm x 3"];
    let crash =
        |faults: &str, fault: &str| translate(&map(faults), &[fault], &lines).expect("translated");
    let faults = "crash = \"crash\"";
    assert_eq!(
        crash(faults, "crash A @3"),
        ["crash a after {send a->b replicate, send a->client stored}"]
    );
    assert_eq!(crash(faults, "crash A @4"), ["crash a after recv a<-b stored"]);
    // A message that was lost is said again, if it was a datagram.
    let lost = ["A>B copy x 2 lost", "A>B copy x 3"];
    let datagrams = map("crash = \"crash\"\nomit = \"omit\"");
    let streams = map("crash = \"crash\"\nomit = \"stall\"");
    let crash = |map: &Map| translate(map, &["crash A @3"], &lost).expect("translated");
    assert_eq!(crash(&datagrams), ["crash a before send a->b replicate #2"]);
    assert_eq!(crash(&streams), ["crash a after send a->b replicate"]);
}

/// Before it hears what would change it, and not after.
#[test]
fn a_crash_comes_before_the_next_message_that_the_node_receives() {
    let map = map("crash = \"silent-crash\"");
    let lines = ["A>B copy x 1", "B>A confirm x 2", "A>C copy x 3"];
    let crash = |fault: &str| translate(&map, &[fault], &lines).expect("translated");
    assert_eq!(crash("crash A @2"), ["silent-crash a after send a->b replicate"]);
    assert_eq!(crash("crash A @3"), ["silent-crash a before send a->client replicate"]);
}

#[test]
fn a_crash_with_a_restart_needs_no_recovery() {
    let map = map("crash = \"restart\"\nrecover = \"restart\"");
    let lines = ["A>B copy x 1"];
    let expected = ["crash a before send a->b replicate", "restart a keep"];
    for faults in [&["crash A @1"][..], &["crash A @1", "recover A @3"]] {
        assert_eq!(translate(&map, faults, &lines).expect("translated"), expected);
    }
}

#[test]
fn what_makes_no_fault_is_an_error() {
    let lines = ["A>B copy x 1"];
    for late in ["1000000000000s", "584554531y"] {
        let endless = map(&format!("delay = \"{late}\""));
        let error = translate(&endless, &["delay A->B @1 by 4000000000"], &lines).expect_err(late);
        assert!(matches!(error, TranslateError::NotAFault { .. }), "{error}");
    }
    // Whatever stands in quotes is a name.
    let mut odd = map("omit = \"omit\"");
    for name in ["", "#1", "a b", "qu\"ote", "back\\slash", "after", "über\n"] {
        odd.messages.insert("copy".to_owned(), name.to_owned());
        match translate(&odd, &["omit A->B @1"], &lines) {
            Ok(faults) => assert_eq!(faults.len(), 1, "{name:?}"),
            Err(error) => assert!(error.to_string().contains("is no fault"), "{error}"),
        }
    }
}

#[test]
fn what_is_wrong_with_a_map_is_said_with_its_place() {
    let folder = std::env::temp_dir().join(format!("linchpin-map-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("map.toml");
    let load = |faults: &str| {
        fs::write(&path, format!("{MAP}[faults]\n{faults}\n")).expect("written");
        Map::load(&path)
    };
    for (faults, words) in [
        ("omit = \"lose\"", "`lose` stands for no loss: \"omit\", \"stall\" or a time"),
        ("omit = \"0s\"", "stands for no loss"),
        ("delay = 3", "invalid type: integer"),
        ("crash = \"stop\"", "unknown variant `stop`"),
        ("crush = \"crash\"", "unknown field `crush`"),
        ("[parameters]\nwrites = [1]", "a parameter is a string or an integer"),
    ] {
        let error = load(faults).expect_err("it is wrong");
        let text = error.to_string();
        assert!(matches!(error, MapError::Malformed { .. }));
        assert!(
            text.contains(words) && (text.contains("line 13") || text.contains("line 14")),
            "{text}"
        );
    }
    let map = load("omit = \"omit\"\n[parameters]\nwrites = 1\nkey = \"x\"").expect("right");
    let parameters =
        [("writes", "1"), ("key", "x")].map(|(name, value)| (name.into(), value.into()));
    assert_eq!(map.parameters, BTreeMap::from(parameters));
    assert_eq!(map.specification, folder.join("a.ded"));
    assert_eq!(
        map.nodes,
        BTreeMap::from(
            [("A", "a"), ("B", "b"), ("C", "client")].map(|(k, v)| (k.into(), v.into()))
        )
    );
    fs::remove_file(&path).expect("removed");
    assert!(matches!(Map::load(&path), Err(MapError::Unreadable { .. })));
    fs::remove_dir_all(&folder).expect("removed");
}
