//! The search for linearizations against the definition itself, on small random histories; its witnesses; its cost.

mod common;

use common::{history, judge, summary};
use linchpin_history::{Action, Checker, History, Limits, Operation, Outcome, Verdict, check};
use proptest::prelude::*;
use serde_json::Value;

/// The definition: some order of the operations respects real time and the register. Operations of unknown outcome may be
/// left out.
fn by_definition(operations: &[&Operation]) -> bool {
    let counts = |operation: &&Operation| {
        operation.outcome == Outcome::Ok
            || (operation.outcome == Outcome::Info && operation.action != Action::Read)
    };
    let operations: Vec<&Operation> = operations.iter().copied().filter(counts).collect();
    try_orders(&operations, &mut vec![false; operations.len()], &Value::Null)
}

fn end(operation: &Operation) -> usize {
    match operation.outcome {
        Outcome::Ok => operation.completed.expect("ok is a completion").position,
        _ => usize::MAX,
    }
}

fn try_orders(operations: &[&Operation], used: &mut Vec<bool>, state: &Value) -> bool {
    let open = |place: &usize| !used[*place];
    let left: Vec<usize> = (0..operations.len()).filter(open).collect();
    if left.iter().all(|place| operations[*place].outcome == Outcome::Info) {
        return true;
    }
    for place in &left {
        let operation = operations[*place];
        let must_wait =
            left.iter().any(|other| end(operations[*other]) < operation.invoked.position);
        let Some(next) = after(state, operation).filter(|_| !must_wait) else { continue };
        used[*place] = true;
        let found = try_orders(operations, used, &next);
        used[*place] = false;
        if found {
            return true;
        }
    }
    false
}

fn after(state: &Value, operation: &Operation) -> Option<Value> {
    let input = operation.input.clone().unwrap_or(Value::Null);
    match operation.action {
        Action::Write => Some(input),
        Action::Cas => (input[0] == *state).then(|| input[1].clone()),
        _ => (operation.output.as_ref() == Some(state)).then(|| state.clone()),
    }
}

/// One step of a random workload: which process, what it does if idle, how it ends if busy.
#[derive(Clone, Debug)]
struct Step {
    process: usize,
    kind: u8,
    values: (u8, u8),
    ending: u8,
}

fn steps(length: usize, processes: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..processes, 0u8..8, (0u8..4, 0u8..4), 0u8..10)
        .prop_map(|(process, kind, values, ending)| Step { process, kind, values, ending });
    prop::collection::vec(step, 1..length)
}

/// A history of one register. With `legal`, reads and compare-and-sets take effect at their completions on a real register,
/// and writes at their invocations; else reads return what chance says.
fn generate(steps: &[Step], legal: bool, infos: bool) -> String {
    let mut text = String::new();
    let mut busy: Vec<Option<Step>> = vec![None; 8];
    let mut register = Value::Null;
    for step in steps {
        let process = step.process;
        let Some(begun) = busy[process].take() else {
            let (a, b) = step.values;
            let what = match step.kind {
                0..4 => "read - null".to_owned(),
                4..7 => format!("write - {a}"),
                _ => format!("cas - [{a},{b}]"),
            };
            if legal && (4..7).contains(&step.kind) {
                register = Value::from(a);
            }
            text += &format!("{process} invoke {what}\n");
            busy[process] = Some(step.clone());
            continue;
        };
        let (a, b) = begun.values;
        let unknown = infos && step.ending < 2;
        text += &match begun.kind {
            0..4 if unknown => format!("{process} info read -\n"),
            0..4 if legal => format!("{process} ok read - {register}\n"),
            0..4 => format!(
                "{process} ok read - {}\n",
                if step.values.0 == 3 { "null".to_owned() } else { step.values.0.to_string() }
            ),
            4..7 if unknown => format!("{process} info write -\n"),
            4..7 => format!("{process} ok write -\n"),
            _ if legal && register.as_u64() != Some(u64::from(a)) => {
                format!("{process} fail cas -\n")
            }
            _ => {
                register = Value::from(b);
                format!("{process} {} cas -\n", if unknown { "info" } else { "ok" })
            }
        };
    }
    text
}

