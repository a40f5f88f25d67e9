//! The language reference is true: what stands in its blocks is what happens.
//!
//! In the pages of `docs/language`:
//!
//! * a block `dedalus NAME` is a program; it compiles, and says nothing unless a `text` block follows,
//!   which then is exactly what it says. (Without NAME it is `example.ded`.)
//! * a block `dedalus NAME fragment` is part of one: relations that nothing derives are not minded.
//! * in a block `console run`, each line `$ linchpin ...` is run in a folder that holds the programs
//!   of the page so far; the lines after it are what it prints, standard error included.
//!
//! `UPDATE_DOCS=1` writes what is really said and printed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::{CompileOptions, compile_files};

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/language");
    let entries = std::fs::read_dir(folder).expect("docs/language is there");
    let mut pages: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// A page, as it is and as it should be.
struct Page {
    /// Every program so far.
    programs: BTreeMap<String, String>,
    folder: tempfile::TempDir,
    fresh: String,
    /// What cannot be repaired by writing what is true.
    complaints: Vec<String>,
    examples: usize,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self {
            programs: BTreeMap::new(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            fresh: String::new(),
            complaints: Vec::new(),
            examples: 0,
        };
        let mut said: Option<String> = None;
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            page.line(line);
            let Some(info) = line.strip_prefix("```") else {
                if let Some(unexpected) = said.take_if(|_| !line.is_empty()) {
                    page.expect_silence(number, &unexpected);
                }
                continue;
            };
            let block: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let words: Vec<&str> = info.split(' ').collect();
            match (words[0], said.take()) {
                ("text", Some(diagnostics)) => page.push(&diagnostics),
                (kind, before) => {
                    if let Some(unexpected) = before {
                        page.expect_silence(number, &unexpected);
                    }
                    match kind {
                        "dedalus" => said = Some(page.program(&words[1..], &block)),
                        "console" if words[1..] == ["run"] => page.console(&block),
                        _ => block.iter().for_each(|line| page.line(line)),
                    }
                }
            }
            page.line("```");
        }
        if let Some(unexpected) = said {
            page.expect_silence(text.lines().count(), &unexpected);
        }
        page
    }

    fn line(&mut self, line: &str) {
        self.fresh.push_str(line);
        self.fresh.push('\n');
    }

    fn push(&mut self, text: &str) {
        self.fresh.push_str(text.trim_end());
        self.fresh.push('\n');
    }

    fn expect_silence(&mut self, line: usize, said: &str) {
        if !said.is_empty() {
            self.complaints.push(format!(
                "the program above line {} says what no `text` block expects:\n{said}",
                line + 1
            ));
        }
    }

    /// Keeps a program; the result is what the compiler says of it.
    fn program(&mut self, words: &[&str], block: &[&str]) -> String {
        self.examples += 1;
        let fragment = words.last() == Some(&"fragment");
        let name = words.first().filter(|name| **name != "fragment").unwrap_or(&"example.ded");
        let mut text = block.join("\n");
        text.push('\n');
        self.push(&text);
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        std::fs::write(path, &text).expect("written");
        self.programs.insert((*name).to_owned(), text);
        let mut loader = Memory::new();
        for (name, text) in &self.programs {
            loader = loader.with(name, text.as_str());
        }
        let mut compilation =
            compile_files(&[PathBuf::from(name)], &[], &loader, &CompileOptions::default());
        let assumed = |code: Code| fragment && code == Code::NeverDerived;
        compilation.diagnostics.retain(|diagnostic| !assumed(diagnostic.code));
        render_all(&compilation.diagnostics, &compilation.sources, Style::Plain)
    }

    fn console(&mut self, block: &[&str]) {
        for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
            self.examples += 1;
            self.line(&format!("$ {command}"));
            let output = run(command, self.folder.path());
            if !output.is_empty() {
                self.push(&output);
            }
        }
    }
}

fn run(command: &str, folder: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_linchpin"));
    let path = format!(
        "{}:{}",
        binary.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn examples_do_what_the_pages_say() {
    let mut examples = 0;
    let mut failures = Vec::new();
    for path in pages() {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let page = Page::read(&text);
        examples += page.examples;
        failures.extend(page.complaints.iter().map(|complaint| format!("{name}: {complaint}")));
        if page.fresh == text {
            continue;
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, page.fresh).expect("written");
        } else {
            let (number, (old, new)) = text
                .lines()
                .zip(page.fresh.lines())
                .enumerate()
                .find(|(_, (old, new))| old != new)
                .unwrap_or((0, ("(the end)", "(more)")));
            failures.push(format!(
                "{name}:{}: `{old}` should be `{new}`; \
                 UPDATE_DOCS=1 cargo test -p linchpin --test language writes what is true",
                number + 1
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(examples > 0, "no example was found");
}

/// Links between the pages, and to pages of errors, lead somewhere.
#[test]
fn links_lead_somewhere() {
    for path in pages() {
        let text = std::fs::read_to_string(&path).expect("readable");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = path.parent().expect("a folder").join(file);
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
        }
    }
}

#[test]
fn a_statement_that_is_not_true_is_noticed() {
    let fresh = |text: &str| Page::read(text).fresh;
    let good = "```dedalus a.ded\np(\"a\")@1;\n```\n";
    assert_eq!(fresh(good), good);
    assert!(Page::read(good).complaints.is_empty());
    // A diagnostic nobody expects.
    let warned = "```dedalus\np(\"a\");\n```\nText.\n";
    assert_eq!(Page::read(warned).complaints.len(), 1);
    // One that is expected, but not said.
    let silent = format!("{good}\n```text\nerror[D0023]\n```\n");
    assert_ne!(fresh(&silent), silent);
    // One that is said otherwise.
    let other = "```dedalus\np(\"a\");\n```\n\n```text\nerror\n```\n";
    assert!(fresh(other).contains("error[D0023]"), "{}", fresh(other));
    // Output that is not what is printed.
    let run = format!("{good}```console run\n$ cat a.ded\nwrong\n```\n");
    assert_eq!(fresh(&run), run.replace("wrong", "p(\"a\")@1;"));
    // A fragment may read what it does not derive, and no more.
    let fragment = "```dedalus fragment\nq(X) :- p(X);\n```\n";
    assert!(Page::read(fragment).complaints.is_empty());
    assert_eq!(Page::read(&fragment.replace("q(X)", "q(X, Y)")).complaints.len(), 1);
}
