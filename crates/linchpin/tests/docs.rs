//! The commands in README and guide do what is printed there.
//!
//! In a block marked `console`, a line `$ COMMAND` is run by a shell at the root of the workspace
//! (`cargo run --release --` stands for the binary under test); the lines after it are what it
//! prints, standard error included. `UPDATE_DOCS=1` writes what it really prints.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn pages() -> Vec<PathBuf> {
    let root = root();
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/guide", "docs/formats", "docs/language"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
        found.sort();
        pages.extend(found);
    }
    pages
}

fn run(command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_linchpin"));
    let command = command.replace("cargo run --release --", "linchpin");
    let path = format!(
        "{}:{}",
        binary.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(root())
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS")
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The page as it should be.
fn refreshed(text: &str) -> String {
    let mut result = String::new();
    let mut lines = text.lines().peekable();
    let mut in_console = false;
    while let Some(line) = lines.next() {
        result.push_str(line);
        result.push('\n');
        if line.starts_with("```") {
            in_console = !in_console && line == "```console";
            continue;
        }
        let Some(command) = line.strip_prefix("$ ").filter(|_| in_console) else { continue };
        while lines.peek().is_some_and(|next| !next.starts_with("$ ") && !next.starts_with("```")) {
            lines.next();
        }
        result.push_str(&run(command));
    }
    result
}

#[test]
fn commands_print_what_the_pages_say() {
    let mut commands = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("readable");
        commands += text.lines().filter(|line| line.starts_with("$ ")).count();
        let fresh = refreshed(&text);
        if fresh != text {
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::write(&page, fresh).expect("written");
            } else {
                panic!(
                    "{} is out of date; run UPDATE_DOCS=1 cargo test --test docs\n{fresh}",
                    page.display()
                );
            }
        }
    }
    assert!(commands > 0, "no command was found");
}
