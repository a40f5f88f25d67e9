//! Certificates by way of the command line.

mod command;

use command::{linchpin, stdout};

const REDUNDANT: &str = "specs/broadcast/redundant.ded";

#[test]
fn a_certificate_is_written_verified_and_taken_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (file, cnf, drat, map) = (path("c"), path("c.cnf"), path("c.drat"), path("c.map"));
    let check = linchpin(&["check", REDUNDANT, "--scenario", "paper", "--certificate", &file]);
    assert_eq!(check.status.code(), Some(0));
    let verify = linchpin(&[
        "verify-certificate",
        &file,
        REDUNDANT,
        "--cnf",
        &cnf,
        "--drat",
        &drat,
        "--map",
        &map,
    ]);
    assert_eq!(verify.status.code(), Some(0), "{}", stdout(&verify));
    assert!(stdout(&verify).starts_with("VERIFIED"));
    assert!(stdout(&verify).contains("EOT 11, EFF 10, 1 crash, nodes a b c"));
    let read = |file: &str| std::fs::read_to_string(file).expect("written");
    assert!(read(&cnf).starts_with("p cnf "));
    assert!(read(&drat).ends_with("\n0\n"));
    assert!(read(&map).starts_with("1 omit a->b @1\n"));

    let other = linchpin(&["verify-certificate", &file, "specs/broadcast/acknowledged.ded"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(stdout(&other).starts_with("REFUSED"));
    assert!(stdout(&other).contains("the specification differs"));

    std::fs::write(&file, read(&file).replace("eot 11", "eot 12")).expect("written");
    let changed = linchpin(&["verify-certificate", &file, REDUNDANT]);
    assert_eq!(changed.status.code(), Some(1));
    assert!(stdout(&changed).contains("the header was changed"));
}

/// Beyond the published fault model too; what was verified says which faults were allowed.
#[test]
fn extensions_are_certified() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, scenario, words) in [
        (
            "vote",
            "durable",
            "1 crash, 1 recovery (durable: voted), 1 input to choose, nodes a b voter",
        ),
        ("vote", "stop", "1 crash, crashes stop nodes, 1 input to choose, nodes a b voter"),
        ("register_version", "", "EFF 4, 1 crash, delays up to 3 steps, nodes client server"),
    ] {
        let specification = format!("specs/extensions/{name}.ded");
        let file = folder.path().join(name);
        let file = file.to_str().expect("UTF-8");
        let mut arguments = vec!["check", &specification, "--certificate", file];
        if !scenario.is_empty() {
            arguments.extend(["--scenario", scenario]);
        }
        assert_eq!(linchpin(&arguments).status.code(), Some(0), "{name} {scenario}");
        let verify = linchpin(&["verify-certificate", file, &specification]);
        assert_eq!(verify.status.code(), Some(0), "{}", stdout(&verify));
        assert!(stdout(&verify).contains(words), "{}", stdout(&verify));
    }
}

#[test]
fn there_is_no_certificate_of_a_broken_program() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("c");
    let name = file.to_str().expect("UTF-8");
    let broken = ["check", REDUNDANT, "--scenario", "no-quiet-step", "--certificate", name];
    let check = linchpin(&broken);
    assert_eq!(check.status.code(), Some(1));
    assert!(!file.exists());
    for many in [
        &["check", REDUNDANT, "--certificate", name][..],
        &["check", "specs", "--certificate", name],
    ] {
        let output = linchpin(many);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("choose with --scenario"));
    }
    assert_eq!(linchpin(&["verify-certificate", "no-such-file", REDUNDANT]).status.code(), Some(2));
}