fn verdict(history: &History) -> Verdict {
    check(history, Checker::LinearizableRegister, &Limits::default()).verdict
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_the_definition(steps in steps(22, 4)) {
        let history = history(&generate(&steps, false, true));
        let operations: Vec<&Operation> = history.operations.iter().collect();
        let expected = by_definition(&operations);
        let report = check(&history, Checker::LinearizableRegister, &Limits::default());
        prop_assert_eq!(report.verdict == Verdict::Bad, !expected, "{:?}", report);
        prop_assert!(report.verdict != Verdict::Unknown);
        for violation in &report.violations {
            // The witness alone has no linearization, and without any one of its reads it has one.
            let witness: Vec<&Operation> =
                violation.witness.iter().map(|index| &history.operations[*index]).collect();
            prop_assert!(!by_definition(&witness), "{:?}", violation);
        }
        // The simpler properties are necessary.
        for simpler in [Checker::UnwrittenRead, Checker::StaleRead] {
            let simpler = check(&history, simpler, &Limits::default());
            prop_assert!(!expected || simpler.verdict != Verdict::Bad, "{:?}", simpler);
        }
    }

    #[test]
    fn what_a_register_did_is_linearizable(steps in steps(60, 6)) {
        let history = history(&generate(&steps, true, true));
        let verdict = verdict(&history);
        prop_assert!(matches!(verdict, Verdict::Good | Verdict::Vacuous), "{:?}", verdict);
    }
}

/// A deterministic source of numbers, for histories too large for proptest.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn large(
    operations: usize,
    processes: u64,
    values: u64,
    write_share: u64,
    infos: bool,
    seed: u64,
) -> String {
    let mut numbers = Numbers(seed);
    let mut busy: Vec<Option<(bool, u64, bool)>> = vec![None; processes as usize];
    let mut register: Option<u64> = None;
    let mut seen: Vec<Option<u64>> = vec![None; processes as usize];
    let mut text = String::new();
    let mut begun = 0;
    let shown = |value: Option<u64>| value.map_or("null".to_owned(), |value| value.to_string());
    while begun < operations || busy.iter().any(Option::is_some) {
        let process = numbers.below(processes) as usize;
        match busy[process] {
            None if begun < operations => {
                let value = numbers.below(values);
                let write = numbers.below(100) < write_share;
                let what = if write { format!("write - {value}") } else { "read -".to_owned() };
                text += &format!("{process} invoke {what}\n");
                busy[process] = Some((write, value, false));
                begun += 1;
            }
            None => {}
            // Takes effect at some moment in between, and returns at another.
            Some((write, value, false)) => {
                if write {
                    register = Some(value);
                } else {
                    seen[process] = register;
                }
                busy[process] = Some((write, value, true));
            }
            Some((true, ..)) if infos && numbers.below(50) == 0 => {
                text += &format!("{process} info write -\n");
                busy[process] = None;
            }
            Some((write, ..)) => {
                let what = if write {
                    "write -".to_owned()
                } else {
                    format!("read - {}", shown(seen[process]))
                };
                text += &format!("{process} ok {what}\n");
                busy[process] = None;
            }
        }
    }
    text
}

#[test]
fn ten_thousand_operations_take_few_configurations() {
    // Processes, values, share of writes in percent, unknown outcomes; and a bound on the configurations visited.
    for (processes, values, writes, infos, configurations) in [
        (5, 10_000, 50, false, 100_000),
        (10, 10_000, 50, false, 400_000),
        (10, 5, 50, false, 400_000),
        (10, 10_000, 90, false, 400_000),
        (10, 10_000, 100, false, 400_000),
        (20, 10_000, 50, false, 1_500_000),
        (10, 10_000, 20, true, 1_500_000),
        (5, 2_000, 50, true, 1_500_000),
    ] {
        let history = history(&large(10_000, processes, values, writes, infos, 7));
        let limits = Limits { configurations };
        let report = check(&history, Checker::LinearizableRegister, &limits);
        let expected = if writes == 100 { Verdict::Vacuous } else { Verdict::Good };
        assert_eq!(
            report.verdict, expected,
            "{processes} {values} {writes} {infos}: {:?}",
            report.note
        );
    }
}

