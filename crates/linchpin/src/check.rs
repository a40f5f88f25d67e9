//! `linchpin check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;
use linchpin_dedalus::codes::Code;
use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::source::SourceMap;
use linchpin_model::{Bounds, FaultSet, Prior, Verdict};
use linchpin_record::{Campaign, CollectionKind, Header};
use linchpin_report::export::{junit, sarif};
use linchpin_search::{
    Options, Report, Resumed, SearchError, StopReason, Strategy, System, search,
};
use linchpin_simulator::{NotGroundedReason, RunError, RunErrorKind, Specification, SystemError};

use crate::args::{CheckArguments, Format, StrategyArgument};
use crate::certificate_command::certify_answer;
use crate::collecting::{Collecting, Place};
use crate::control::{Interrupt, Limits};
use crate::exit::Exit;
use crate::human;
use crate::input::{Input, Question, specification};
use crate::json::{
    CheckJson, CounterexampleJson, FaultSpaceJson, SCHEMA, stop_name, strategy_name,
};
use crate::output::{outln, to_stdout};
use crate::progress::{Plan, Progress};
use crate::recording::{self, Watch};
use crate::terminal::Look;
use crate::{directory, resume, sweep};

/// Without a limit of its own, a random search gives up after this many runs.
const RANDOM_RUNS_MAX: u64 = 10_000;

/// The answer to one question.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) question: Question,
    pub(crate) bounds: Bounds,
    pub(crate) report: Report,
    /// The counterexamples of the report.
    pub(crate) counterexamples: Vec<FaultSet>,
    pub(crate) vacuous: bool,
    pub(crate) elapsed: Duration,
    /// Why the program could not be grounded, if it could not: then each run taught only about runs
    /// in which the same messages arrive.
    pub(crate) not_grounded: Option<NotDecidedAtOnce>,
    /// What was searched and every run, with the runs worth showing in detail.
    pub(crate) campaign: Campaign,
    /// Where it is recorded, if it is.
    pub(crate) folder: Option<PathBuf>,
}

/// Why a program could not be grounded.
#[derive(Debug)]
pub(crate) struct NotDecidedAtOnce {
    /// What went beyond a limit, at which time and in which rule.
    pub(crate) reason: String,
    /// Which bound or rewrite helps.
    pub(crate) hint: &'static str,
    /// True if only time was short.
    pub(crate) given_up: bool,
}

impl Answer {
    pub(crate) fn exit(&self, allow_vacuous: bool) -> Exit {
        let allowed = allow_vacuous || self.question.allow_vacuous;
        match self.report.verdict {
            Verdict::Broken => Exit::Broken,
            _ if self.report.stopped == Some(StopReason::Interrupted) => Exit::Interrupted,
            Verdict::Holds if self.vacuous && !allowed => Exit::Unknown,
            Verdict::Holds => Exit::Holds,
            Verdict::Unknown => Exit::Unknown,
        }
    }

    /// Is this what the front matter expects? `None` if it expects nothing.
    pub(crate) fn as_expected(&self, allow_vacuous: bool) -> Option<bool> {
        let expect = self.question.expect?;
        let excused = allow_vacuous || self.question.allow_vacuous || expect == Verdict::Broken;
        Some(self.report.verdict == expect && (!self.vacuous || excused))
    }
}

pub(crate) fn strategy(argument: StrategyArgument) -> Strategy {
    match argument {
        StrategyArgument::Auto => Strategy::Auto,
        StrategyArgument::Lineage => Strategy::Lineage,
        StrategyArgument::Random => Strategy::Random,
        StrategyArgument::Exhaustive => Strategy::Exhaustive,
        StrategyArgument::Symbolic => Strategy::Symbolic,
    }
}

pub(crate) fn options(arguments: &CheckArguments) -> Options {
    let strategy = strategy(arguments.strategy);
    let default_max = (strategy == Strategy::Random).then_some(RANDOM_RUNS_MAX);
    Options {
        strategy,
        all: arguments.all,
        runs_max: arguments.max_runs.or(default_max),
        seed: arguments.seed,
        threads: threads(arguments, strategy),
    }
}

