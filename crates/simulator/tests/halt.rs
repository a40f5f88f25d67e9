//! A search can be given up at any moment, and never claims more than it knows then.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_model::{Bounds, Invariant, Verdict};
use linchpin_search::{Control, Event, Halt, Options, StopReason, Strategy, search};
use linchpin_simulator::{NotGroundedReason, Specification};

/// Time is up once it was asked so often.
#[derive(Clone)]
struct Asked {
    count: Arc<AtomicU64>,
    max: u64,
}

impl Asked {
    fn reason(&self) -> Option<StopReason> {
        let asked = self.count.fetch_add(1, Ordering::SeqCst);
        (asked >= self.max).then_some(StopReason::Time)
    }
}

impl Control for Asked {
    fn stop(&mut self) -> Option<StopReason> {
        self.reason()
    }

    fn halt(&self) -> Halt {
        let this = self.clone();
        Halt::when(move || this.reason())
    }

    fn observe(&mut self, _: Event<'_>) {}
}

fn specification(file: &str, eot: u32, eff: u32) -> Specification {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs").join(file);
    let compilation = compile_files(&[path], &[], &FileSystem, &CompileOptions::default());
    let program = compilation.program.expect("the specification compiles");
    let nodes = ["a", "b", "c"].map(String::from).to_vec();
    let bounds = Bounds { eot, eff, crashes: 1, nodes, ..Bounds::default() };
    Specification::new(&program, &bounds, Invariant::Implication).expect("it has pre and post")
}

#[test]
fn a_search_given_up_at_any_moment_claims_nothing() {
    for (file, verdict) in [
        ("consensus/paxos.ded", Verdict::Holds),
        ("consensus/paxos_forgetful.ded", Verdict::Broken),
    ] {
        for strategy in [Strategy::Auto, Strategy::Lineage] {
            let (mut stopped, mut max) = (0, 0);
            loop {
                let mut asked = Asked { count: Arc::new(AtomicU64::new(0)), max };
                let options = Options { strategy, ..Options::default() };
                let mut specification = specification(file, 7, 6);
                let report = search(&mut specification, options, &mut asked).expect("no error");
                if report.complete {
                    assert_eq!((report.verdict, report.stopped), (verdict, None), "{file} {max}");
                    break;
                }
                assert_eq!(report.verdict, Verdict::Unknown, "{file} {strategy:?} {max}");
                assert_eq!(report.stopped, Some(StopReason::Time));
                stopped += 1;
                max = max * 5 / 4 + 1;
            }
            assert!(stopped > 10, "{file} {strategy:?}: asked {stopped} times only");
        }
    }
}

#[test]
fn a_program_given_up_is_grounded_when_there_is_time() {
    let options = Options { strategy: Strategy::Auto, ..Options::default() };
    let given_up = |max: u64| {
        let mut specification = specification("consensus/paxos.ded", 7, 6);
        let mut hasty = Asked { count: Arc::new(AtomicU64::new(0)), max };
        let report = search(&mut specification, options, &mut hasty).expect("no error");
        assert_eq!(report.stopped, Some(StopReason::Time));
        let because = specification.not_grounded()?;
        (because.reason == NotGroundedReason::Halted).then_some(specification)
    };
    // Not so early that it is given up within the first run.
    let mut specification = (1..).find_map(|asked| given_up(asked * 20)).expect("not reached");
    let report = search(&mut specification, options, &mut ()).expect("no error");
    assert_eq!((report.verdict, report.method), (Verdict::Holds, Strategy::Symbolic));
    assert_eq!(specification.not_grounded(), None);
}
