//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use linchpin_model::{CrashModel, Invariant, Prior};

use crate::certificate_command::VerifyArguments;
use crate::cluster_run::ClusterRunArguments;
use crate::doctor_command::DoctorArguments;
use crate::given::Given;
use crate::history_command::HistoryArguments;
use crate::replay_command::ReplayArguments;
use crate::test_command::TestArguments;
use crate::trace_command::TraceArguments;

/// Finds the few faults that break a distributed system, or shows that none within your bounds can.
#[derive(Debug, Parser)]
#[command(name = "linchpin", version, max_term_width = 100, subcommand_required = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Colour: auto (not with NO_COLOR), always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub(crate) color: Color,

    /// Draw diagrams with ASCII characters only
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(CheckArguments),
    Run(RunArguments),
    Replay(ReplayArguments),
    VerifyCertificate(VerifyArguments),
    Report(ReportArguments),
    History(HistoryArguments),
    Test(TestArguments),
    Trace(TraceArguments),
    Doctor(DoctorArguments),
    /// Print completions for a shell: `linchpin completions bash > FILE`
    #[command(after_help = "\
Example:
  linchpin completions zsh > ~/.zfunc/_linchpin")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    #[command(after_help = "\
Example:
  linchpin man ~/.local/share/man/man1")]
    Man {
        /// Where to write them
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// Which program, and where its includes are.
#[derive(Debug, Args)]
pub(crate) struct Program {
    /// Specification files; several are one program
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Where to look for included files, after the folders of the files themselves
    #[arg(short = 'I', value_name = "DIR")]
    pub(crate) include_dirs: Vec<PathBuf>,
}

/// Bounds on faults; what is not given here stands in the specification's front matter.
#[derive(Debug, Default, Args)]
pub(crate) struct BoundsArguments {
    /// Last time step of a run (EOT, the end of time)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) eot: Option<u32>,

    /// No message sent at or after this time is lost (EFF, the end of finite failures)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) eff: Option<u32>,

    /// At most this many nodes crash
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) crashes: Option<u32>,

    /// What is sent before EFF may arrive up to this many steps late [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_delay: Option<u32>,

    /// At most this many of the nodes that crash recover [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) recoveries: Option<u32>,

    /// Relations that survive a crash and recovery, separated by commas [default: none]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) durable: Option<Vec<String>>,

    /// What a node still does that has crashed and does not recover [default: silent]
    #[arg(long, value_name = "MODEL")]
    pub(crate) crash_model: Option<CrashModelArgument>,

    /// The nodes, separated by commas [default: inferred from the facts]
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) nodes: Option<Vec<String>>,

    /// How a run is judged [default: implication]
    #[arg(long, value_name = "MODE")]
    pub(crate) invariant: Option<InvariantArgument>,

    /// Which scenario of the front matter to take [default: the first, or each]
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: Option<String>,
}