#[test]
fn one_wrong_read_in_ten_thousand_is_shown_by_few_operations() {
    let text = large(10_000, 8, 10_000, 40, false, 3);
    let reads: Vec<usize> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("ok read") && !line.contains("null"))
        .map(|(at, _)| at)
        .collect();
    let (early, late) = (reads[reads.len() / 4], reads[reads.len() * 3 / 4]);
    let lines: Vec<&str> = text.lines().collect();
    let old = lines[early].split_whitespace().last().expect("a value");
    let mut wrong: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let process = lines[late].split_whitespace().next().expect("a process");
    wrong[late] = format!("{process} ok read - {old}");
    let report = judge(&wrong.join("\n"), Checker::LinearizableRegister);
    assert_eq!(report.verdict, Verdict::Bad);
    assert!(report.violations[0].witness.len() <= 4, "{:?}", report.violations);
}

#[test]
fn a_hard_history_is_given_up_on_honestly() {
    // Compare-and-sets of unknown outcome between any two of eight values: every trail is a configuration.
    let mut text = String::new();
    for (process, (from, to)) in
        (0..8).flat_map(|from| (0..8).map(move |to| (from, to))).enumerate()
    {
        text += &format!("{process} invoke cas - [{from},{to}]\n{process} info cas -\n");
    }
    text += "90 invoke write - 0\n90 ok write -\n";
    text += "91 invoke read -\n91 ok read - 9\n";
    let limits = Limits { configurations: 20_000 };
    let report = check(&history(&text), Checker::LinearizableRegister, &limits);
    assert_eq!(report.verdict, Verdict::Unknown);
    assert!(report.note.expect("why").contains("20000 configurations"));
}

#[test]
fn known_histories() {
    use Verdict::{Bad, Good};
    for (name, text, verdict, witness) in [
        (
            "a read beside a write returns the old value or the new one",
            "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n1 invoke read x\n1 ok read x 1\n2 invoke read x\n2 ok read x 2\n0 ok write x",
            Good,
            vec![],
        ),
        (
            "but not the old one after somebody has seen the new one",
            "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n1 invoke read x\n1 ok read x 2\n2 invoke read x\n2 ok read x 1\n0 ok write x",
            Bad,
            vec![0, 1, 2, 3],
        ),
        (
            "an unanswered write may take effect long after",
            "0 invoke write x 1\n1 invoke read x\n1 ok read x null\n1 invoke read x\n1 ok read x 1",
            Good,
            vec![],
        ),
        (
            "but only once",
            "0 invoke write x 1\n0 info write x\n1 invoke read x\n1 ok read x 1\n1 invoke write x 2\n1 ok write x\n1 invoke read x\n1 ok read x 1",
            Bad,
            vec![0, 1, 2, 3],
        ),
        (
            "two compare-and-sets from the same value",
            "0 invoke write x 0\n0 ok write x\n0 invoke cas x [0,1]\n1 invoke cas x [0,2]\n0 ok cas x\n1 ok cas x",
            Bad,
            vec![0, 1, 2],
        ),
        (
            "keys are registers of their own",
            "0 invoke write x 1\n0 ok write x\n1 invoke read y\n1 ok read y null",
            Good,
            vec![],
        ),
        // Each read alone can be explained; the order in which the two writes must have happened cannot.
        (
            "two readers see two writes in opposite orders",
            "0 invoke write x 1\n1 invoke write x 2\n2 invoke read x\n2 ok read x 1\n2 invoke read x\n2 ok read x 2\n3 invoke read x\n3 ok read x 1\n0 ok write x\n1 ok write x",
            Bad,
            vec![0, 1, 2, 3, 4],
        ),
    ] {
        let report = judge(text, Checker::LinearizableRegister);
        assert_eq!(report.verdict, verdict, "{name}");
        let found: Vec<usize> =
            report.violations.first().map(|each| each.witness.clone()).unwrap_or_default();
        assert_eq!(found, witness, "{name}: {:?}", summary(&report));
    }
}

#[test]
fn where_the_order_gets_stuck_is_told() {
    let text = "0 invoke write x 0\n0 ok write x\n0 invoke cas x [0,1]\n1 invoke cas x [0,2]\n0 ok cas x\n1 ok cas x";
    let report = judge(text, Checker::LinearizableRegister);
    assert_eq!(
        report.violations[0].message,
        "No order of these 3 operations of \"x\", each at one moment between its invocation and its completion, gives every \
         one of them the result it had. When the cas from 0 to 2 of process 1 completed (line 6), the register could hold \
         only 1."
    );
}
