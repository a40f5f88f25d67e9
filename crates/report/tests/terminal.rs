//! The terminal report of two campaigns, word for word. `LINCHPIN_UPDATE_GOLDEN=1` writes the
//! files anew.

#[path = "support/mod.rs"]
mod support;

use std::path::Path;

use linchpin_record::Campaign;
use linchpin_report::terminal::{Style, diagram, tell};
use linchpin_report::{SpaceTime, Story};
use support::Question;
use unicode_width::UnicodeWidthStr;

fn simple() -> Campaign {
    support::campaign(&Question {
        name: "simple.ded",
        text: include_str!("specs/simple.ded"),
        eot: 4,
        eff: 2,
        crashes: 0,
        nodes: &["a", "b", "c"],
        all: false,
    })
}

fn retry() -> Campaign {
    support::campaign(&Question {
        name: "retry.ded",
        text: include_str!("specs/retry.ded"),
        eot: 5,
        eff: 3,
        crashes: 1,
        nodes: &["a", "b", "c"],
        all: true,
    })
}

fn gossip() -> Campaign {
    support::campaign(&Question {
        name: "gossip.ded",
        text: include_str!("specs/gossip.ded"),
        eot: 8,
        eff: 4,
        crashes: 1,
        nodes: &["ann", "bob", "cyd", "dan", "eve"],
        all: true,
    })
}

fn shown(campaign: &Campaign, style: Style) -> String {
    let header = &campaign.header;
    let mut text = String::new();
    for counterexample in &header.conclusion.as_ref().unwrap().counterexamples {
        let bad = &campaign.kept[&counterexample.run];
        let story = Story::of(campaign, bad);
        text.push_str(&diagram(&SpaceTime::new(header, bad), (Some("pre"), "post"), style));
        text.push('\n');
        text.push_str(&tell(header, &story, style));
        text.push('\n');
    }
    text
}

fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("LINCHPIN_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} differs; LINCHPIN_UPDATE_GOLDEN=1 accepts it");
}

#[test]
fn counterexamples_are_told_as_before() {
    let ascii = Style { ascii: true, width: 60, colour: false };
    assert_golden("simple.txt", &shown(&simple(), Style::default()));
    assert_golden("retry.txt", &shown(&retry(), Style::default()));
    assert_golden("retry-ascii-60.txt", &shown(&retry(), ascii));
    assert_golden("gossip-100.txt", &shown(&gossip(), Style { width: 100, ..Style::default() }));
}

#[test]
fn what_goes_beyond_losses_is_drawn_where_it_happens() {
    let campaign = support::beyond_losses();
    let ascii = Style { ascii: true, width: 70, colour: false };
    assert_golden("beyond.txt", &shown(&campaign, Style::default()));
    assert_golden("beyond-ascii-70.txt", &shown(&campaign, ascii));
    assert!(shown(&campaign, ascii).is_ascii());
}

#[test]
fn plain_text_is_plain_and_colour_adds_nothing() {
    let ascii = shown(&retry(), Style { ascii: true, ..Style::default() });
    assert!(ascii.is_ascii());
    let plain = shown(&retry(), Style::default());
    let mut coloured = shown(&retry(), Style { colour: true, ..Style::default() });
    assert_ne!(plain, coloured);
    for code in ["31;1", "32", "2", "1", "0"] {
        coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(plain, coloured);
}

#[test]
fn lines_fit_the_width() {
    for width in [60, 80, 120] {
        for campaign in [simple(), retry(), gossip(), support::beyond_losses()] {
            let text = shown(&campaign, Style { width, ..Style::default() });
            for line in text.lines().filter(|line| !line.trim_start().starts_with("linchpin run")) {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn the_story_names_what_was_lost_and_what_that_took_away() {
    let campaign = simple();
    let bad = &campaign.kept[&1];
    let story = Story::new(&campaign.header, bad, &campaign.kept[&0], None);
    assert_eq!(
        story.faults[0].sentence,
        r#"At time 1 the message heard("b", "hello") from a to b is lost."#
    );
    let last = story.why.last().unwrap();
    assert!(story.why.iter().any(|point| point.claim.contains("is missing from time 2 on")));
    assert!(!last.rules.is_empty());
    assert_eq!(
        story.replay,
        "linchpin run simple.ded --eot 4 --nodes a,b,c --fault 'omit a->b @1'"
    );
}
