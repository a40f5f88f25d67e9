//! From files and flags to a program and its bounds.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::front_matter::{self, Expectation, Scenario};
use linchpin_dedalus::hir::{Program, RelationKind};
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::source::SourceMap;
use linchpin_dedalus::{Compilation, CompileOptions, compile_files};
use linchpin_model::{Bounds, CrashModel, Fault, Invariant, Prior, Verdict};
use linchpin_simulator::{Specification, SpecificationError};

use crate::args::{BoundsArguments, Color};
use crate::output::{errln, to_stderr};

/// A program that compiled.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) program: Program,
    pub(crate) sources: SourceMap,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) style: Style,
}

/// A specification file found in a folder.
#[derive(Debug)]
pub(crate) enum Found {
    /// It has front matter and compiles.
    Input(Input),
    /// It has no front matter: part of other programs.
    Part,
    /// It has errors, which were shown.
    Unusable,
}

/// Colour on standard error?
pub(crate) fn style(color: Color, is_terminal: bool) -> Style {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => Style::Colour,
        Color::Auto if is_terminal && !no_color => Style::Colour,
        Color::Auto | Color::Never => Style::Plain,
    }
}

impl Input {
    /// Compiles the files and shows what the compiler says. `None` if there are errors.
    pub(crate) fn read(files: &[PathBuf], include_dirs: &[PathBuf], color: Color) -> Option<Self> {
        let compilation = Self::compile(files, include_dirs);
        Self::from_compilation(files, compilation, color)
    }

    /// As [`Input::read`], for a file found in a folder: one without front matter is there to be
    /// included, and nothing is said of it.
    pub(crate) fn read_found(file: PathBuf, include_dirs: &[PathBuf], color: Color) -> Found {
        let files = [file];
        let compilation = Self::compile(&files, include_dirs);
        if compilation.front_matter.scenarios.is_empty() {
            return Found::Part;
        }
        Self::from_compilation(&files, compilation, color).map_or(Found::Unusable, Found::Input)
    }

    fn compile(files: &[PathBuf], include_dirs: &[PathBuf]) -> Compilation {
        compile_files(files, include_dirs, &FileSystem, &CompileOptions::default())
    }

    fn from_compilation(files: &[PathBuf], compilation: Compilation, color: Color) -> Option<Self> {
        let style = style(color, std::io::stderr().is_terminal());
        let text = render_all(&compilation.diagnostics, &compilation.sources, style);
        to_stderr(format_args!("{text}"));
        Some(Self {
            files: files.to_vec(),
            program: compilation.program?,
            sources: compilation.sources,
            scenarios: compilation.front_matter.scenarios,
            style,
        })
    }

    pub(crate) fn show(&self, diagnostics: &[Diagnostic]) {
        let text = render_all(diagnostics, &self.sources, self.style);
        to_stderr(format_args!("{text}"));
    }

    /// The name of the program in messages.
    pub(crate) fn name(&self) -> String {
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(" ")
    }
}

/// What to check, once flags and front matter are put together. What is still unknown is `None`.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The scenario's name, if it has one.
    pub(crate) scenario: Option<String>,
    pub(crate) eot: Option<u32>,
    pub(crate) eff: Option<u32>,
    pub(crate) crashes: u32,
    pub(crate) max_delay: u32,
    pub(crate) recoveries: u32,
    pub(crate) durable: Vec<String>,
    pub(crate) crash_model: CrashModel,
    /// The inputs with alternatives.
    pub(crate) inputs: Vec<Vec<Fault>>,
    pub(crate) nodes: Vec<String>,
    pub(crate) invariant: Invariant,
    pub(crate) expect: Option<Verdict>,
    pub(crate) reason: Option<String>,
    pub(crate) allow_vacuous: bool,
    /// What the file says of the likelihood of faults.
    pub(crate) priors: Vec<Prior>,
}

impl Question {
    /// The questions a file and the flags ask: one, or one per scenario.
    pub(crate) fn all(input: &Input, flags: &BoundsArguments) -> anyhow::Result<Vec<Self>> {
        let scenarios = &input.scenarios;
        if let Some(name) = &flags.scenario {
            let found = scenarios.iter().find(|scenario| scenario.name.as_ref() == Some(name));
            let scenario = found.ok_or_else(|| {
                let known: Vec<&str> =
                    scenarios.iter().filter_map(|scenario| scenario.name.as_deref()).collect();
                if known.is_empty() {
                    anyhow!(
                        "{} has no scenario `{name}`: its front matter names none",
                        input.name()
                    )
                } else {
                    let known = known.join(", ");
                    anyhow!("{} has no scenario `{name}`; it has: {known}", input.name())
                }
            })?;
            return Ok(vec![Self::one(input, flags, scenario)?]);
        }
        if flags.any_given() || scenarios.len() < 2 {
            let base = scenarios.first().cloned().unwrap_or_default();
            let mut question = Self::one(input, flags, &base)?;
            if flags.any_given() {
                if scenarios.len() > 1
                    && let Some(name) = &base.name
                {
                    errln!("note: what no flag gives is that of scenario `{name}`");
                }
                // What the file expects, it expects within its own bounds.
                (question.scenario, question.expect, question.reason) = (None, None, None);
            }
            return Ok(vec![question]);
        }
        scenarios.iter().map(|scenario| Self::one(input, flags, scenario)).collect()
    }

