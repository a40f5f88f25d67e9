//! `linchpin run`: one run, shown.

use anyhow::{anyhow, bail};
use linchpin_dedalus::hir::{RelationId, Value};
use linchpin_model::{Fault, FaultSet, Outcome};
use linchpin_report::{Story, terminal as report_terminal};
use linchpin_simulator::Execution;

use crate::args::RunArguments;
use crate::check::run_error;
use crate::exit::Exit;
use crate::input::{Input, Question, specification};
use crate::output::outln;
use crate::recording;
use crate::terminal::{Look, diagram};

pub(crate) fn command(arguments: &RunArguments, look: Look) -> anyhow::Result<Exit> {
    let program = &arguments.program;
    let Some(input) = Input::read(&program.files, &program.include_dirs, look.color) else {
        return Ok(Exit::Usage);
    };
    let mut questions = Question::all(&input, &arguments.bounds)?;
    let question = questions.swap_remove(0);
    let eot = question.eot.ok_or_else(|| {
        anyhow!("how long is the run? give --eot N (its front matter has no `eot`)")
    })?;
    let bounds = question.bounds(eot, question.eff.unwrap_or(0).min(eot))?;
    let mut faults = FaultSet::none();
    if let Some(flag) = arguments.cluster.given() {
        bail!("{flag} is for clusters: this is a specification");
    }
    for text in &arguments.faults {
        let fault: Fault = text.parse()?;
        if !faults.insert(fault.clone()) {
            bail!("the fault `{fault}` is given twice");
        }
    }
    bounds.check_faults(&faults)?;
    input.show(&linchpin_dedalus::lint_nodes(&input.program, &bounds.nodes));
    let mut shown = Vec::new();
    for name in &arguments.tables {
        let relation = input.program.relation_named(name).ok_or_else(|| {
            let known: Vec<&str> =
                input.program.relations.iter().map(|relation| relation.name.as_str()).collect();
            anyhow!("--table: there is no relation `{name}`; there are: {}", known.join(", "))
        })?;
        shown.push(relation);
    }
    let mut system = match specification(&input, &bounds, question.invariant) {
        Ok(system) => system,
        Err(exit) => return Ok(exit),
    };
    let execution = match system.execute(&faults) {
        Ok(execution) => execution,
        Err(error) => {
            input.show(&[run_error(&error, &faults, &system)]);
            return Ok(Exit::Usage);
        }
    };
    let failure_free = if execution.outcome == Outcome::Bad && !faults.is_empty() {
        system.execute(&FaultSet::none()).ok()
    } else {
        None
    };
    if arguments.tables_all {
        shown = (0..system.program().relations.len() as u32).map(RelationId).collect();
    }
    let name = |relation: RelationId| system.program().relation(relation).name.as_str();
    let header =
        recording::header(&input, &question, &bounds, &program.include_dirs, &system, true);
    let record = linchpin_recorder::run(1, &execution);
    let style = look.style();
    outln!("{}", diagram(&header, &record, style));
    print_run(&execution, eot, &name, &shown);
    let (before, after) = system.outcome_relations();
    outln!("outcome: {}", execution.outcome);
    for relation in before.into_iter().chain([after]) {
        let rows: Vec<String> =
            execution.rows(relation, eot).map(|row| tuple(name(relation), row)).collect();
        let rows = if rows.is_empty() { "nothing".to_owned() } else { rows.join(", ") };
        outln!("  {} at the end: {rows}", name(relation));
    }
    if execution.outcome == Outcome::Bad {
        let failure_free = match &failure_free {
            Some(execution) => vec![linchpin_recorder::run(0, execution)],
            None => Vec::new(),
        };
        let runs = failure_free.into_iter().chain([record.clone()]).collect();
        let campaign = recording::of_runs(header, runs);
        let told = Story { replay: String::new(), ..Story::of(&campaign, &record) };
        let words = report_terminal::tell(&campaign.header, &told, style);
        outln!("\n{}", words.trim_end());
    }
    Ok(match execution.outcome {
        Outcome::Good => Exit::Holds,
        Outcome::Bad => Exit::Broken,
        Outcome::Vacuous | Outcome::Inconclusive => Exit::Unknown,
    })
}

fn tuple(name: &str, row: &[Value]) -> String {
    let values: Vec<String> = row.iter().map(ToString::to_string).collect();
    format!("{name}({})", values.join(", "))
}

fn print_run<'a>(
    execution: &Execution,
    eot: u32,
    name: &dyn Fn(RelationId) -> &'a str,
    shown: &[RelationId],
) {
    for time in 1..=eot {
        outln!("time {time}");
        for fault in execution.faults.iter().filter(|fault| fault.at() == time) {
            outln!("  fault: {fault}");
        }
        for message in execution.messages.iter().filter(|message| message.at == time) {
            let from = message.from.as_deref().unwrap_or("*");
            let fate = match (&message.lost_to, message.arrives) {
                (Some(fault), _) => format!("  LOST ({fault})"),
                (None, Some(arrives)) if arrives > eot => "  LATE (after the end)".to_owned(),
                (None, Some(arrives)) if arrives > time + 1 => {
                    format!("  LATE (arrives at time {arrives})")
                }
                (None, _) => String::new(),
            };
            outln!(
                "  {from} -> {}: {}{fate}",
                message.to,
                tuple(name(message.relation), &message.row)
            );
        }
        for &relation in shown {
            for row in execution.rows(relation, time) {
                outln!("  {}", tuple(name(relation), row));
            }
        }
    }
}
