//! Recording a search while it goes on, and what is kept of its runs afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::bail;
use linchpin_formula::Variable;
use linchpin_model::{Bounds, FaultSet, Memo, Outcome};
use linchpin_record::{
    CAMPAIGN_SCHEMA, Campaign, CampaignError, Conclusion, Counterexample, Detail, Existing, Header,
    Limits, Options, Run, RunSummary, Stopped, Vocabulary, Writer,
};
use linchpin_report::html;
use linchpin_search::{Control, Event, FaultSpace, Halt, Report, StopReason, Strategy};
use linchpin_simulator::Specification;

use crate::args::{CheckArguments, Format};
use crate::check::{options, strategy};
use crate::control;
use crate::input::{Input, Question};
use crate::json::strategy_name;
use crate::progress::Progress;
use crate::resume;

/// Who writes records.
pub(crate) const TOOL: &str = concat!("linchpin ", env!("CARGO_PKG_VERSION"));

/// Counterexamples kept in full, each with the run it is compared with.
const COUNTEREXAMPLES_KEPT_MAX: usize = 25;

/// Runs kept at least as diagrams.
const RUNS_KEPT_MAX: u64 = 1000;

/// True if anyone looks at more than the answer: then texts and vocabulary are recorded, and runs.
pub(crate) fn is_shown(arguments: &CheckArguments) -> bool {
    arguments.out.is_some() || arguments.resume.is_some() || arguments.format != Format::Json
}

/// What a program is run within; a single run has no strategy and no limits. Texts and vocabulary
/// are left out unless they are `shown`.
pub(crate) fn header(
    input: &Input,
    question: &Question,
    bounds: &Bounds,
    include_dirs: &[PathBuf],
    system: &Specification,
    shown: bool,
) -> Header {
    let named = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect();
    Header {
        schema: CAMPAIGN_SCHEMA.to_owned(),
        tool: TOOL.to_owned(),
        inputs: named(&input.files),
        include_dirs: named(include_dirs),
        arguments: Vec::new(),
        files: if shown { linchpin_recorder::files(&input.sources) } else { Vec::new() },
        bounds: bounds.into(),
        invariant: question.invariant,
        strategy: String::new(),
        seed: 0,
        limits: Limits::default(),
        options: Options::default(),
        vocabulary: if shown {
            linchpin_recorder::vocabulary(system, &input.sources)
        } else {
            Vocabulary::default()
        },
        conclusion: None,
    }
}

/// What is searched, and how.
pub(crate) fn search_header(
    input: &Input,
    question: &Question,
    bounds: &Bounds,
    arguments: &CheckArguments,
    system: &Specification,
) -> Header {
    let options = options(arguments);
    Header {
        arguments: arguments.given.arguments(),
        strategy: strategy_name(strategy(arguments.strategy)).to_owned(),
        seed: options.seed,
        limits: Limits {
            runs_max: options.runs_max,
            timeout_ms: arguments.timeout.map(|timeout| timeout.as_millis() as u64),
        },
        options: Options {
            all: arguments.all,
            allow_vacuous: arguments.allow_vacuous || question.allow_vacuous,
            priors: question
                .priors
                .iter()
                .chain(&arguments.priors)
                .map(ToString::to_string)
                .collect(),
            symmetry: arguments.symmetry,
        },
        ..header(
            input,
            question,
            bounds,
            &arguments.program.include_dirs,
            system,
            is_shown(arguments),
        )
    }
}

/// Where a search is recorded: in a new campaign, or in one that goes on, with what was recorded of
/// its runs.
pub(crate) fn open(
    arguments: &CheckArguments,
    out: Option<&Path>,
    header: &Header,
) -> anyhow::Result<(Option<Writer>, Recorded)> {
    let Some(directory) = out else { return Ok((None, Recorded::default())) };
    if arguments.resume.is_some() {
        let (writer, recorded) = resume::reopen(directory, header)?;
        return Ok((Some(writer), recorded));
    }
    let writer = Writer::create(directory, header.clone(), Existing::Replace)?;
    Ok((Some(writer), Recorded::default()))
}

/// What earlier sittings recorded.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) runs: Vec<RunSummary>,
    /// The runs kept to be redrawn, by number.
    pub(crate) kept: BTreeMap<u64, Run>,
}

/// What is recorded of each run, by faults.
pub(crate) fn known(
    recorded: &[RunSummary],
    space: &FaultSpace,
) -> anyhow::Result<BTreeMap<Vec<Variable>, (Outcome, Memo)>> {
    let mut known = BTreeMap::new();
    for run in recorded {
        let faults: Option<Vec<Variable>> =
            run.faults.iter().map(|fault| space.variable(fault)).collect();
        let Some(mut faults) = faults else {
            bail!("run {} is recorded with {}, which is beyond the bounds", run.run, run.faults);
        };
        faults.sort_unstable();
        // A random search may draw a set twice.
        known.entry(faults).or_insert((run.outcome, run.memo()));
    }
    Ok(known)
}

