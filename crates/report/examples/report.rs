//! Checks a single-file specification, writes a campaign directory and its report:
//! `report DIR FILE EOT EFF CRASHES NODE,NODE,...`

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;

use linchpin_record::{Existing, Writer};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, file, eot, eff, crashes, nodes] = arguments.as_slice() else {
        panic!("usage: report DIR FILE EOT EFF CRASHES NODE,NODE,...")
    };
    let number = |text: &String| text.parse().expect("a number");
    let text = std::fs::read_to_string(file).expect("a readable file");
    let nodes: Vec<&str> = nodes.split(',').collect();
    let campaign = support::campaign(&support::Question {
        name: file,
        text: &text,
        eot: number(eot),
        eff: number(eff),
        crashes: number(crashes),
        nodes: &nodes,
        all: true,
    });
    let mut header = campaign.header.clone();
    let conclusion = header.conclusion.take().expect("the search has ended");
    let mut writer =
        Writer::create(Path::new(directory), header, Existing::Replace).expect("a campaign");
    for run in campaign.finished() {
        writer.finish_run(run).expect("a line");
    }
    for run in campaign.kept.values() {
        writer.keep_run(run).expect("a file");
    }
    writer.conclude(conclusion).expect("a conclusion");
    let report = linchpin_report::html::render(&campaign);
    let path = writer.write_report("index.html", report.as_bytes()).expect("a report");
    println!("{}", path.display());
}
