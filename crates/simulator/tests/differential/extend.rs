//! Random programs under faults that the published model does not have.

use linchpin_model::{Bounds, CrashModel};

use crate::case::{Case, Clause};
use crate::generate::{FAULT_SETS_MAX, generate};
use crate::random::Random;

/// A random case with delays.
pub(crate) fn with_delays(seed: u64) -> Case {
    let mut case = generate(seed);
    allow_delays(&mut case.bounds, &mut Random::new(!seed));
    narrow(&mut case.bounds, 1);
    case
}

fn allow_delays(bounds: &mut Bounds, random: &mut Random) {
    bounds.max_delay = 1 + random.below(3) as u32;
    if bounds.delay_max(1) == 0 {
        bounds.eff = bounds.eff.max(2);
        bounds.eot = bounds.eot.max(3);
    }
}

/// A random case in which nodes crash and recover; some relations are durable.
pub(crate) fn with_recoveries(seed: u64) -> Case {
    let mut case = generate(seed);
    allow_recoveries(&mut case.bounds, &mut Random::new(!seed));
    narrow(&mut case.bounds, 1);
    case
}

fn allow_recoveries(bounds: &mut Bounds, random: &mut Random) {
    bounds.crashes = bounds.crashes.max(1);
    bounds.recoveries = 1 + random.below(2) as u32;
    bounds.eot = bounds.eot.max(3);
    bounds.eff = bounds.eff.min(2);
    for name in ["node", "e0", "e1", "r0", "r1", "r2", "r3"] {
        if random.percent(if name == "node" { 85 } else { 45 }) {
            bounds.durable.push(name.to_owned());
        }
    }
    if random.percent(20) {
        bounds.crash_model = CrashModel::Stop;
    }
}

/// A random case in which a crash stops a node.
pub(crate) fn with_stops(seed: u64) -> Case {
    let mut case = generate(seed);
    case.bounds.crashes = case.bounds.crashes.max(1);
    case.bounds.crash_model = CrashModel::Stop;
    narrow(&mut case.bounds, 1);
    case
}

/// A random case with inputs that have alternatives.
pub(crate) fn with_inputs(seed: u64) -> Case {
    let mut case = generate(seed);
    let alternatives = give_alternatives(&mut case, &mut Random::new(!seed));
    narrow(&mut case.bounds, alternatives);
    case
}

/// A random case in which messages are late, nodes recover, and inputs have alternatives.
pub(crate) fn with_everything(seed: u64) -> Case {
    let mut case = generate(seed);
    let mut random = Random::new(!seed);
    case.bounds.nodes.truncate(2);
    case.bounds.crashes = 1;
    case.bounds.eff = 2;
    case.bounds.eot = case.bounds.eot.max(3);
    allow_recoveries(&mut case.bounds, &mut random);
    allow_delays(&mut case.bounds, &mut random);
    let alternatives = give_alternatives(&mut case, &mut random);
    narrow(&mut case.bounds, alternatives);
    case
}

/// Gives alternatives to one or two facts. Returns in how many ways they can be chosen.
fn give_alternatives(case: &mut Case, random: &mut Random) -> u64 {
    let given =
        |clause: &Clause| matches!(clause, Clause::Fact(fact) if !fact.starts_with("node("));
    let mut facts: Vec<usize> =
        (0..case.clauses.len()).filter(|&index| given(&case.clauses[index])).collect();
    random.shuffle(&mut facts);
    let mut alternatives = 1;
    for &index in facts.iter().take(1 + random.below(2)) {
        let Clause::Fact(fact) = &case.clauses[index] else { continue };
        let (text, count) = with_alternatives(fact, &case.bounds, random);
        alternatives *= count;
        case.clauses[index] = Clause::Fact(text);
    }
    alternatives
}

/// A fact with other times, and perhaps another last column.
fn with_alternatives(fact: &str, bounds: &Bounds, random: &mut Random) -> (String, u64) {
    let (row, time) = fact.rsplit_once('@').expect("a fact has a time");
    let time: u32 = time.parse().expect("a fact has one time");
    let mut times = vec![time];
    let mut others: Vec<u32> = (1..=bounds.eot + 1).filter(|other| *other != time).collect();
    random.shuffle(&mut others);
    times.extend(others.iter().take(random.below(3)));
    let mut row = row.to_owned();
    let mut count = times.len() as u64;
    if times.len() == 1 || random.percent(30) {
        let last = row.trim_end_matches(')');
        let start = last.rfind([' ', '(']).map_or(0, |index| index + 1);
        let value = &last[start..];
        let other = match value.parse::<i64>() {
            Ok(integer) => integer.wrapping_sub(1).to_string(),
            Err(_) if value == "\"b\"" => "\"a\"".to_owned(),
            Err(_) => "\"b\"".to_owned(),
        };
        // Not the string with a comma and a space in it.
        if value.matches('"').count() != 1 {
            row = format!("{}{{{value}, {other}}})", &last[..start]);
            count *= 2;
        }
    }
    let times: Vec<String> = times.iter().map(u32::to_string).collect();
    (format!("{row}@{{{}}}", times.join(", ")), count)
}

/// Makes the fault space small enough, if every fault set is multiplied so many times.
fn narrow(bounds: &mut Bounds, times: u64) {
    while bounds.fault_space() * times > FAULT_SETS_MAX.into() {
        if bounds.max_delay > 1 {
            bounds.max_delay -= 1;
        } else if bounds.crashes > 1 {
            bounds.crashes -= 1;
        } else if bounds.nodes.len() > 2 {
            bounds.nodes.pop();
        } else if bounds.eff == 0 {
            bounds.eot -= 1;
        } else {
            bounds.eff -= 1;
        }
    }
}
