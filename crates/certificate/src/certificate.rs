//! The certificate as a file.

use std::fmt::Write;

use linchpin_model::{Bounds, CrashModel, Fault, Invariant};

use crate::digest::digest;
use crate::error::Refusal;

/// The first line of the file; changes when a reader would have to.
const SCHEMA: &str = "linchpin-certificate 2";

/// What is certified, in words.
const CLAIM: &str = "claim no fault set within these bounds is bad or has no outcome";

/// A source file of a specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDigest {
    /// The name of the file without its folder. For people: files are told apart by their digests.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What is certified: of which specification, within which bounds, under which invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// How runs are judged.
    pub invariant: Invariant,
    /// Which faults may occur.
    pub bounds: Bounds,
    /// Every file of the specification, includes among them, in the order read.
    pub sources: Vec<SourceDigest>,
}

/// A certificate, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What it claims.
    pub statement: Statement,
    /// The formula, as a DIMACS CNF file: satisfiable iff the claim is false.
    pub formula: String,
    /// What each variable of the formula stands for: a line each.
    pub map: String,
    /// A proof, as a DRAT file, that the formula is unsatisfiable.
    pub proof: String,
}

/// Makes one line of a text.
pub(crate) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            result.push(if characters.next() == Some('n') { '\n' } else { '\\' });
        } else {
            result.push(character);
        }
    }
    result
}

fn name_of(model: CrashModel) -> &'static str {
    match model {
        CrashModel::Silent => "silent",
        CrashModel::Stop => "stop",
    }
}

impl Certificate {
    /// The three long parts of the file, each with its name.
    fn parts(&self) -> [(&'static str, &str); 3] {
        [("formula", &self.formula), ("map", &self.map), ("proof", &self.proof)]
    }

    /// The header but for its last line.
    fn header(&self) -> String {
        let Statement { invariant, bounds, sources } = &self.statement;
        let Bounds {
            eot,
            eff,
            crashes,
            nodes,
            max_delay,
            recoveries,
            durable,
            crash_model,
            inputs,
        } = bounds;
        let mut text = format!("{SCHEMA}\n{CLAIM}\ninvariant {invariant}\n");
        let mut line = |line: std::fmt::Arguments<'_>| {
            text.write_fmt(line).expect("strings can be written to");
            text.push('\n');
        };
        line(format_args!("eot {eot}"));
        line(format_args!("eff {eff}"));
        line(format_args!("max-delay {max_delay}"));
        line(format_args!("crashes {crashes}"));
        line(format_args!("crash-model {}", name_of(*crash_model)));
        line(format_args!("recoveries {recoveries}"));
        for relation in durable {
            line(format_args!("durable {}", escape(relation)));
        }
        for node in nodes {
            line(format_args!("node {}", escape(node)));
        }
        for alternatives in inputs {
            for (index, alternative) in alternatives.iter().enumerate() {
                let key = if index == 0 { "usual" } else { "or" };
                line(format_args!("{key} {}", escape(&alternative.to_string())));
            }
        }
        for SourceDigest { name, sha256 } in sources {
            line(format_args!("source {sha256} {}", escape(name)));
        }
        for (name, part) in self.parts() {
            let lines = part.matches('\n').count();
            line(format_args!("{name} {} {lines}", digest(part.as_bytes())));
        }
        text
    }

    /// The file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.header();
        let header = digest(text.as_bytes());
        writeln!(text, "header {header}").expect("strings can be written to");
        for (name, part) in self.parts() {
            writeln!(text, "begin {name}").expect("strings can be written to");
            text.push_str(part);
        }
        text.push_str("end\n");
        text
    }

    /// Reads what [`Certificate::to_text`] writes, byte for byte, and nothing else.
    ///
    /// # Errors
    /// If the file is not a certificate, or a digest in its header is not that of the part.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            Refusal::Unreadable {
                reason: "it is not UTF-8".to_owned(),
                line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
            }
        })?;
        let mut reader = Reader { text, rest: text, line: 0 };
        let certificate = reader.certificate()?;
        // Whatever was tolerated above (a leading zero, say) is refused here.
        let canonical = certificate.to_text();
        if canonical != text {
            let line = first_difference(&canonical, text);
            let reason = "it is not written as a certificate is".to_owned();
            return Err(Refusal::Unreadable { reason, line });
        }
        Ok(certificate)
    }
}

/// The first line in which two texts differ, from 1.
pub(crate) fn first_difference(left: &str, right: &str) -> usize {
    let pairs = left.split('\n').zip(right.split('\n'));
    pairs.take_while(|(left, right)| left == right).count() + 1
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    /// Of the line read last, from 1.
    line: usize,
}

impl<'a> Reader<'a> {
    fn refuse(&self, reason: impl Into<String>) -> Refusal {
        Refusal::Unreadable { reason: reason.into(), line: self.line }
    }