/// How many runs are made at a time. Only strategies whose runs do not depend on each other make
/// several; what the machine has is not looked up for the others.
fn threads(arguments: &CheckArguments, strategy: Strategy) -> usize {
    match (arguments.threads, strategy) {
        (Some(threads), _) => usize::from(threads),
        (None, Strategy::Exhaustive | Strategy::Random) => {
            std::thread::available_parallelism().map_or(1, usize::from)
        }
        (None, _) => 1,
    }
}

pub(crate) fn command(arguments: &CheckArguments, look: Look) -> anyhow::Result<Exit> {
    let interrupt = Interrupt::install()?;
    if arguments.program.files.is_empty() && arguments.resume.is_none() {
        bail!("what is to be checked? name a specification, or go on with a record: --resume DIR");
    }
    match &arguments.resume {
        Some(directory) => question(&resume::arguments(arguments, directory)?, look, &interrupt),
        None => question(arguments, look, &interrupt),
    }
}

/// One question or several, as the arguments ask.
fn question(arguments: &CheckArguments, look: Look, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    let color = look.color;
    if arguments.each || arguments.program.files.iter().any(|file| file.is_dir()) {
        one_certificate(arguments)?;
        return directory::command(arguments, color, interrupt);
    }
    let program = &arguments.program;
    let Some(input) = Input::read(&program.files, &program.include_dirs, color) else {
        return Ok(Exit::Usage);
    };
    let questions = Question::all(&input, &arguments.bounds)?;
    if let [question] = &questions[..] {
        let answer = match answer_alone(&input, question, arguments, interrupt)? {
            Ok(answer) => answer,
            Err(exit) => return Ok(exit),
        };
        print(&input, &answer, arguments, look);
        if let Some(path) = &arguments.certificate
            && let Some(exit) = certify_answer(&input, &answer, path, interrupt)?
        {
            return Ok(exit);
        }
        return Ok(answer.exit(arguments.allow_vacuous));
    }
    one_certificate(arguments)?;
    directory::check_scenarios(&[input], arguments, interrupt)
}

/// A certificate is about one question.
fn one_certificate(arguments: &CheckArguments) -> anyhow::Result<()> {
    if arguments.certificate.is_some() {
        bail!("--certificate is about one program and one scenario: choose with --scenario");
    }
    Ok(())
}

/// Answers the only question. A sweep is recorded as a collection.
fn answer_alone(
    input: &Input,
    question: &Question,
    arguments: &CheckArguments,
    interrupt: &Interrupt,
) -> anyhow::Result<Result<Answer, Exit>> {
    let mut collecting = match question.eot {
        Some(_) => None,
        None => Collecting::open(arguments, CollectionKind::Sweep)?,
    };
    let mut place = match (&mut collecting, &arguments.out) {
        (Some(collecting), _) => Place::Among(collecting),
        (None, Some(directory)) => Place::Alone(directory),
        (None, None) => Place::Nowhere,
    };
    let answer = answer(input, question, arguments, interrupt, &mut place)?;
    if let (Some(collecting), Ok(answer)) = (&mut collecting, &answer) {
        if answer.exit(true) == Exit::Interrupted {
            collecting.write_index()?;
        } else {
            collecting.complete(answer.folder.as_deref())?;
        }
    }
    Ok(answer)
}

/// Answers one question. The inner error is an exit whose message was shown.
pub(crate) fn answer(
    input: &Input,
    question: &Question,
    arguments: &CheckArguments,
    interrupt: &Interrupt,
    place: &mut Place<'_>,
) -> anyhow::Result<Result<Answer, Exit>> {
    let started = Instant::now();
    let bounds = match question.eot {
        Some(eot) => Some(question.bounds(eot, question.eff.unwrap_or(0))?),
        None => None,
    };
    input.show(&linchpin_dedalus::lint_nodes(&input.program, &question.nodes));
    let Some(bounds) = bounds else {
        return sweep::answer(input, question, arguments, interrupt, place);
    };
    let mut limits = Limits::new(interrupt, arguments.timeout);
    let out = place.folder(input, question, &bounds, false)?;
    let answer = within(input, question, &bounds, arguments, &mut limits, out.as_deref())?;
    Ok(answer.map(|mut answer| {
        answer.elapsed = started.elapsed();
        answer
    }))
}

