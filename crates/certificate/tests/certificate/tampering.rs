//! Certificates that were changed, and specifications that are no longer those certified.

use std::path::PathBuf;

use linchpin_certificate::{Certificate, CertifyError, Refusal, Statement, certify, verify};
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_model::{Bounds, CrashModel, Fault, Invariant};

use crate::random::Random;

const RELAY: &str = include_str!("../programs/relay.ded");
const PARTS: &str = include_str!("../programs/relay_parts.ded");

fn files(relay: &str, parts: &str) -> Memory {
    Memory::new().with("specs/relay.ded", relay).with("specs/relay_parts.ded", parts)
}

fn paths() -> Vec<PathBuf> {
    vec![PathBuf::from("specs/relay.ded")]
}

fn certificate() -> Certificate {
    let files = files(RELAY, PARTS);
    let compilation = compile_files(&paths(), &[], &files, &CompileOptions::default());
    let nodes = ["a", "b", "c"].map(String::from).to_vec();
    let bounds = Bounds { eot: 4, eff: 3, crashes: 1, nodes, ..Bounds::default() };
    let program = compilation.program.expect("it compiles");
    certify(&program, &compilation.sources, &bounds, Invariant::Implication, &|| false)
        .expect("it holds")
}

const BALLOT: &str = include_str!("../programs/ballot.ded");

fn ballot_files() -> Memory {
    Memory::new().with("ballot.ded", BALLOT)
}

/// A certificate with every kind of fault.
fn ballot() -> Certificate {
    let paths = [PathBuf::from("ballot.ded")];
    let compilation = compile_files(&paths, &[], &ballot_files(), &CompileOptions::default());
    let bounds = Bounds {
        eot: 6,
        eff: 3,
        crashes: 1,
        nodes: ["a", "b", "voter"].map(String::from).to_vec(),
        max_delay: 1,
        recoveries: 1,
        durable: vec!["voted".to_owned()],
        ..Bounds::default()
    };
    let program = compilation.program.expect("it compiles");
    certify(&program, &compilation.sources, &bounds, Invariant::Implication, &|| false)
        .expect("it holds")
}

fn verify_ballot(bytes: &[u8]) -> Result<Statement, Refusal> {
    verify(&Certificate::parse(bytes)?, &[PathBuf::from("ballot.ded")], &[], &ballot_files())
}

/// What the verifier says of a file.
fn verify_text(text: &str, loader: &Memory) -> Result<Statement, Refusal> {
    verify(&Certificate::parse(text.as_bytes())?, &paths(), &[], loader)
}

/// What the verifier says of a certificate whose digests were made to fit.
fn verify_forged(change: impl Fn(&mut Certificate)) -> Refusal {
    let mut certificate = certificate();
    change(&mut certificate);
    verify_text(&certificate.to_text(), &files(RELAY, PARTS)).expect_err("it was changed")
}

#[test]
fn the_certificate_itself_is_accepted() {
    let certificate = certificate();
    let verified = verify_text(&certificate.to_text(), &files(RELAY, PARTS));
    assert_eq!(verified, Ok(certificate.statement));
}

#[test]
fn no_single_change_of_a_byte_is_accepted() {
    let text = certificate().to_text();
    // The header byte by byte, the rest here and there.
    let header = text.find("begin formula").expect("there is a formula");
    let positions = (0..header).chain((header..text.len()).step_by(7));
    for position in positions {
        for bit in [0, 4] {
            let mut bytes = text.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let refused = Certificate::parse(&bytes);
            assert!(refused.is_err(), "byte {position}, bit {bit}");
        }
        let mut bytes = text.clone().into_bytes();
        bytes.remove(position);
        assert!(Certificate::parse(&bytes).is_err(), "byte {position} removed");
        let mut bytes = text.clone().into_bytes();
        bytes.insert(position, b' ');
        assert!(Certificate::parse(&bytes).is_err(), "a space at byte {position}");
    }
    for ending in [&text[..text.len() - 1], &format!("{text}\n"), &format!("{text}end\n"), ""] {
        assert!(Certificate::parse(ending.as_bytes()).is_err());
    }
}