/// Watches a search: limits, progress, and the record.
pub(crate) struct Watch<'a> {
    limits: &'a mut control::Limits,
    progress: Progress,
    space: FaultSpace,
    runs: Vec<RunSummary>,
    /// The runs of earlier sittings, which the search retraces.
    recorded: Vec<RunSummary>,
    writer: Option<Writer>,
    error: Option<anyhow::Error>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(
        limits: &'a mut control::Limits,
        progress: Progress,
        space: FaultSpace,
        writer: Option<Writer>,
        recorded: Vec<RunSummary>,
    ) -> Self {
        Self { limits, progress, space, runs: Vec::new(), recorded, writer, error: None }
    }

    /// The runs seen, and who records them.
    pub(crate) fn finish(self) -> anyhow::Result<(Vec<RunSummary>, Option<Writer>)> {
        match self.error {
            Some(error) => Err(error),
            None => Ok((self.runs, self.writer)),
        }
    }

    /// Records a run that is not recorded yet; one that is must be the same.
    fn record(&mut self, run: &RunSummary) -> anyhow::Result<()> {
        match (self.recorded.get(run.run as usize), &mut self.writer) {
            (Some(recorded), _)
                if (&recorded.faults, recorded.outcome) == (&run.faults, run.outcome) =>
            {
                Ok(())
            }
            (Some(recorded), _) => bail!(
                "the search takes another course than the one recorded: run {} was {} with {}, \
                 and is now {} with {}. The record was changed, or written by another version of \
                 linchpin; start anew with --out",
                run.run,
                recorded.outcome,
                recorded.faults,
                run.outcome,
                run.faults
            ),
            (None, Some(writer)) => Ok(writer.finish_run(run)?),
            (None, None) => Ok(()),
        }
    }
}

impl Control for Watch<'_> {
    fn halt(&self) -> Halt {
        self.limits.halt()
    }

    fn records(&self) -> bool {
        self.writer.is_some()
    }

    fn stop(&mut self) -> Option<StopReason> {
        self.progress.tick();
        if self.error.is_some() {
            return Some(StopReason::Interrupted);
        }
        self.limits.stop()
    }

    fn observe(&mut self, event: Event<'_>) {
        self.progress.observe(&event);
        if let Event::Run { number, faults, outcome, memo } = event
            && self.error.is_none()
        {
            let run = RunSummary::new(number, self.space.fault_set(faults), outcome);
            let run = memo.map_or_else(|| run.clone(), |memo| run.clone().with_memo(memo));
            self.error = self.record(&run).err();
            self.runs.push(run);
        }
        self.limits.observe(event);
    }
}

/// How the search ended.
pub(crate) fn conclusion(
    report: &Report,
    counterexamples: &[FaultSet],
    bounds: &Bounds,
    runs: &[RunSummary],
    system: &Specification,
    strategy: Strategy,
) -> Conclusion {
    let numbers: BTreeMap<&FaultSet, u64> = runs.iter().map(|run| (&run.faults, run.run)).collect();
    Conclusion {
        verdict: report.verdict,
        vacuous: system.vacuous().unwrap_or(false),
        runs: report.runs,
        fault_space: bounds.fault_space().to_string(),
        fault_space_estimate: bounds.fault_space_estimate().to_string(),
        counterexamples: counterexamples
            .iter()
            .map(|faults| Counterexample { faults: faults.clone(), run: numbers[faults] })
            .collect(),
        complete: report.complete,
        stopped: report.stopped.map(|reason| match reason {
            StopReason::Runs => Stopped::Runs,
            StopReason::Time => Stopped::Time,
            StopReason::Interrupted => Stopped::Interrupted,
        }),
        size_covered: report.size_covered.map(|size| size as u64),
        method: (report.method != strategy).then(|| strategy_name(report.method).to_owned()),
        notes: system
            .not_grounded()
            .map(|because| format!("The program could not be grounded: {because}."))
            .into_iter()
            .collect(),
    }
}

/// Runs again what is worth keeping: in full the run without faults, the counterexamples and the
/// runs they are compared with; with `diagrams`, the first of the others as diagrams. What an earlier
/// sitting kept is taken from there.
pub(crate) fn keep_runs(
    campaign: &mut Campaign,
    system: &mut Specification,
    diagrams: bool,
    mut kept: BTreeMap<u64, Run>,
) {
    let counterexamples =
        campaign.header.conclusion.as_ref().map_or(&[][..], |each| &each.counterexamples);
    let mut full = BTreeSet::from([0]);
    for counterexample in counterexamples.iter().take(COUNTEREXAMPLES_KEPT_MAX) {
        full.insert(counterexample.run);
        full.extend(campaign.nearest_good(&counterexample.faults).map(|run| run.run));
    }
    let vocabulary = &campaign.header.vocabulary;
    let outcome: Vec<u32> = vocabulary.asked.into_iter().chain(vocabulary.answered).collect();
    let others = if diagrams { RUNS_KEPT_MAX } else { 0 };
    for run in &campaign.runs {
        let in_full = full.contains(&run.run);
        if !in_full && run.run >= others {
            continue;
        }
        let before = kept.remove(&run.run).filter(|each| each.faults == run.faults);
        let record = match before.filter(|each| !in_full || each.detail == Detail::Full) {
            Some(record) => record,
            // It ran before; what cannot be run again is not kept.
            None => match system.execute(&run.faults) {
                Ok(execution) => linchpin_recorder::run(run.run, &execution),
                Err(_) => continue,
            },
        };
        campaign.kept.insert(run.run, if in_full { record } else { record.to_diagram(&outcome) });
    }
}

/// Writes what is left to write once the search has ended, the report included.
pub(crate) fn conclude(mut writer: Writer, campaign: &Campaign) -> Result<(), CampaignError> {
    writer.keep_runs(campaign.kept.values())?;
    if let Some(conclusion) = &campaign.header.conclusion {
        writer.conclude(conclusion.clone())?;
    }
    writer.write_report("index.html", html::render(campaign).as_bytes())?;
    Ok(())
}

/// Runs as a campaign of their own; the first is the one without faults.
pub(crate) fn of_runs(header: Header, runs: Vec<Run>) -> Campaign {
    let summary = |run: &Run| RunSummary::new(run.run, run.faults.clone(), run.outcome);
    Campaign {
        header,
        runs: runs.iter().map(summary).collect(),
        kept: runs.into_iter().map(|run| (run.run, run)).collect(),
        torn: None,
    }
}
