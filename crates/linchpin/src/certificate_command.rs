//! `linchpin check --certificate` and `linchpin verify-certificate`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use linchpin_certificate::{Certificate, CertifyError, Refusal, certify, verify};
use linchpin_dedalus::load::FileSystem;
use linchpin_model::Verdict;

use crate::args::{Color, Program};
use crate::check::Answer;
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::human::{bounds_text, plural};
use crate::input::Input;
use crate::output::{errln, outln};

/// Check a certificate against the specification it was made for
///
/// Compiles the specification, derives the formula again by a second, naive grounder, compares it
/// with that of the certificate, and checks the proof. Neither the search nor the solver is used.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 verified, 1 refused, 2 bad input

Example:
  linchpin check specs/broadcast/redundant.ded --scenario paper --certificate redundant.certificate
  linchpin verify-certificate redundant.certificate specs/broadcast/redundant.ded")]
pub(crate) struct VerifyArguments {
    /// The certificate
    #[arg(value_name = "CERTIFICATE")]
    pub(crate) certificate: PathBuf,

    #[command(flatten)]
    pub(crate) program: Program,

    /// Write the formula of the certificate to this file (DIMACS CNF), for another checker
    #[arg(long, value_name = "FILE")]
    pub(crate) cnf: Option<PathBuf>,

    /// Write the proof of the certificate to this file (DRAT), for another checker
    #[arg(long, value_name = "FILE")]
    pub(crate) drat: Option<PathBuf>,

    /// Write what each variable of the formula stands for to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
}

/// `linchpin verify-certificate`.
pub(crate) fn command(arguments: &VerifyArguments, color: Color) -> anyhow::Result<Exit> {
    let path = &arguments.certificate;
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let certificate = match Certificate::parse(&bytes) {
        Ok(certificate) => certificate,
        Err(refusal) => return Ok(refused(path, &refusal)),
    };
    let parts = [
        (&arguments.cnf, &certificate.formula),
        (&arguments.drat, &certificate.proof),
        (&arguments.map, &certificate.map),
    ];
    for (file, part) in parts {
        if let Some(file) = file {
            write(file, part)?;
        }
    }
    let Program { files, include_dirs } = &arguments.program;
    let statement = match verify(&certificate, files, include_dirs, &FileSystem) {
        Ok(statement) => statement,
        Err(refusal) => {
            if refusal == Refusal::SpecificationInvalid {
                let _ = Input::read(files, include_dirs, color); // Shows the errors.
            }
            return Ok(refused(path, &refusal));
        }
    };
    let bounds = &statement.bounds;
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    outln!("VERIFIED  {}", path.display());
    outln!("  No fault set within {}", bounds_text(bounds));
    outln!("  breaks {} (invariant: {}).", names.join(" "), statement.invariant);
    outln!("  {}.", size(&certificate));
    Ok(Exit::Holds)
}

fn refused(path: &Path, refusal: &Refusal) -> Exit {
    outln!("REFUSED  {}\n  {refusal}.", path.display());
    Exit::Broken
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn size(certificate: &Certificate) -> String {
    let Certificate { formula, proof, .. } = certificate;
    let mut counts = formula.lines().next().unwrap_or_default().split(' ').skip(2);
    format!(
        "The formula has {} variables and {} clauses, the proof {}",
        counts.next().unwrap_or("no"),
        counts.next().unwrap_or("no"),
        plural(proof.lines().count() as u64, "step")
    )
}

/// Writes a certificate for a verdict, if it is one that can be certified.
pub(crate) fn certify_answer(
    input: &Input,
    answer: &Answer,
    path: &Path,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Exit>> {
    let verdict = answer.report.verdict;
    if verdict != Verdict::Holds {
        errln!("note: no certificate is written: the verdict is `{verdict}`, not `holds`");
        return Ok(None);
    }
    let stop = || interrupt.is_set();
    let invariant = answer.question.invariant;
    match certify(&input.program, &input.sources, &answer.bounds, invariant, &stop) {
        Ok(certificate) => {
            write(path, &certificate.to_text())?;
            errln!("note: certificate written to {}", path.display());
            Ok(None)
        }
        Err(CertifyError::Interrupted) => Ok(Some(Exit::Interrupted)),
        Err(error @ CertifyError::NotCertifiable(_)) => {
            errln!("error: {error}; the verdict stands, but nobody can check it");
            Ok(Some(Exit::Unknown))
        }
        Err(error) => bail!(
            "{error}, although the verdict is `holds`; \
             this is a defect of linchpin: please report it with the specification"
        ),
    }
}
