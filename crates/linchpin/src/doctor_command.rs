//! `linchpin doctor`: what works on this machine.

use clap::{Args, ValueEnum};
use linchpin_tracer::doctor::{self, Check, Health};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::outln;

/// Try what tracing and fault injection need here, and name the remedy for what fails
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 processes can be traced, 1 they cannot

Example:
  linchpin doctor")]
pub(crate) struct DoctorArguments {
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DoctorFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DoctorFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

#[derive(Serialize)]
struct DoctorJson<'a> {
    schema: &'static str,
    traces: bool,
    checks: &'a [Check],
}

pub(crate) fn command(arguments: &DoctorArguments) -> anyhow::Result<Exit> {
    let checks = doctor::examine();
    let traces = checks.iter().all(|check| check.health != Health::Missing);
    if arguments.format == DoctorFormat::Json {
        let json = DoctorJson { schema: "linchpin.doctor/1", traces, checks: &checks };
        outln!("{}", serde_json::to_string(&json)?);
    } else {
        print(&checks, traces);
    }
    Ok(if traces { Exit::Holds } else { Exit::Broken })
}

fn print(checks: &[Check], traces: bool) {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in checks {
        let mark = match check.health {
            Health::Works => "ok     ",
            Health::Limited => "limited",
            Health::Missing => "missing",
        };
        outln!("{mark}  {:width$}  {}", check.name, check.found);
        if let Some(remedy) = &check.remedy {
            outln!("         {:width$}  needed for {}", "", check.needed_for);
            outln!("         {:width$}  remedy: {remedy}", "");
        }
    }
    let limited = checks.iter().any(|check| check.health == Health::Limited);
    outln!(
        "{}",
        match (traces, limited) {
            (true, false) => "Everything works here.",
            (true, true) => "Processes can be traced here; what is limited is said above.",
            (false, _) => "Processes cannot be traced here until what is missing is mended.",
        }
    );
}