#[test]
fn a_changed_part_is_named() {
    let text = certificate().to_text();
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Certificate::parse(text.replacen(from, to, 1).as_bytes()).expect_err("it was changed")
    };
    assert_eq!(changed("eot 4\n", "eot 5\n"), Refusal::Changed { part: "header" });
    assert_eq!(changed("crashes 1\n", "crashes 2\n"), Refusal::Changed { part: "header" });
    assert_eq!(
        changed("invariant implication", "invariant good"),
        Refusal::Changed { part: "header" }
    );
    let clause = "begin formula\np cnf ";
    assert_eq!(changed(clause, "begin formula\np cnf 1"), Refusal::Changed { part: "formula" });
    let map = "begin map\n1 omit a->b @1";
    assert_eq!(changed(map, "begin map\n1 omit a->c @1"), Refusal::Changed { part: "map" });
    let proof = "begin proof\n";
    assert_eq!(changed(proof, "begin proof\n-"), Refusal::Changed { part: "proof" });
    let version = changed("linchpin-certificate 2", "linchpin-certificate 3");
    assert!(version.to_string().contains("version 3 is not known"), "{version}");
}

#[test]
fn a_changed_specification_is_named() {
    let text = certificate().to_text();
    let refused = |relay: &str, parts: &str| {
        verify_text(&text, &files(relay, parts)).expect_err("it was changed").to_string()
    };
    let relay = RELAY.replace("kept(X, M), member(X, Y)", "send(X, M), member(X, Y)");
    assert_ne!(relay, RELAY);
    assert!(refused(&relay, PARTS).contains("`relay.ded` is not the file"));
    // Also a comment: the files are those certified, to the byte.
    assert!(refused(&format!("{RELAY}// more\n"), PARTS).contains("`relay.ded` is not the file"));
    let parts = PARTS.replace("\"hello\"", "\"world\"");
    assert!(refused(RELAY, &parts).contains("`relay_parts.ded` is not the file"));
    let without = RELAY.replace("include \"relay_parts.ded\";", "");
    assert!(refused(&without, PARTS).contains("`relay.ded` is not the file"));
    let memory = files(RELAY, PARTS).with("specs/more.ded", "more(\"a\")@1;\n");
    let certificate = Certificate::parse(text.as_bytes()).expect("it is one");
    let more = [paths(), vec![PathBuf::from("specs/more.ded")]].concat();
    let refusal = verify(&certificate, &more, &[], &memory).expect_err("there is one more file");
    assert!(refusal.to_string().contains("`more.ded` was not part of it"), "{refusal}");
    let none = verify(&certificate, &[], &[], &memory).expect_err("there are no files");
    assert!(none.to_string().contains("`relay.ded` is missing"), "{none}");
    // A file may have another name, though, and stand elsewhere.
    let moved = Memory::new().with("x/other.ded", RELAY).with("x/relay_parts.ded", PARTS);
    assert!(verify(&certificate, &[PathBuf::from("x/other.ded")], &[], &moved).is_ok());
}

#[test]
fn other_bounds_do_not_fit_the_formula() {
    let differs = |change: &dyn Fn(&mut Statement)| {
        let refusal = verify_forged(|certificate| change(&mut certificate.statement));
        let expected =
            matches!(refusal, Refusal::DerivationDiffers { part: "formula" | "map", .. });
        assert!(expected, "{refusal}");
    };
    differs(&|statement| statement.bounds.eot = 5);
    differs(&|statement| statement.bounds.eff = 4);
    differs(&|statement| statement.bounds.eff = 2);
    differs(&|statement| statement.bounds.crashes = 2);
    differs(&|statement| statement.bounds.crashes = 0);
    differs(&|statement| statement.bounds.nodes.push("d".to_owned()));
    differs(&|statement| statement.bounds.nodes.swap(0, 1));
    differs(&|statement| statement.invariant = Invariant::Baseline);
    let refusal = verify_forged(|certificate| certificate.statement.invariant = Invariant::Good);
    assert!(refusal.to_string().contains("no relation `good`"), "{refusal}");
    let refusal = verify_forged(|certificate| certificate.statement.bounds.eot = 0);
    assert!(refusal.to_string().contains("the bounds make no sense"), "{refusal}");
}