    fn one(input: &Input, flags: &BoundsArguments, scenario: &Scenario) -> anyhow::Result<Self> {
        let nodes = flags.nodes.clone().or_else(|| scenario.nodes.clone());
        let durable = flags.durable.clone().or_else(|| scenario.durable.clone());
        let durable = durable.unwrap_or_default();
        for name in &durable {
            let relation = input.program.relation_named(name);
            let kind = relation.map(|relation| input.program.relation(relation).kind);
            if kind != Some(RelationKind::User) {
                let relations = input.program.relations.iter();
                let known: Vec<&str> = relations
                    .filter(|relation| relation.kind == RelationKind::User)
                    .map(|relation| relation.name.as_str())
                    .collect();
                bail!(
                    "`{name}` cannot be durable: the program has no such relation; there are: {}",
                    known.join(", ")
                );
            }
        }
        Ok(Self {
            scenario: scenario.name.clone(),
            eot: flags.eot.or(scenario.eot),
            eff: flags.eff.or(scenario.eff),
            crashes: flags.crashes.or(scenario.crashes).unwrap_or(0),
            max_delay: flags.max_delay.or(scenario.max_delay).unwrap_or(0),
            recoveries: flags.recoveries.or(scenario.recoveries).unwrap_or(0),
            durable,
            crash_model: match (flags.crash_model, scenario.crash_model) {
                (Some(model), _) => model.into(),
                (None, Some(front_matter::CrashModel::Stop)) => CrashModel::Stop,
                (None, Some(front_matter::CrashModel::Silent) | None) => CrashModel::Silent,
            },
            inputs: linchpin_simulator::inputs(&input.program),
            nodes: nodes.unwrap_or_else(|| linchpin_dedalus::infer_nodes(&input.program)),
            invariant: flags.invariant.map(Invariant::from).unwrap_or_else(|| {
                match scenario.invariant {
                    Some(front_matter::Invariant::Baseline) => Invariant::Baseline,
                    Some(front_matter::Invariant::Good) => Invariant::Good,
                    Some(front_matter::Invariant::Implication) | None => Invariant::Implication,
                }
            }),
            expect: scenario.expect.map(|expectation| match expectation {
                Expectation::Holds => Verdict::Holds,
                Expectation::Broken => Verdict::Broken,
            }),
            reason: scenario.reason.clone(),
            allow_vacuous: scenario.allow_vacuous.unwrap_or(false),
            priors: scenario.priors.clone().unwrap_or_default(),
        })
    }

    /// Bounds of a given length.
    pub(crate) fn bounds(&self, eot: u32, eff: u32) -> anyhow::Result<Bounds> {
        let bounds = Bounds {
            eot,
            eff,
            crashes: self.crashes,
            nodes: self.nodes.clone(),
            max_delay: self.max_delay,
            recoveries: self.recoveries,
            durable: self.durable.clone(),
            crash_model: self.crash_model,
            inputs: self.inputs.clone(),
        };
        if let Err(errors) = bounds.check() {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            bail!("{}", errors.join("\nerror: "));
        }
        Ok(bounds)
    }
}

/// Makes a program ready to run; a missing invariant is shown as a diagnostic.
pub(crate) fn specification(
    input: &Input,
    bounds: &Bounds,
    invariant: Invariant,
) -> Result<Specification, crate::exit::Exit> {
    if invariant != Invariant::Good
        && let Some(diagnostic) = Diagnostic::invariant_arity(&input.program)
    {
        input.show(&[diagnostic]);
        return Err(crate::exit::Exit::Usage);
    }
    let result = Specification::new(&input.program, bounds, invariant);
    result.map_err(|error| {
        let SpecificationError::MissingRelation { .. } = error else {
            errln!("error: {error}");
            return crate::exit::Exit::Usage;
        };
        let wanted: &[&str] =
            if invariant == Invariant::Good { &["good"] } else { &["pre", "post"] };
        let missing: Vec<&str> = wanted
            .iter()
            .filter(|name| input.program.relation_named(name).is_none())
            .copied()
            .collect();
        let has_good = input.program.relation_named("good").is_some();
        input.show(&[Diagnostic::invariant_missing(&missing, has_good)]);
        crate::exit::Exit::Usage
    })
}
