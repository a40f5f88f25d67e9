//! Making certificates, and verifying them.

use std::path::{Path, PathBuf};

use linchpin_dedalus::hir::Program;
use linchpin_dedalus::load::Loader;
use linchpin_dedalus::source::SourceMap;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_model::{Bounds, Invariant};
use linchpin_proof::{Checker, parse_drat, to_drat};

use crate::certificate::{Certificate, SourceDigest, Statement, first_difference};
use crate::digest::digest;
use crate::error::{CertifyError, Refusal};
use crate::formula::Formula;
use crate::inputs::as_faults;
use crate::prove::{Answer, prove, tidy};

/// The digests of a specification's files.
fn digests(sources: &SourceMap) -> Vec<SourceDigest> {
    sources
        .files
        .iter()
        .map(|file| {
            let name = Path::new(&file.path).file_name().unwrap_or_default();
            SourceDigest {
                name: name.to_string_lossy().into_owned(),
                sha256: digest(file.text.as_bytes()),
            }
        })
        .collect()
}

/// Proves that no fault set within the bounds (which must have been checked) is bad or has no
/// outcome. `stop` is asked from time to time whether to give up.
///
/// # Errors
/// If there is such a fault set, if what the program can do within the bounds is too much to write
/// down, or if `stop` says so.
pub fn certify(
    program: &Program,
    sources: &SourceMap,
    bounds: &Bounds,
    invariant: Invariant,
    stop: &dyn Fn() -> bool,
) -> Result<Certificate, CertifyError> {
    let formula = Formula::derive(program, bounds, invariant)?;
    let steps = match prove(formula.cnf(), stop) {
        Answer::Proof(steps) => steps,
        Answer::Model(model) => {
            let faults = formula.faults_of(|variable| model[variable as usize - 1]);
            return Err(CertifyError::Broken { faults });
        }
        Answer::Interrupted => return Err(CertifyError::Interrupted),
    };
    let steps = tidy(formula.cnf(), steps).map_err(CertifyError::WrongProof)?;
    let bounds = Bounds { inputs: as_faults(program), ..bounds.clone() };
    let statement = Statement { invariant, bounds, sources: digests(sources) };
    Ok(Certificate {
        statement,
        formula: formula.cnf().to_dimacs(),
        map: formula.map(),
        proof: to_drat(&steps),
    })
}

/// Checks a certificate against the specification: compiles it, derives the formula again, and
/// checks the proof. Returns what is thereby proved.
///
/// # Errors
/// Whatever keeps the certificate from proving what it claims of this specification.
pub fn verify(
    certificate: &Certificate,
    paths: &[PathBuf],
    include_dirs: &[PathBuf],
    loader: &dyn Loader,
) -> Result<Statement, Refusal> {
    let Statement { invariant, bounds, sources } = &certificate.statement;
    let compilation = compile_files(paths, include_dirs, loader, &CompileOptions::default());
    compare_sources(sources, &digests(&compilation.sources))?;
    let program = compilation.program.ok_or(Refusal::SpecificationInvalid)?;
    if let Err(errors) = bounds.check() {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return Err(Refusal::BoundsInvalid { reason: errors.join("; ") });
    }
    if bounds.inputs != as_faults(&program) {
        return Err(Refusal::InputsDiffer);
    }
    let formula = Formula::derive(&program, bounds, *invariant)?;
    let parts = [
        ("formula", formula.cnf().to_dimacs(), &certificate.formula),
        ("map", formula.map(), &certificate.map),
    ];
    for (part, derived, claimed) in parts {
        if derived != *claimed {
            let line = first_difference(&derived, claimed);
            return Err(Refusal::DerivationDiffers { part, line });
        }
    }
    let steps = parse_drat(&certificate.proof)?;
    Checker::of(formula.cnf()).check(&steps)?;
    Ok(certificate.statement.clone())
}

fn compare_sources(certified: &[SourceDigest], given: &[SourceDigest]) -> Result<(), Refusal> {
    for (index, source) in certified.iter().enumerate() {
        let reason = match given.get(index) {
            None => format!("`{}` is missing", source.name),
            Some(other) if other.sha256 == source.sha256 => continue,
            Some(other) if other.name == source.name => {
                format!("`{}` is not the file that was certified", source.name)
            }
            Some(other) => format!("`{}` stands where `{}` was", other.name, source.name),
        };
        return Err(Refusal::SpecificationDiffers { reason });
    }
    match given.get(certified.len()) {
        None => Ok(()),
        Some(extra) => Err(Refusal::SpecificationDiffers {
            reason: format!("`{}` was not part of it", extra.name),
        }),
    }
}