/// Whatever a certificate states, nothing is derived that could not be.
#[test]
fn endless_bounds_are_refused() {
    let changes: [&dyn Fn(&mut Bounds); 4] = [
        &|bounds| bounds.eot = u32::MAX,
        &|bounds| (bounds.eot, bounds.eff) = (u32::MAX, u32::MAX),
        &|bounds| bounds.nodes.extend((0..100_000).map(|node| format!("n{node}"))),
        &|bounds| {
            (bounds.eot, bounds.eff, bounds.crashes) = (100_000, 100_000, 0);
            (bounds.recoveries, bounds.max_delay) = (0, u32::MAX);
        },
    ];
    for change in changes {
        let mut forged = ballot();
        change(&mut forged.statement.bounds);
        let refusal = verify_ballot(forged.to_text().as_bytes()).expect_err("too much").to_string();
        // Either no search accepts such bounds, or the certificate's own grounder gives up on them.
        let endless = ["too many steps and faults", "the bounds make no sense"];
        assert!(endless.iter().any(|reason| refusal.contains(reason)), "{refusal}");
    }
}

#[test]
fn other_bounds_beyond_the_published_do_not_fit() {
    let certificate = ballot();
    assert_eq!(verify_ballot(certificate.to_text().as_bytes()), Ok(certificate.statement));
    let refusal = |change: &dyn Fn(&mut Bounds)| {
        let mut forged = ballot();
        change(&mut forged.statement.bounds);
        assert_ne!(forged, ballot());
        verify_ballot(forged.to_text().as_bytes()).expect_err("the bounds were changed")
    };
    let differs = |change: &dyn Fn(&mut Bounds)| {
        let refusal = refusal(change);
        let expected =
            matches!(refusal, Refusal::DerivationDiffers { part: "formula" | "map", .. });
        assert!(expected, "{refusal}");
    };
    differs(&|bounds| bounds.max_delay = 0);
    differs(&|bounds| bounds.max_delay = 2);
    differs(&|bounds| bounds.recoveries = 0);
    differs(&|bounds| bounds.crash_model = CrashModel::Stop);
    differs(&|bounds| bounds.durable.clear());
    differs(&|bounds| bounds.durable.push("granted".to_owned()));
    differs(&|bounds| bounds.durable = vec!["granted".to_owned()]);
    let refused = refusal(&|bounds| bounds.durable.push("nothing".to_owned()));
    assert!(refused.to_string().contains("no relation `nothing`"), "{refused}");
    // The alternatives of an input: one less, another order, another time, none, one input more.
    let inputs: [&dyn Fn(&mut Bounds); 5] = [
        &|bounds| drop(bounds.inputs[0].pop()),
        &|bounds| bounds.inputs[0].swap(0, 1),
        &|bounds| bounds.inputs[0][1] = "input ask(\"b\", \"voter\") @5".parse().expect("one"),
        &|bounds| bounds.inputs.clear(),
        &|bounds| bounds.inputs.push(bounds.inputs[0].clone()),
    ];
    for change in inputs {
        assert_eq!(refusal(change), Refusal::InputsDiffer);
    }
    // Without the durable vote there is nothing to certify.
    let twice = "the second vote needs it to be forgotten";
    let compilation = compile_files(
        &[PathBuf::from("ballot.ded")],
        &[],
        &ballot_files(),
        &CompileOptions::default(),
    );
    let bounds = Bounds { durable: Vec::new(), ..ballot().statement.bounds };
    let program = compilation.program.expect("it compiles");
    let broken =
        certify(&program, &compilation.sources, &bounds, Invariant::Implication, &|| false);
    let Err(CertifyError::Broken { faults }) = broken else { panic!("{twice}: {broken:?}") };
    assert!(faults.iter().any(|fault| matches!(fault, Fault::Recovery { .. })), "{faults}");
}

