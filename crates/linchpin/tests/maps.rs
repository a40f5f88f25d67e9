//! The cluster files in `systems/` and `examples/` and the mapping files say what is there: nodes, messages, specifications, checkers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use linchpin_cluster::{Cluster, Judge};
use serde::Deserialize;

/// A mapping file (docs/formats/map.md).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    specification: PathBuf,
    scenario: Option<String>,
    cluster: PathBuf,
    nodes: BTreeMap<String, String>,
    messages: BTreeMap<String, String>,
    faults: BTreeMap<String, String>,
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, toml::Value>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// The files in the folders of `below` whose names begin so, in order.
fn files(below: &str, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root().join(below)).expect("a folder") {
        let folder = folder.expect("readable").path();
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        found.extend(entries.map(|entry| entry.expect("readable").path()).filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            name.starts_with(prefix) && name.ends_with(".toml")
        }));
    }
    found.sort();
    found
}

fn linchpin(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_linchpin")).args(arguments).output().expect("started");
    assert!(output.status.code().is_some_and(|code| code != 2), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_cluster_file_is_right() {
    let (systems, examples) = (files("systems", "cluster"), files("examples", "cluster"));
    assert_eq!((systems.len(), examples.len()), (21, 10));
    for file in systems.into_iter().chain(examples) {
        let cluster = Cluster::load(&file).unwrap_or_else(|error| panic!("{error}"));
        let folder = file.parent().expect("a folder");
        let name = folder.file_name().expect("a name").to_string_lossy();
        assert!(cluster.name.starts_with(&*name), "{}: `{}`", file.display(), cluster.name);
        if let Judge::History { checkers, .. } = &cluster.invariant.expect("an invariant").judge {
            for checker in checkers {
                checker.parse::<linchpin_history::Checker>().expect("a checker");
            }
        }
    }
}

#[test]
fn every_mapping_file_is_right() {
    let files = files("systems", "map");
    assert_eq!(files.len(), 21);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("readable");
        let map: Map =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        judge(&file, &map);
    }
}

fn judge(file: &Path, map: &Map) {
    let name = file.display();
    let folder = file.parent().expect("a folder");
    let specification = folder.join(&map.specification);
    let specification = specification.to_str().expect("UTF-8");
    let mut arguments = vec!["check", specification, "--quiet", "--format", "json"];
    let mut run = vec!["run", specification];
    for each in [&mut arguments, &mut run] {
        each.extend(map.scenario.iter().flat_map(|scenario| ["--scenario", scenario.as_str()]));
    }
    let check: serde_json::Value = serde_json::from_str(&linchpin(&arguments)).expect("one object");
    assert_eq!(check["verdict"], check["expected"], "{name}");

    let bounds = &check["bounds"];
    let nodes = bounds["nodes"].as_array().expect("a list").iter();
    let nodes: BTreeSet<&str> = nodes.map(|node| node.as_str().expect("a name")).collect();
    assert_eq!(map.nodes.keys().map(String::as_str).collect::<BTreeSet<_>>(), nodes, "{name}");

    let cluster =
        Cluster::load(&folder.join(&map.cluster)).unwrap_or_else(|error| panic!("{error}"));
    for node in map.nodes.values() {
        let known =
            cluster.nodes.iter().any(|each| each.name == *node) || node == linchpin_cluster::CLIENT;
        assert!(known, "{name}: the cluster has no node `{node}`");
    }

    for (relation, fault) in &map.inputs {
        assert!(linchpin_injector::parse_fault(fault).is_ok(), "{name}: `{fault}`");
        let text = std::fs::read_to_string(specification).expect("readable");
        assert!(text.contains(&format!("{relation}(")), "{name}: no input `{relation}`");
    }

    let known = cluster.workload.map(|workload| workload.parameters).unwrap_or_default();
    for parameter in map.parameters.keys() {
        assert!(known.contains_key(parameter), "{name}: the workload has no `{parameter}`");
    }

    // Every kind of fault within the bounds stands for something, and nothing else does.
    let number = |bound: &str| bounds[bound].as_u64().unwrap_or(0);
    let kinds = [
        ("omit", number("eff") > 1),
        ("delay", number("max_delay") > 0),
        ("crash", number("crashes") > 0),
        ("recover", number("recoveries") > 0),
    ];
    let within: BTreeSet<&str> =
        kinds.iter().filter(|(_, within)| *within).map(|(kind, _)| *kind).collect();
    assert_eq!(map.faults.keys().map(String::as_str).collect::<BTreeSet<_>>(), within, "{name}");

    // Every relation is sent in a run without faults, and every label is the type of a message of the programs.
    let sent = linchpin(&run);
    let programs = programs(folder);
    for (relation, label) in &map.messages {
        let is_sent = sent
            .lines()
            .any(|line| line.contains(" -> ") && line.contains(&format!(": {relation}(")));
        assert!(is_sent, "{name}: no message of the relation `{relation}`");
        let says = |text: &str| text.contains("type") && text.contains(&format!("\"{label}\""));
        assert!(programs.lines().any(says), "{name}: no message `{label}`");
    }
}

fn programs(folder: &Path) -> String {
    let entries =
        std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
    let is_program = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "py" || extension == "c")
    };
    let programs = entries.filter(is_program);
    programs.map(|path| std::fs::read_to_string(path).expect("UTF-8")).collect()
}