    fn next_line(&mut self) -> Result<&'a str, Refusal> {
        self.line += 1;
        let (line, rest) =
            self.rest.split_once('\n').ok_or_else(|| self.refuse("it ends too early"))?;
        self.rest = rest;
        Ok(line)
    }

    fn exactly(&mut self, expected: &str) -> Result<(), Refusal> {
        if self.next_line()? == expected {
            Ok(())
        } else {
            Err(self.refuse(format!("expected `{expected}`")))
        }
    }

    /// What stands behind a key.
    fn field(&mut self, key: &str) -> Result<&'a str, Refusal> {
        let line = self.next_line()?;
        line.strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or_else(|| self.refuse(format!("expected `{key}`")))
    }

    fn number<T: std::str::FromStr>(&mut self, key: &str) -> Result<T, Refusal> {
        let field = self.field(key)?;
        field.parse().map_err(|_| self.refuse(format!("`{key}` is not a number")))
    }

    /// All following lines with a key.
    fn fields(&mut self, key: &str) -> Result<Vec<&'a str>, Refusal> {
        let mut fields = Vec::new();
        while self.rest.strip_prefix(key).is_some_and(|rest| rest.starts_with(' ')) {
            fields.push(self.field(key)?);
        }
        Ok(fields)
    }

    fn certificate(&mut self) -> Result<Certificate, Refusal> {
        let first = self.next_line()?;
        if first != SCHEMA {
            let reason = match first.strip_prefix("linchpin-certificate ") {
                Some(version) => format!("version {version} is not known, only version 2"),
                None => format!("expected `{SCHEMA}`"),
            };
            return Err(self.refuse(reason));
        }
        self.exactly(CLAIM)?;
        let invariant = match self.field("invariant")? {
            "implication" => Invariant::Implication,
            "baseline" => Invariant::Baseline,
            "good" => Invariant::Good,
            _ => return Err(self.refuse("there is no such invariant")),
        };
        let bounds = self.bounds()?;
        let mut sources = Vec::new();
        for field in self.fields("source")? {
            let (sha256, name) =
                field.split_once(' ').ok_or_else(|| self.refuse("a file has no name"))?;
            sources.push(SourceDigest { name: unescape(name), sha256: sha256.to_owned() });
        }
        let mut parts = Vec::new();
        for name in ["formula", "map", "proof"] {
            let field = self.field(name)?;
            let (sha256, lines) =
                field.split_once(' ').ok_or_else(|| self.refuse("the length is missing"))?;
            let lines: usize =
                lines.parse().map_err(|_| self.refuse("the length is not a number"))?;
            parts.push((name, sha256, lines));
        }
        let header = &self.text[..self.text.len() - self.rest.len()];
        if self.field("header")? != digest(header.as_bytes()) {
            return Err(Refusal::Changed { part: "header" });
        }
        let mut texts = Vec::new();
        for (name, sha256, lines) in parts {
            self.exactly(&format!("begin {name}"))?;
            let part = self.part(lines)?;
            if digest(part.as_bytes()) != sha256 {
                return Err(Refusal::Changed { part: name });
            }
            texts.push(part.to_owned());
        }
        self.exactly("end")?;
        if !self.rest.is_empty() {
            self.line += 1;
            return Err(self.refuse("something follows the end"));
        }
        let [formula, map, proof] = texts.try_into().expect("there are three parts");
        let statement = Statement { invariant, bounds, sources };
        Ok(Certificate { statement, formula, map, proof })
    }

    fn bounds(&mut self) -> Result<Bounds, Refusal> {
        Ok(Bounds {
            eot: self.number("eot")?,
            eff: self.number("eff")?,
            max_delay: self.number("max-delay")?,
            crashes: self.number("crashes")?,
            crash_model: match self.field("crash-model")? {
                "silent" => CrashModel::Silent,
                "stop" => CrashModel::Stop,
                _ => return Err(self.refuse("there is no such crash model")),
            },
            recoveries: self.number("recoveries")?,
            durable: self.fields("durable")?.into_iter().map(unescape).collect(),
            nodes: self.fields("node")?.into_iter().map(unescape).collect(),
            inputs: self.inputs()?,
        })
    }

    /// Each input: its usual alternative, then the others.
    fn inputs(&mut self) -> Result<Vec<Vec<Fault>>, Refusal> {
        let mut inputs = Vec::new();
        while self.rest.starts_with("usual ") {
            let mut alternatives = vec![self.alternative("usual")?];
            while self.rest.starts_with("or ") {
                alternatives.push(self.alternative("or")?);
            }
            inputs.push(alternatives);
        }
        Ok(inputs)
    }

    fn alternative(&mut self, key: &str) -> Result<Fault, Refusal> {
        let text = unescape(self.field(key)?);
        text.parse().map_err(|_| self.refuse("this is no alternative of an input"))
    }

    /// As many lines as given.
    fn part(&mut self, lines: usize) -> Result<&'a str, Refusal> {
        let start = self.rest;
        for _ in 0..lines {
            self.next_line()?;
        }
        Ok(&start[..start.len() - self.rest.len()])
    }
}