/// Bytes changed, added, removed and moved anywhere in the file.
#[test]
fn no_random_change_is_accepted() {
    let original = ballot().to_text().into_bytes();
    assert!(verify_ballot(&original).is_ok());
    let random = &mut Random::new(29);
    for change in 0..4_000 {
        let mut bytes = original.clone();
        for _ in 0..1 + random.below(3) {
            let position = random.below(bytes.len());
            match random.below(6) {
                0 => bytes[position] = random.below(256) as u8,
                1 => bytes[position] = b"0123456789 -\n"[random.below(13)],
                2 => drop(bytes.remove(position)),
                3 => bytes.insert(position, b"0123456789 -\n"[random.below(13)]),
                4 => {
                    let other = random.below(bytes.len());
                    bytes.swap(position, other);
                }
                _ => bytes.truncate(position + 1),
            }
        }
        if bytes != original {
            assert!(verify_ballot(&bytes).is_err(), "change {change}");
        }
    }
}

/// The same with digests that fit, which only who derives the formula again can tell.
#[test]
fn no_random_change_of_a_part_is_accepted() {
    let random = &mut Random::new(31);
    let original = ballot();
    for change in 0..120 {
        let mut forged = original.clone();
        let part = match random.below(3) {
            0 => &mut forged.formula,
            1 => &mut forged.map,
            _ => &mut forged.proof,
        };
        let mut bytes = std::mem::take(part).into_bytes();
        let position = random.below(bytes.len());
        match random.below(3) {
            0 => bytes[position] = b"0123456789 -\n"[random.below(13)],
            1 => drop(bytes.remove(position)),
            _ => bytes.insert(position, b"0123456789 -\n"[random.below(13)]),
        }
        *part = String::from_utf8(bytes).expect("ASCII");
        if forged == original {
            continue;
        }
        // Another proof may be one as well: then it proves the same.
        if let Ok(statement) = verify_ballot(forged.to_text().as_bytes()) {
            assert_eq!((&forged.formula, &forged.map), (&original.formula, &original.map));
            assert_eq!(statement, original.statement, "change {change}");
        }
    }
}

#[test]
fn a_forged_part_does_not_fit() {
    let differs = |refusal: Refusal, expected: &'static str| match refusal {
        Refusal::DerivationDiffers { part, .. } => assert_eq!(part, expected),
        other => panic!("{other}"),
    };
    // One clause less, a literal turned round, a clause twice.
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<String>>();
    let joined = |lines: Vec<String>| lines.join("\n") + "\n";
    let count = lines(&certificate().formula).len();
    for index in (1..count).step_by(count / 40 + 1) {
        let refusal = verify_forged(|certificate| {
            let mut lines = lines(&certificate.formula);
            lines.remove(index);
            certificate.formula = joined(lines);
        });
        differs(refusal, "formula");
    }
    let refusal = verify_forged(|certificate| {
        certificate.formula = certificate.formula.replacen("\n-", "\n", 1);
    });
    differs(refusal, "formula");
    let refusal = verify_forged(|certificate| certificate.formula.push_str("1 0\n-1 0\n"));
    differs(refusal, "formula");
    let refusal = verify_forged(|certificate| {
        certificate.map = certificate.map.replacen("omit a->b @1", "omit a->b @2", 1);
    });
    differs(refusal, "map");
    let refusal = verify_forged(|certificate| certificate.map.clear());
    differs(refusal, "map");
}

#[test]
fn a_forged_proof_does_not_prove() {
    let refused = |change: &dyn Fn(&mut String)| {
        let refusal = verify_forged(|certificate| change(&mut certificate.proof));
        assert!(matches!(refusal, Refusal::Proof(_)), "{refusal}");
        refusal.to_string()
    };
    assert!(refused(&|proof| proof.clear()).contains("does not end in a contradiction"));
    let unrelated = refused(&|proof| *proof = "1 0\n0\n".to_owned());
    assert!(unrelated.contains("step 1 of the proof does not follow"), "{unrelated}");
    let premature = refused(&|proof| *proof = "0\n".to_owned());
    assert!(premature.contains("step 1 of the proof does not follow"), "{premature}");
    let unfinished = refused(&|proof| proof.truncate(proof.len() - 2));
    assert!(unfinished.contains("does not end in a contradiction"), "{unfinished}");
    let unreadable = refused(&|proof| proof.insert_str(0, "nonsense\n"));
    assert!(unreadable.contains("line 1 of the proof is not a step"), "{unreadable}");
    let deletion = refused(&|proof| proof.insert_str(0, "d 1 2 3 0\n"));
    assert!(deletion.contains("step 1 of the proof deletes"), "{deletion}");
}
