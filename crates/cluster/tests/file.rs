//! Mistakes in cluster files: all of them at once, each with its place and what to do.

use std::path::Path;

use linchpin_cluster::{Cluster, Judge, ReadyWhen, User};

/// Line (from 1), message and help of every mistake.
fn mistakes(text: &str) -> Vec<(usize, String, String)> {
    let Err((text, found)) = Cluster::parse(Path::new("folder/test.toml"), text.to_owned()) else {
        return Vec::new();
    };
    found
        .into_iter()
        .map(|mistake| {
            assert!(!mistake.render(Path::new("test.toml"), &text, false).is_empty());
            let line = text[..mistake.span.start].matches('\n').count() + 1;
            (line, mistake.message, mistake.help.unwrap_or_default())
        })
        .collect()
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let text = r#"nmae = "x"
isolation = "namespace"
[nodes.a]
comand = ["x"]
command = ["run", "{adress}", "{node.c.address}"]
ready = { port = 70000 }
stop_grace = 2
after = ["c", "a"]
[nodes."b c"]
command = []
[nodes.client]
command = ["x"]
[workload]
command = ["run", "{parameter.writes}", "{parameter.reads}", "{"]
timeout = "soon"
parameters = { writes = [] }
[invariant]
command = ["check"]
history = ["lost-write"]
[faults]
crashes = 1
[[labels]]
dissector = "regexp"
[[labels]]
dissector = "regex"
pattern = "("
"#;
    let found = mistakes(text);
    let expected: &[(usize, &str, &str)] = &[
        (1, "a cluster file has no key `nmae`", "did you mean `name`?"),
        (
            2,
            "expected `\"auto\"` or `\"namespaces\"` or `\"loopback\"`",
            "did you mean `\"namespaces\"`?",
        ),
        (4, "a node has no key `comand`", "did you mean `command`?"),
        (5, "nothing is called `{adress}` here", "did you mean `{address}`?"),
        (5, "nothing is called `{node.c.address}` here", "did you mean `{node.a.address}`?"),
        (6, "expected a whole number from 0 to 65535", ""),
        (7, "expected a duration in quotes, such as \"200ms\", \"10s\" or \"2m\"", ""),
        (8, "there is no other node `c`", ""),
        (8, "there is no other node `a`", ""),
        (9, "a node's name is letters, digits, `-` and `_`", ""),
        (11, "`client` is the name of the workload's node", ""),
        (14, "nothing is called `{parameter.writes}` here", ""),
        (14, "nothing is called `{parameter.reads}` here", ""),
        (14, "a brace is opened and not closed", "write `{{` and `}}` for braces"),
        (15, "expected a duration in quotes, such as \"200ms\", \"10s\" or \"2m\"", ""),
        (16, "expected a list of values, the default first", ""),
        (17, "the invariant is either a `command` or a list of checkers `history`", ""),
        (21, "`[faults]` has no key `crashes`", "did you mean `crash`?"),
        (
            23,
            "expected `\"line\"` or `\"http\"` or `\"resp\"` or `\"amqp\"` or `\"length-prefixed\"` or `\"kind\"` or `\"regex\"`",
            "did you mean `\"regex\"`?",
        ),
    ];
    let lines: Vec<(usize, &str)> =
        found.iter().map(|(line, message, _)| (*line, message.as_str())).collect();
    for (line, message, help) in expected {
        let hit = found.iter().find(|(at, told, _)| at == line && told == message);
        let Some((_, _, told)) = hit else { panic!("line {line}: {message}\nin {lines:#?}") };
        assert!(told.starts_with(help) || help.is_empty(), "{message}: {told}");
    }
    assert!(
        found.iter().any(
            |(line, message, _)| *line == 26 && message.starts_with("not a regular expression")
        )
    );
    assert_eq!(found.len(), expected.len() + 1, "{lines:#?}");
}

#[test]
fn files_that_are_not_toml_or_say_nothing() {
    assert!(mistakes("[nodes.a").iter().all(|(_, message, _)| message.starts_with("not TOML")));
    assert!(!mistakes("[nodes.a").is_empty());
    assert_eq!(mistakes("")[0].1, "there is no node");
    assert_eq!(mistakes("nodes = 3")[0].1, "expected tables of nodes: `[nodes.NAME]`");
    assert_eq!(mistakes("[nodes.a]")[0].1, "node `a` has no `command`");
    let long = "[nodes.a]\ncommand=['x']\n[steps]\ntimeout = '500000000000y'";
    assert_eq!(mistakes(long)[0].1, "expected a duration of at most one year");
    let crowd: String =
        (0..200).map(|index| format!("[nodes.n{index}]\ncommand=['x']\n")).collect();
    assert_eq!(mistakes(&crowd)[0].1, "200 nodes: there may be at most 199");
    let circle = "[nodes.a]\ncommand=['x']\nafter=['b']\n[nodes.b]\ncommand=['x']\nafter=['a']";
    assert_eq!(mistakes(circle)[0].1, "these nodes wait for each other: a, b");
    let files = "[nodes.a]\ncommand=['x']\nfiles = { '../x' = 'y', 'z' = 'nowhere.conf' }";
    let found = mistakes(files);
    assert!(found[0].1.contains("not the name of a file within the data folder"));
    assert!(found[1].1.contains("cannot read the template"));
}

#[test]
fn mutilated_files_are_refused_without_a_panic() {
    let whole = include_str!("clusters/broadcast/cluster.toml");
    for end in (0..whole.len()).step_by(7) {
        mistakes(&whole[..end]);
        let mut bytes = whole.as_bytes().to_vec();
        bytes[end] = b"{}[]\"'=\n#x"[end % 10];
        mistakes(&String::from_utf8(bytes).unwrap());
    }
}

#[test]
fn a_file_means_what_it_says() {
    let text = r#"
name = "store"
seed = 9
isolation = "loopback"
[nodes.b]
command = ["run", "{address}:7000"]
ready = { log = "ready", timeout = "3s" }
user = "keep"
restart = { command = ["run", "--again"] }
group = "replica"
[nodes.a]
command = ["run"]
after = ["b"]
[workload]
command = ["work"]
parameters = { writes = [1, 2], mode = ["fast"], check = [true] }
[invariant]
history = ["lost-write"]
final = { command = ["read"] }
[faults]
total = 2
crash = 1
[tokens]
follow = ['token-\d+']
"#;
    let cluster = Cluster::parse(Path::new("test.toml"), text.to_owned()).unwrap();
    let names: Vec<&str> = cluster.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["b", "a"], "in the order of the file");
    let b = cluster.node("b").unwrap();
    assert_eq!(b.ready.as_ref().unwrap().when, ReadyWhen::Log("ready".into()));
    assert_eq!((&b.user, b.group.as_deref()), (&User::Keep, Some("replica")));
    assert_eq!(b.restart.as_deref(), Some(&["run".to_owned(), "--again".to_owned()][..]));
    let workload = cluster.workload.as_ref().unwrap();
    assert_eq!(workload.parameters["writes"], ["1", "2"]);
    assert_eq!(workload.parameters["check"], ["true"]);
    match &cluster.invariant.as_ref().unwrap().judge {
        Judge::History { checkers, last } => {
            assert_eq!(
                (checkers[0].as_str(), last.as_ref().unwrap()[0].as_str()),
                ("lost-write", "read")
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((cluster.faults.total, cluster.faults.kinds["crash"]), (Some(2), 1));
    assert_eq!((cluster.seed, cluster.name.as_str(), cluster.tokens.len()), (9, "store", 1));
}