/// Answers a question within given bounds; records the search in the folder `out` as it goes on.
pub(crate) fn within(
    input: &Input,
    question: &Question,
    bounds: &Bounds,
    arguments: &CheckArguments,
    limits: &mut Limits,
    out: Option<&Path>,
) -> anyhow::Result<Result<Answer, Exit>> {
    let mut system = match specification(input, bounds, question.invariant) {
        Ok(system) => system,
        Err(exit) => return Ok(Err(exit)),
    };
    // What a flag says of a fault counts before what the file says.
    let priors = [&question.priors[..], &arguments.priors[..]].concat();
    if let Some((prior, node)) = unknown_node(&priors, bounds) {
        bail!("the prior `{prior}` names `{node}`, which is no node: {}", bounds.nodes.join(", "));
    }
    if !priors.is_empty() {
        system = system.with_costs(|fault| Prior::cost(&priors, fault));
    }
    if arguments.symmetry {
        system = system.with_symmetry();
    }
    let started = Instant::now();
    let options = options(arguments);
    let header = recording::search_header(input, question, bounds, arguments, &system);
    let (writer, recorded) = recording::open(arguments, out, &header)?;
    let each_is_run = options.strategy == Strategy::Exhaustive;
    let plan = Plan {
        runs_max: options.runs_max,
        fault_sets: each_is_run.then(|| bounds.fault_space().to_string().parse().ok()).flatten(),
        recorded: recorded.runs.len() as u64,
        faults: Some(system.space().fault_count()),
        bounds: Some(bounds.clone()),
    };
    let progress = Progress::new(arguments.quiet, plan, limits.deadline);
    let known = recording::known(&recorded.runs, system.space())?;
    let mut watch = Watch::new(limits, progress, system.space().clone(), writer, recorded.runs);
    let result = search(&mut Resumed::new(&mut system, known), options, &mut watch);
    let (runs, writer) = watch.finish()?;
    let report = match result {
        Ok(report) => report,
        Err(error) => return explain_failure(input, error, &system).map(Err),
    };
    let elapsed = started.elapsed();
    let counterexamples: Vec<FaultSet> = report
        .counterexamples
        .iter()
        .map(|counterexample| system.space().fault_set(counterexample))
        .collect();
    let conclusion =
        recording::conclusion(&report, &counterexamples, bounds, &runs, &system, options.strategy);
    let header = Header { conclusion: Some(conclusion), ..header };
    let mut campaign = Campaign { header, runs, kept: BTreeMap::new(), torn: None };
    if recording::is_shown(arguments) {
        recording::keep_runs(&mut campaign, &mut system, writer.is_some(), recorded.kept);
    }
    if let Some(writer) = writer {
        recording::conclude(writer, &campaign)?;
    }
    Ok(Ok(Answer {
        question: question.clone(),
        bounds: bounds.clone(),
        vacuous: system.vacuous().unwrap_or(false),
        not_grounded: not_grounded(&system, &input.sources),
        report,
        counterexamples,
        elapsed,
        campaign,
        folder: out.map(Path::to_owned),
    }))
}

/// Shows why a search has no result.
fn explain_failure(
    input: &Input,
    error: SearchError<SystemError>,
    system: &Specification,
) -> anyhow::Result<Exit> {
    match error {
        SearchError::Run { error: SystemError::Run(error), faults } => {
            input.show(&[run_error(&error, &system.space().fault_set(&faults), system)]);
            Ok(Exit::Usage)
        }
        SearchError::Run { error: error @ SystemError::Recorded { .. }, .. } => {
            bail!("{error}: the record was changed, or written by another version; start anew")
        }
        SearchError::Run { error, .. } => {
            bail!("{error}; this is a defect of linchpin: please report it with the specification")
        }
        SearchError::NoFailureFormula => {
            let Some(because) = not_grounded(system, &input.sources) else {
                bail!("the symbolic strategy needs the ground program; use --strategy lineage")
            };
            bail!(
                "the symbolic strategy needs the ground program, which is too large: {}; \
                 {}, or use --strategy lineage",
                because.reason,
                because.hint
            )
        }
        SearchError::Contradiction { faults } => bail!(
            "the lineage contradicts the run with {}; \
             this is a defect of linchpin: please report it with the specification",
            system.space().fault_set(&faults)
        ),
        other => bail!("{other:?}"),
    }
}