impl BoundsArguments {
    pub(crate) fn any_given(&self) -> bool {
        self.eot.is_some()
            || self.eff.is_some()
            || self.crashes.is_some()
            || self.max_delay.is_some()
            || self.recoveries.is_some()
            || self.durable.is_some()
            || self.crash_model.is_some()
            || self.nodes.is_some()
            || self.invariant.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrashModelArgument {
    /// It goes on by itself, but sends nothing to others
    Silent,
    /// Nothing: its state stands still
    Stop,
}

impl From<CrashModelArgument> for CrashModel {
    fn from(argument: CrashModelArgument) -> Self {
        match argument {
            CrashModelArgument::Silent => Self::Silent,
            CrashModelArgument::Stop => Self::Stop,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InvariantArgument {
    /// Every row of `pre` at the end has an equal row in `post`
    Implication,
    /// Every row of `post` of the failure-free run is there whenever it is in `pre`
    Baseline,
    /// Every row of `good` of the failure-free run is there
    Good,
}

impl From<InvariantArgument> for Invariant {
    fn from(argument: InvariantArgument) -> Self {
        match argument {
            InvariantArgument::Implication => Self::Implication,
            InvariantArgument::Baseline => Self::Baseline,
            InvariantArgument::Good => Self::Good,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StrategyArgument {
    /// Symbolic, or lineage where the program is too large for it (complete)
    Auto,
    /// The faults that take away every reason seen so far (complete)
    Lineage,
    /// Fault sets drawn uniformly (a baseline; never proves anything)
    Random,
    /// Every fault set, smallest first (complete; for small bounds)
    Exhaustive,
    /// One formula for all runs at once (complete)
    Symbolic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON object (docs/formats/check.md)
    Json,
    /// JUnit XML: a test case per question
    Junit,
    /// SARIF 2.1.0: counterexamples placed in the specification
    Sarif,
}

/// Check a specification: find faults that break it, or prove that none can
///
/// A folder is checked file by file, each within the bounds of its own front matter; the exit code
/// is 0 if each verdict is as expected there. Without bounds, they are widened step by step.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 holds, 1 broken, 2 bad input, 3 unknown or vacuous, 130 interrupted

Examples:
  linchpin check specs/broadcast/simple.ded --eot 4 --eff 2 --crashes 0 --nodes a,b,c
  linchpin check specs --out records
  linchpin check --resume records")]
#[command(mut_arg("files", |files| files.required(false)))]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) program: Program,

    #[command(flatten)]
    pub(crate) bounds: BoundsArguments,

    /// Do not mind that the failure-free run asks nothing of the system
    #[arg(long)]
    pub(crate) allow_vacuous: bool,

    /// How runs are chosen
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub(crate) strategy: StrategyArgument,

    /// Find every minimal counterexample
    #[arg(long)]
    pub(crate) all: bool,

    /// Check each file (or each file below a folder) as a program of its own
    #[arg(long)]
    pub(crate) each: bool,

    /// Stop after this many runs
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_runs: Option<u64>,

    /// Stop after this time, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Seed of the random strategy
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 0)]
    pub(crate) seed: u64,

    /// How likely a fault is, such as omit=0.01, crash:c=0.1 or omit:a->b=0.2; may be repeated.
    /// Among counterexamples of one size the likeliest is reported first
    #[arg(long = "prior", value_name = "PRIOR")]
    pub(crate) priors: Vec<Prior>,

    /// Try only one of several fault sets that differ in interchangeable nodes
    #[arg(long)]
    pub(crate) symmetry: bool,

    /// Cores to run hypotheses on (exhaustive and random) [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,

    /// Write a certificate of the verdict `holds` to this file (see `linchpin verify-certificate`)
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,

    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,

    /// Record the search in this folder, with a report to open in a browser
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Go on with the search recorded in this folder, without repeating a finished run
    ///
    /// The recorded arguments hold; --max-runs and --timeout may be given anew.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub(crate) resume: Option<PathBuf>,

    /// No progress on standard error
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// What of all this was given.
    #[arg(skip)]
    pub(crate) given: Given,
}

/// Show a recorded search: rewrite its HTML report, or print it in another format
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  linchpin report out
  linchpin report out --run 57
  linchpin report out --format svg --lineage > lineage.svg")]
pub(crate) struct ReportArguments {
    /// The folder that `linchpin check --out` or `linchpin trace --out` wrote
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// What to write: the HTML report into the folder, anything else to standard output
    #[arg(long, value_name = "FORMAT", default_value = "html")]
    pub(crate) format: ReportFormat,

    /// Which run [default: that of the first counterexample, or 0]; the HTML report shows it first
    /// and in full
    #[arg(long, value_name = "N")]
    pub(crate) run: Option<u64>,

    /// Draw the lineage of the outcome instead of the space-time diagram (dot, svg)
    #[arg(long)]
    pub(crate) lineage: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// `report/index.html` in the folder
    Html,
    /// A run for people
    Human,
    /// JUnit XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
    /// A diagram for Graphviz
    Dot,
    /// A diagram as a picture
    Svg,
    /// The events of a run for ShiViz
    Shiviz,
    /// A traced run for Perfetto and Chrome (Trace Event Format)
    Perfetto,
    /// A traced run as OpenTelemetry spans (OTLP in JSON)
    Otlp,
    /// Traced runs: what a run does first that the commonest one does not
    Compare,
}

/// Run a specification or a cluster once, under faults of your choice
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 good, 1 bad, 2 bad input, 3 vacuous or inconclusive, 130 interrupted

Examples:
  linchpin run specs/broadcast/simple.ded --fault 'omit a->b @1' --fault 'crash c @3'
  linchpin run cluster.toml --fault 'crash a after send a->b REPL #2'")]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) program: Program,

    #[command(flatten)]
    pub(crate) bounds: BoundsArguments,

    /// A fault; may be repeated. Of a specification: 'omit FROM->TO @TIME', 'delay FROM->TO @TIME by
    /// STEPS', 'crash NODE @TIME', 'recover NODE @TIME' or another alternative of an input,
    /// 'input RELATION(VALUE, ...) @TIME'. Of a cluster: docs/formats/faults.md
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,

    #[command(flatten)]
    pub(crate) cluster: ClusterRunArguments,

    /// Print this relation at every time step; may be repeated
    #[arg(long = "table", value_name = "RELATION")]
    pub(crate) tables: Vec<String>,

    /// Print every relation at every time step
    #[arg(long)]
    pub(crate) tables_all: bool,
}
