//! Tiny programs, one per behaviour of a system call, each with the whole happens-before graph it
//! must have: `guests/NAME.c` or `.py`, and `guests/NAME.graph`. `UPDATE=1` writes the graphs;
//! read what it wrote.
//!
//! A guest that the machine lacks something for exits with 77, which is a failure where everything
//! must run; with 78 if it lacks a right that not even those need give.
//!
//! A graph must not depend on who was faster: `LINCHPIN_LATE=SEED` makes the tracer late now and then,
//! which interleaves threads as they seldom do otherwise.
//!
//! Directives in a guest: `// cc: FLAGS` for the compiler; `graph: counts` where threads race and
//! only the numbers of events and causes are determined.

mod common;
mod render;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use linchpin_tracer::Status;
use linchpin_tracker::{Graph, read_log};

fn main() -> std::process::ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .expect("the guests are there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    let mut trials = Vec::new();
    for file in &files {
        let extension = file.extension().and_then(|extension| extension.to_str());
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        match extension {
            Some("c" | "py") => {
                let file = file.clone();
                trials.push(Trial::test(name, move || run(&file)));
            }
            Some("graph") => {
                let orphan = !files.contains(&file.with_extension("c"))
                    && !files.contains(&file.with_extension("py"));
                assert!(!orphan, "{} belongs to no guest", file.display());
            }
            _ => {}
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The command that runs a guest; `None` (and a word why) if this machine cannot.
fn command(file: &Path, scratch: &Path) -> Result<Option<Command>, Failed> {
    let source = fs::read_to_string(file)?;
    let name = file.file_stem().expect("a name");
    if file.extension().is_some_and(|extension| extension == "py") {
        if !common::have("python3") {
            common::skipped("no python3");
            return Ok(None);
        }
        // The interpreter itself: a version manager's shim would be traced as well.
        let found =
            Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output()?;
        let mut command = Command::new(String::from_utf8_lossy(&found.stdout).trim());
        command.args(["-S", "-E", "-B"]).arg(file).env_remove("PYTHONSTARTUP");
        return Ok(Some(command));
    }
    if !common::have("cc") {
        common::skipped("no cc");
        return Ok(None);
    }
    let binary = scratch.join(name);
    let flags = source.lines().find_map(|line| line.strip_prefix("// cc: ")).unwrap_or_default();
    let made = Command::new("cc")
        .args(["-O1", "-Wall", "-pthread", "-o"])
        .arg(&binary)
        .arg(file)
        .args(flags.split_whitespace())
        .output()?;
    if !made.status.success() {
        return Err(format!("cc: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    Ok(Some(Command::new(binary)))
}

fn run(file: &Path) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let Some(command) = command(file, scratch.path())? else { return Ok(()) };
    let (tracker, report) = render::trace(command)?;
    let graph = tracker.graph();
    if report.status == Some(Status::Code(77)) {
        common::skipped("the machine lacks what it needs");
        return Ok(());
    }
    if report.status == Some(Status::Code(78)) {
        eprintln!("skipped: it needs rights that not every machine gives: {}", file.display());
        return Ok(());
    }
    let counts = fs::read_to_string(file)?.contains("graph: counts");
    let found = if counts { count(graph) } else { render::render(graph) };
    let golden = file.with_extension("graph");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&golden, &found)?;
    }
    let expected = fs::read_to_string(&golden)
        .map_err(|error| format!("{}: {error}; UPDATE=1 writes it", golden.display()))?;
    if found != expected {
        return Err(format!("the graph differs\nexpected:\n{expected}\nfound:\n{found}").into());
    }
    let summary = tracker.summary();
    if (summary.unmatched_bytes, summary.unmatched_datagrams, summary.mismatches) != (0, 0, 0) {
        return Err(format!("something is unexplained:\n{summary}").into());
    }
    check_order(graph)?;
    // The log gives the same graph back.
    let mut log = Vec::new();
    graph.write_log(&mut log)?;
    let again = read_log(log.as_slice())?;
    let mut rewritten = Vec::new();
    again.graph().write_log(&mut rewritten)?;
    if log != rewritten {
        return Err("the log does not give the same graph back".into());
    }
    Ok(())
}

fn count(graph: &Graph) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for id in graph.ids() {
        let action = format!("{:?}", graph.event(id).action);
        let kind = action.split(' ').next().unwrap_or_default().to_owned();
        if kind != "Socket" {
            *counts.entry(kind).or_default() += 1;
        }
        for edge in graph.causes(id) {
            let cause = format!("{:?}", edge.cause);
            *counts.entry(format!("<- {cause}")).or_default() += 1;
        }
    }
    counts.into_iter().map(|(kind, count)| format!("{kind} {count}\n")).collect()
}

/// The order is one: sorted, every cause comes first, and clocks agree with pasts.
fn check_order(graph: &Graph) -> Result<(), Failed> {
    use linchpin_tracker::Order;
    for order in [Order::Thread, Order::Process] {
        let sorted = graph.sorted(order);
        let mut place = vec![0; graph.len()];
        for (index, id) in sorted.iter().enumerate() {
            place[id.0 as usize] = index;
        }
        for id in graph.ids() {
            if graph
                .before(id, order)
                .any(|before| place[before.0 as usize] >= place[id.0 as usize])
            {
                return Err(format!(
                    "event {} comes before its cause: the order has a cycle",
                    id.0
                )
                .into());
            }
        }
        // What the index of the process order says is what searching it says.
        for second in graph.ids().filter(|_| graph.len() <= 400) {
            let past = graph.past(second, order);
            for first in graph.ids().filter(|first| *first != second) {
                let found = past.binary_search(&first).is_ok();
                if graph.happens_before(first, second, order) != found {
                    return Err(format!("{} before {}: not {found}", first.0, second.0).into());
                }
            }
            let known: u32 = graph.clock(second, order).values().sum();
            if known as usize != past.len() {
                return Err(format!("the clock and the past of {} differ", second.0).into());
            }
        }
        if let Some(last) = graph.ids().last() {
            let known: u32 = graph.clock(last, order).values().sum();
            if known as usize != graph.past(last, order).len() {
                return Err("a clock and a past differ".into());
            }
        }
    }
    Ok(())
}