/// An error of a run: names rule, time and faults.
pub(crate) fn run_error(error: &RunError, faults: &FaultSet, system: &Specification) -> Diagnostic {
    let code = match error.kind {
        RunErrorKind::Overflow => Code::RunOverflow,
        RunErrorKind::DivisionByZero => Code::RunDivisionByZero,
        RunErrorKind::Endless => Code::RunEndless,
        _ => Code::RunUndecided,
    };
    let span = system.program().rules[error.rule.index()].span;
    let under = if faults.is_empty() {
        "without any fault".to_owned()
    } else {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("under {}", faults.join(", "))
    };
    Diagnostic::at(code, span, format!("{error}, {under}"), "in this rule")
}

fn print(input: &Input, answer: &Answer, arguments: &CheckArguments, look: Look) {
    match arguments.format {
        Format::Human => human::print_answer(input, answer, arguments, look),
        Format::Json => outln!("{}", to_json(input, answer, arguments)),
        Format::Junit => {
            let mut case = junit::Case::new(&answer.campaign);
            case.seconds = Some(answer.elapsed.as_secs_f64());
            to_stdout(format_args!("{}", junit::render("linchpin check", &[case])));
        }
        Format::Sarif => to_stdout(format_args!("{}", sarif::render(&[&answer.campaign]))),
    }
}

pub(crate) fn to_json(input: &Input, answer: &Answer, arguments: &CheckArguments) -> String {
    let json = CheckJson {
        schema: SCHEMA,
        files: input.files.iter().map(|file| file.display().to_string()).collect(),
        scenario: answer.question.scenario.as_deref(),
        verdict: answer.report.verdict,
        vacuous: answer.vacuous,
        expected: answer.question.expect,
        invariant: answer.question.invariant,
        bounds: &answer.bounds,
        strategy: strategy_name(strategy(arguments.strategy)),
        method: strategy_name(answer.report.method),
        not_grounded: answer.not_grounded.as_ref().map(|because| because.reason.as_str()),
        not_grounded_hint: answer.not_grounded.as_ref().map(|because| because.hint),
        seed: arguments.seed,
        runs: answer.report.runs,
        runs_until_bad: answer.report.runs_until_bad,
        fault_space: FaultSpaceJson::of(&answer.bounds),
        counterexamples: answer
            .counterexamples
            .iter()
            .map(|faults| CounterexampleJson { faults: faults.clone() })
            .collect(),
        counterexamples_complete: answer.report.complete
            && (arguments.all || answer.counterexamples.is_empty()),
        stopped: answer.report.stopped.map(stop_name),
        elapsed_ms: answer.elapsed.as_millis() as u64,
    };
    serde_json::to_string(&json).expect("the result is plain data")
}

/// Why the program could not be grounded, and where.
fn not_grounded(system: &Specification, sources: &SourceMap) -> Option<NotDecidedAtOnce> {
    let because = system.not_grounded()?;
    let rule = because.rule.and_then(|rule| system.program().rules.get(rule.index()));
    let place = rule.map(|rule| {
        let (line, _) = sources.line_column(rule.span);
        format!(", {}:{line}", sources.file(rule.span.file).path)
    });
    Some(NotDecidedAtOnce {
        reason: format!("{because}{}", place.unwrap_or_default()),
        hint: because.reason.hint(),
        given_up: because.reason == NotGroundedReason::Halted,
    })
}

/// A prior that names something else than a node.
fn unknown_node<'a>(priors: &'a [Prior], bounds: &Bounds) -> Option<(&'a Prior, &'a str)> {
    let mut named = priors.iter().flat_map(|prior| prior.nodes().map(move |node| (prior, node)));
    named.find(|(_, node)| !bounds.nodes.iter().any(|known| known == node))
}
