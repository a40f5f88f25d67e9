//! The language of faults: what is written is read and written again, and every mistake is named.

use linchpin_injector::{check_nodes, parse_fault, parse_faults};

#[test]
fn what_is_written_is_read_and_written_again() {
    for (text, canonical) in [
        ("crash a after send a->b REPL #2", "crash a after send a->b REPL #2"),
        ("silent-crash a before send a->client OK", "silent-crash a before send a->client OK"),
        ("power-loss a after fsync #1", "power-loss a after fsync a"),
        ("restart a keep after 2s", "restart a keep after 2s"),
        ("recover a at 1500ms", "restart a keep at 1500ms"),
        ("restart a lose at exit a", "restart a lose after exit a"),
        (
            "partition a | b,c from recv b<-a VOTE until 3s",
            "partition a | b,c after recv b<-a VOTE until 3s",
        ),
        ("stall a->b from send a->b REPL #1", "stall a->b before send a->b REPL"),
        ("delay a->b APPEND #1 by 300ms", "delay a->b APPEND by 300ms"),
        ("delay a->b #every by 5ms until 2s", "delay a->b #every by 5ms until 2s"),
        ("delay a->b until recv c<-b DONE #3", "delay a->b until recv c<-b DONE #3"),
        ("omit a->b DATA #1", "omit a->b DATA"),
        ("duplicate a->* #1", "duplicate a->*"),
        ("reorder a->b \"GET /x y\"", "reorder a->b \"GET /x y\""),
        ("corrupt a->b #2 byte 7", "corrupt a->b #2 byte 7"),
        ("error ENOSPC a write #3", "error ENOSPC a write #3"),
        ("error EIO a fsync *.log #every", "error EIO a fsync *.log #every"),
        ("error ECONNRESET b<-a recv #2", "error ECONNRESET b<-a recv #2"),
        ("short-write a to 3 #2", "short-write a #2 to 3"),
        ("short-write a->b DATA to 3", "short-write a->b DATA to 3"),
        ("refuse a->b #1", "refuse a->b"),
        ("time-out a->b #2", "time-out a->b #2"),
        ("hang a->b for 1s", "hang a->b for 1s"),
        ("reset a->b after recv b<-a HELLO", "reset a->b after recv b<-a HELLO"),
        ("pause a for 2s at recv a<-b X", "pause a after recv a<-b X for 2s"),
        (
            "crash a after {recv a<-b X, send c->d Y #2}",
            "crash a after {recv a<-b X, send c->d Y #2}",
        ),
        (
            "crash a before send a->b X port 7000 connection 2 #4 after {start b}",
            "crash a before send a->b X port 7000 connection 2 #4 after {start b}",
        ),
        ("error EIO a fsync #2 since send client->*", "error EIO a fsync #2 since send client->*"),
        (
            "crash a since start b #2 before send a->b X after {start c}",
            "crash a before send a->b X after {start c} since start b #2",
        ),
        ("crash \"since\" at 1s", "crash \"since\" at 1s"),
        ("crash {a, b*} before send {a, b*}->c X #2", "crash {a,b*} before send {a,b*}->c X #2"),
        ("restart {a,\"b c\"} keep after 1s", "restart {a,\"b c\"} keep after 1s"),
        ("pause {a,b} for 2s after recv c<-{b,a} X", "pause {a,b} after recv c<-{b,a} X for 2s"),
        ("stall {a,b}->c from send {a,b}->c X", "stall {a,b}->c before send {a,b}->c X"),
        ("error EIO {a,b} fsync #2", "error EIO {a,b} fsync #2"),
        (
            "crash c after {send {a,b}->c X, fsync {a,b} #2}",
            "crash c after {send {a,b}->c X, fsync {a,b} #2}",
        ),
        ("crash \"after\" at 0.25s", "crash \"after\" at 250ms"),
        ("crash node-1 after recv a->node-1 X", "crash node-1 after recv node-1<-a X"),
    ] {
        let fault = parse_fault(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:#?}"));
        assert_eq!(fault.to_string(), canonical, "{text}");
        assert_eq!(parse_fault(canonical).as_ref(), Ok(&fault), "{canonical}");
    }
}

/// What is said of each mistake: the place (as the text there), and the words.
fn said(text: &str) -> Vec<(String, String)> {
    let wrong = parse_fault(text).expect_err(text);
    wrong
        .into_iter()
        .map(|diagnostic| {
            let hint = diagnostic.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            (text[diagnostic.span].to_owned(), format!("{}{hint}", diagnostic.message))
        })
        .collect()
}

#[test]
fn every_mistake_is_named_with_its_place() {
    for (text, expected) in [
        ("crahs a", &[("crahs", "there is no effect `crahs` (did you mean `crash`?)")][..]),
        ("", &[("", "expected an effect, such as `crash` or `delay`; the fault ends here")]),
        ("crash", &[("", "expected the name of a node; the fault ends here (write `crash NODE`)")]),
        (
            "crash c @3",
            &[(
                "@3",
                "`@3`: time steps are those of specifications (name an event (`after send a->b LABEL #2`) or a time (`at 1.5s`))",
            )],
        ),
        (
            "error ENOSPACE a wirte #0",
            &[
                ("ENOSPACE", "there is no error `ENOSPACE` (did you mean `ENOSPC`?)"),
                ("wirte", "there is no event `wirte` (did you mean `write`?)"),
            ],
        ),
        (
            "crash a aftr send a->b untli 3s",
            &[("aftr", "`aftr` begins no clause (did you mean `after`?)")],
        ),
        (
            "crash a before recv a<-b X for 1x",
            &[
                (
                    "before",
                    "nobody knows of `recv` before it has happened (write `after`; or `before send` for the moment it is sent)",
                ),
                ("1x", "expected a duration, such as `300ms` or `1.5s`; found `1x`"),
            ],
        ),
        (
            "delay a->b",
            &[("delay", "how late? (write `by 300ms`, or `until` and an event or a time)")],
        ),
        ("pause a", &[("pause", "for how long? (write `for 2s` or `until ...`)")]),
        (
            "partition a,b | c,a",
            &[("a", "`a` stands in the partition twice (each node is on one side)")],
        ),
        (
            "omit a->b #0",
            &[(
                "#0",
                "`#0` counts nothing (write `#1` for the first, `#2` for the second, `#every` for each)",
            )],
        ),
        (
            "crash a after send a->b since start a since start b",
            &[("since", "the fault counts from two events on (name the later one)")],
        ),
        (
            "crash a after 2s",
            &[(
                "after",
                "after how long since what? (write `at 2s` for a time after the workload began)",
            )],
        ),
        (
            "crash a for 2s",
            &[(
                "crash",
                "this fault does not last (a node that crashed comes back with `restart NODE keep after 2s`, a fault of its own)",
            )],
        ),
        (
            "partition a",
            &[(
                "",
                "expected `|` and another group of nodes; the fault ends here (write `partition NODE,... | NODE,...`)",
            )],
        ),
        (
            "error EAGAIN a recv #1",
            &[(
                "EAGAIN",
                "a receive that fails with EAGAIN though there is something to receive (no kernel does that: programs would spin or wait for ever; use `delay`)",
            )],
        ),
        (
            "crash a at 1s at 2s",
            &[(
                "at",
                "the fault begins at two events (what must have happened before stands in `after {event, event}`)",
            )],
        ),
        (
            "omit \"a->b",
            &[
                ("\"a->b", "the closing double quote is missing"),
                (
                    "",
                    "expected the name of a node; the fault ends here (write `omit NODE->NODE LABEL #K`)",
                ),
            ],
        ),
        (
            "crash {a,b} at 2s",
            &[(
                "{a,b}",
                "which of `{a,b}` is meant? (it begins `before` or `after` an event of {a,b})",
            )],
        ),
        (
            "stall c->{a,b} from send a->c X",
            &[(
                "{a,b}",
                "which of `{a,b}` is meant? (it begins `before` or `after` an event of {a,b})",
            )],
        ),
        ("crash {a,a} at 2s", &[("a", "`a` stands in the braces twice (name each node once)")]),
        (
            "crash {a b} at 2s",
            &[("b", "expected `,` and another node, or `}`; found `b` (write `crash NODE`)")],
        ),
        ("crash {} at 2s", &[("}", "expected the name of a node; found `}` (write `crash NODE`)")]),
        (
            "stall a b",
            &[("b", "expected `->` and the receiving node; found `b` (write `stall NODE->NODE`)")],
        ),
    ] {
        let said = said(text);
        let said: Vec<(&str, &str)> =
            said.iter().map(|(place, words)| (place.as_str(), words.as_str())).collect();
        assert_eq!(said, expected, "{text}");
    }
}

#[test]
fn a_file_has_a_fault_on_each_line() {
    let source = "// first\ncrash a at 1s // why\n\n  stall a->b from send a->b X\n";
    assert_eq!(parse_faults(source).unwrap().len(), 2);
    let source = "crash a at 1s\ncrsh b\nomit a-b\n";
    let wrong = parse_faults(source).unwrap_err();
    assert_eq!(wrong.len(), 2);
    assert_eq!(
        wrong[0].render(source, "faults"),
        "error: there is no effect `crsh`\n --> faults:2:1\n  |\n2 | crsh b\n  | ^^^^\nhint: did you mean `crash`?"
    );
}

#[test]
fn nodes_are_those_of_the_cluster() {
    let nodes = ["alpha", "beta"].map(str::to_owned);
    let said = |text: &str| -> Vec<String> {
        let fault = parse_fault(text).unwrap();
        check_nodes(&fault, &nodes).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        said("crash alhpa after send *->gamma X"),
        [
            "at character 7: there is no node `alhpa`; did you mean `alpha`?",
            "at character 27: there is no node `gamma`; there are: alpha, beta",
        ]
    );
    assert_eq!(
        said("crash beta after send {alpha,bta}->beta X"),
        ["at character 23: there is no node `bta`; did you mean `beta`?"]
    );
    assert!(said("crash {alpha,be*} after fsync {alpha,be*}").is_empty());
}

#[test]
fn no_text_makes_the_parser_panic() {
    let words = [
        "crash", "a", "->", "<-", "#2", "#every", "after", "{", "}", ",", "|", "send", "recv",
        "3s", "until", "for", "by", "\"", "é", "@3", "error", "ENOSPC", "delay", "*", "port",
    ];
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..(state >> 60) + 1 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            text += words[(state >> 33) as usize % words.len()];
            text += if state >> 40 & 1 == 0 { " " } else { "" };
        }
        match parse_fault(&text) {
            Ok(fault) => {
                let again = fault.to_string();
                assert_eq!(parse_fault(&again).as_ref(), Ok(&fault), "{text} -> {again}");
            }
            Err(wrong) => {
                assert!(!wrong.is_empty(), "{text}");
                for diagnostic in wrong {
                    assert!(diagnostic.span.end <= text.len());
                    diagnostic.render(&text, "x");
                }
            }
        }
    }
}
