//! Checks a single-file specification and tells its counterexamples in the terminal:
//! `tell FILE EOT EFF CRASHES NODE,NODE,...`

#[path = "../tests/support/mod.rs"]
mod support;

use linchpin_report::{SpaceTime, Story, terminal};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, eot, eff, crashes, nodes] = arguments.as_slice() else {
        panic!("usage: tell FILE EOT EFF CRASHES NODE,NODE,...")
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
    let conclusion = campaign.header.conclusion.as_ref().expect("the search has ended");
    println!("{} after {} runs\n", conclusion.verdict, conclusion.runs);
    for counterexample in &conclusion.counterexamples {
        let bad = &campaign.kept[&counterexample.run];
        let good = &campaign.kept[&0];
        let style = terminal::Style {
            width: std::env::var("COLUMNS").map_or(80, |columns| columns.parse().unwrap_or(80)),
            ascii: std::env::var_os("ASCII").is_some(),
            colour: std::env::var_os("COLOUR").is_some(),
        };
        let spacetime = SpaceTime::new(&campaign.header, bad);
        println!("{}", terminal::diagram(&spacetime, (Some("pre"), "post"), style));
        let story = Story::new(&campaign.header, bad, good, Some(good));
        println!("{}", terminal::tell(&campaign.header, &story, style));
    }
}
