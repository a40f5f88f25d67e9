//! The report in a real browser: what is drawn, what answers, what is never asked for.

#[path = "support/mod.rs"]
mod support;
#[path = "support/synthetic.rs"]
mod synthetic;
#[path = "support/webdriver.rs"]
mod webdriver;

use std::path::PathBuf;

use linchpin_model::Verdict;
use linchpin_record::{COLLECTION_SCHEMA, Campaign, Collection, CollectionKind, Entry};
use linchpin_report::{SpaceTime, html};
use serde_json::json;
use support::Question;
use webdriver::Browser;

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

/// A report on disk, as long as the directory lives.
fn written(campaign: &Campaign) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.html");
    std::fs::write(&path, html::render(campaign)).unwrap();
    (directory, path)
}

fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.requests(), Vec::<String>::new());
}

#[test]
fn the_tests_see_complaints_and_requests() {
    let Some(browser) = Browser::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("loud.html");
    let loud = "<!doctype html><img src='http://127.0.0.1:9/x.png'><script>throw 1</script>";
    std::fs::write(&path, loud).unwrap();
    browser.open(&path, "");
    assert!(browser.complaints().iter().any(|message| message.contains("Uncaught")));
    assert_eq!(browser.requests(), ["http://127.0.0.1:9/x.png"]);
}

#[test]
fn a_click_opens_a_run_and_its_diagram_is_right() {
    let Some(browser) = Browser::start() else { return };
    let campaign = retry();
    let (_directory, path) = written(&campaign);
    browser.open(&path, "");
    assert!(browser.text(".badge.verdict").contains("broken"));
    assert_eq!(browser.count("#runs-body tr"), campaign.runs.len() as u64);
    for number in [0u64, 1, 4] {
        browser.click(&format!("#runs-body tr[data-run='{number}']"));
        assert!(browser.text("#run-title").starts_with(&format!("Run {number} ")));
        let layout = SpaceTime::new(&campaign.header, &campaign.kept[&number]);
        let lost = layout.arrows.iter().filter(|arrow| arrow.lost_to.is_some()).count() as u64;
        let crashes = layout.crashes.iter().flatten().count() as u64;
        assert_eq!(browser.count("#view .message"), layout.arrows.len() as u64);
        assert_eq!(browser.count("#view .message.lost"), lost);
        assert_eq!(browser.count("#view .message.lost .cross"), lost);
        assert_eq!(browser.count("#view .event.crash"), crashes);
        let unanswered = layout.steps.iter().filter(|step| step.unanswered > 0).count() as u64;
        assert_eq!(browser.count("#view .band.answered.bad"), unanswered);
    }
    assert_eq!(browser.text("#run-faults li"), "omit a→c @1");
    browser.click("#view .event");
    assert!(browser.text("#panel h3").contains("at time"));
    browser.run("document.querySelector('#view .message.lost').dispatchEvent(new MouseEvent('click', {bubbles: true}))");
    assert!(browser.text("#panel").contains("lost"));
    assert_quiet(&browser);
}

#[test]
fn a_lineage_unfolds_and_tables_and_comparison_show_what_differs() {
    let Some(browser) = Browser::start() else { return };
    let campaign = support::campaign(&Question {
        name: "gossip.ded",
        text: include_str!("specs/gossip.ded"),
        eot: 9,
        eff: 3,
        crashes: 1,
        nodes: &["ann", "bob", "cyd", "dan", "eve"],
        all: false,
    });
    let (_directory, path) = written(&campaign);
    browser.open(&path, "");
    browser.click("[role=tab][data-view=lineage]");
    browser.wait_for("document.querySelector('.lineage .fact')");
    let before = browser.count(".lineage .fact");
    assert!(browser.count(".lineage .fact.gone") > 0);
    browser.run("document.querySelector('.lineage .fact.closed').dispatchEvent(new MouseEvent('click', {bubbles: true}))");
    let after = browser.count(".lineage .fact");
    assert!(after > before, "{before} facts before, {after} after the click");
    browser.run("document.querySelector('.lineage [aria-expanded=true]').focus()");
    browser.keys("\u{e007}");
    assert!(browser.count(".lineage .fact") < after, "the enter key folds");
    browser.click("[role=tab][data-view=tables]");
    assert!(browser.count("#view td.gone") > 0);
    assert!(browser.count("#view td.both") > 0);
    browser.click("[role=tab][data-view=compare]");
    assert_eq!(browser.count("#view svg.spacetime"), 2);
    assert!(browser.count("#view .message.changed") > 0);
    assert_quiet(&browser);
}

#[test]
fn runs_are_filtered_sorted_and_reached_by_keys() {
    let Some(browser) = Browser::start() else { return };
    let campaign = retry();
    let (_directory, path) = written(&campaign);
    browser.open(&path, "#run-2/tables");
    assert!(browser.text("#run-title").starts_with("Run 2 "));
    assert_eq!(browser.text("[role=tab][aria-selected=true]"), "Tables");
    browser.keys("j");
    assert!(browser.text("#run-title").starts_with("Run 3 "));
    browser.keys("kk1");
    assert!(browser.text("#run-title").starts_with("Run 1 "));
    assert_eq!(browser.text("[role=tab][aria-selected=true]"), "Space-time");
    browser.click("#runs th[data-sort=n] button");
    let last = campaign.runs.len() - 1;
    assert_eq!(browser.text("#runs-body tr td"), last.to_string());
    assert_eq!(browser.count("#runs th[aria-sort=descending]"), 1);
    browser.keys("/good");
    assert_eq!(browser.count("#runs-body tr"), 1);
    browser.run("const f = document.querySelector('#filter'); f.value = 'crash a @3'; f.dispatchEvent(new Event('input'))");
    let expected = campaign.runs.iter().filter(|r| r.faults.to_string().contains("crash a @3"));
    assert_eq!(browser.count("#runs-body tr"), expected.count() as u64);
    browser.run("document.querySelector('.spacetime').focus()");
    browser.keys("\u{e015}\u{e014}");
    assert_eq!(browser.text("#panel h3"), "b at time 2");
    let colour = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(colour);
    browser.click("#theme");
    assert_ne!(browser.run(colour), light);
    assert_quiet(&browser);
}

#[test]
fn hostile_names_stay_text() {
    let Some(browser) = Browser::start() else { return };
    let campaign = support::campaign(&Question {
        name: "<script>window.hacked = true</script>\u{202e}.ded",
        text: include_str!("specs/hostile.ded"),
        eot: 4,
        eff: 2,
        crashes: 0,
        nodes: &["<script>alert('node')</script>", "b\"'&<b>", "\u{202e}abc"],
        all: true,
    });
    let (_directory, path) = written(&campaign);
    for view in ["diagram", "lineage", "tables", "compare"] {
        browser.open(&path, &format!("#run-1/{view}"));
        browser.wait_for("document.querySelector('#view').textContent.includes('<script>') || document.querySelector('.lineage .fact')");
        assert!(!browser.is_alert_open());
        assert_eq!(browser.run("return window.hacked === undefined"), json!(true));
        assert_eq!(browser.count("script"), 2);
        assert_eq!(browser.count("img, b, iframe"), 0);
        let marks = "return /[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)";
        assert_eq!(browser.run(marks), json!(false));
    }
    assert!(browser.text(".story").contains("<script>"));
    assert_quiet(&browser);
}

/// Pairs of labels of the diagram that cover each other, and labels that leave it.
const OVERLAPS: &str = "
    const boxes = [...document.querySelectorAll('svg.spacetime .label')].map((label) => [label.textContent, label.getBoundingClientRect()]);
    const picture = document.querySelector('svg.spacetime').getBoundingClientRect();
    const found = boxes.filter(([, a]) => a.left < picture.left || a.right > picture.right).map(([text]) => text + ' leaves the picture');
    for (const [i, [one, a]] of boxes.entries()) for (const [two, b] of boxes.slice(i + 1))
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2) found.push(one + ' covers ' + two);
    return found;";

#[test]
fn labels_do_not_overlap_at_five_nodes_and_twenty_five_steps() {
    let Some(browser) = Browser::start() else { return };
    let campaign = support::campaign(&Question {
        name: "gossip.ded",
        text: include_str!("specs/gossip.ded"),
        eot: 25,
        eff: 4,
        crashes: 1,
        nodes: &["ann", "bob", "cyd", "dan", "a-node-with-a-rather-long-name"],
        all: true,
    });
    let (_directory, path) = written(&campaign);
    for run in 0..campaign.runs.len() {
        browser.open(&path, &format!("#run-{run}/diagram"));
        assert!(browser.count("svg.spacetime .label") > 14);
        assert_eq!(browser.run(OVERLAPS), json!([]), "run {run}");
    }
    assert_quiet(&browser);
}

#[test]
fn late_messages_recoveries_and_inputs_are_where_they_belong() {
    let Some(browser) = Browser::start() else { return };
    let campaign = support::beyond_losses();
    let (_directory, path) = written(&campaign);
    let (mut late_seen, mut back_seen, mut chosen_seen) = (0, 0, 0);
    for (number, run) in &campaign.kept {
        let layout = SpaceTime::new(&campaign.header, run);
        let late: Vec<_> = layout.arrows.iter().filter(|arrow| arrow.is_late()).collect();
        let back = layout.recoveries.iter().flatten().count();
        let chosen = layout.inputs.iter().filter(|input| input.chosen).count();
        browser.open(&path, &format!("#run-{number}/diagram"));
        assert_eq!(browser.count("#view .message.late"), late.len() as u64, "run {number}");
        assert_eq!(browser.count("#view .event.recovery"), back as u64, "run {number}");
        assert_eq!(browser.count("#view .input"), layout.inputs.len() as u64, "run {number}");
        assert_eq!(browser.count("#view .input.chosen"), chosen as u64, "run {number}");
        // The line of a node is dotted only while it is down.
        let down: u32 = layout
            .crashes
            .iter()
            .zip(&layout.recoveries)
            .filter_map(|(crash, back)| Some(back.unwrap_or(7) - crash.as_ref()?))
            .sum();
        let drawn = "return [...document.querySelectorAll('#view .life.dead')] \
            .reduce((sum, line) => sum + (line.y2.baseVal.value - line.y1.baseVal.value) / 40, 0);";
        assert_eq!(browser.run(drawn).as_f64(), Some(f64::from(down)), "run {number}");
        // A late arrow ends at the height of its true arrival.
        let ends = "return [...document.querySelectorAll('#view .message.late .line')] \
            .map((line) => Math.round((line.getPointAtLength(line.getTotalLength()).y - 46) / 40 + 0.5));";
        let expected: Vec<u32> = late.iter().filter_map(|arrow| arrow.arrives).collect();
        if expected.iter().all(|arrives| *arrives <= 7) {
            assert_eq!(browser.run(ends), json!(expected), "run {number}");
        }
        (late_seen, back_seen, chosen_seen) =
            (late_seen + late.len(), back_seen + back, chosen_seen + chosen);
    }
    assert!(
        late_seen > 0 && back_seen > 0 && chosen_seen > 0,
        "{late_seen} {back_seen} {chosen_seen}"
    );
    let chosen = campaign.runs.iter().find(|run| run.faults.to_string().contains("input"));
    browser.open(&path, &format!("#run-{}/diagram", chosen.expect("there is one").run));
    assert!(browser.text("#run-faults").contains("input ask(\"a\", \"b\") @"));
    browser.run("document.querySelector('#view .input').dispatchEvent(new MouseEvent('click', {bubbles: true}))");
    assert!(
        browser.text("#panel").contains("without faults at time 1"),
        "{}",
        browser.text("#panel")
    );
    assert_quiet(&browser);
}

#[test]
fn printed_it_is_black_on_white_and_nothing_sticks_out() {
    let Some(browser) = Browser::start() else { return };
    let campaign = retry();
    let (_directory, path) = written(&campaign);
    browser.open(&path, "#run-1/diagram");
    browser.click("#theme");
    browser.emulate_print(794);
    let style = |selector: &str, property: &str| {
        browser.run(&format!(
            "return getComputedStyle(document.querySelector('{selector}')).{property}"
        ))
    };
    assert_eq!(style("body", "backgroundColor"), json!("rgb(255, 255, 255)"));
    assert_eq!(style("body", "color"), json!("rgb(0, 0, 0)"));
    for hidden in ["#theme", "#runs", "#tabs", "#panel", "footer kbd", "[data-open-run]"] {
        assert_eq!(style(hidden, "display"), json!("none"), "{hidden}");
    }
    for shown in [".badge.verdict", ".story", "#view svg", ".legend", ".source"] {
        assert_ne!(style(shown, "display"), json!("none"), "{shown}");
    }
    let wide = "return [...document.querySelectorAll('main *')].filter((each) => each.getClientRects().length \
        && each.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((each) => each.tagName + '.' + each.className)";
    assert_eq!(browser.run(wide), json!([]));
    let pages = browser.printed();
    assert!(pages.starts_with(b"%PDF-"), "no PDF");
    assert_quiet(&browser);
}

#[test]
fn a_run_that_was_not_kept_says_how_to_see_it() {
    let Some(browser) = Browser::start() else { return };
    let mut campaign = retry();
    campaign.kept.remove(&2);
    let (_directory, path) = written(&campaign);
    browser.open(&path, "#run-2/diagram");
    assert!(browser.text("#view").contains("linchpin report DIR --run 2"));
    let opened = html::render_with(&retry(), Some(3));
    std::fs::write(&path, opened).unwrap();
    browser.open(&path, "");
    assert!(browser.text("#run-title").starts_with("Run 3 "));
    assert_quiet(&browser);
}

#[test]
fn a_collection_lists_its_campaigns_and_leads_to_them() {
    let Some(browser) = Browser::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let campaign = retry();
    let entry = |name: &str, expected| Entry {
        directory: name.to_owned(),
        title: "<script>alert(1)</script>.ded".to_owned(),
        scenario: Some("\u{202e}losses".to_owned()),
        within: None,
        expected,
    };
    let collection = Collection {
        schema: COLLECTION_SCHEMA.to_owned(),
        tool: "linchpin 0.1.0".to_owned(),
        kind: CollectionKind::Each,
        arguments: vec!["specs".to_owned()],
        entries: vec![
            entry("one", Some(Verdict::Broken)),
            entry("two", Some(Verdict::Holds)),
            entry("three", None),
        ],
        result: None,
        complete: false,
    };
    let headers = [Some(campaign.header.clone()), Some(campaign.header.clone()), None];
    let one = directory.path().join("campaigns/one/report");
    std::fs::create_dir_all(&one).unwrap();
    std::fs::write(one.join("index.html"), html::render(&campaign)).unwrap();
    let report = directory.path().join("report");
    std::fs::create_dir_all(&report).unwrap();
    let path = report.join("index.html");
    std::fs::write(&path, html::index(&collection, &headers)).unwrap();
    browser.open(&path, "");
    assert_eq!(browser.count("tbody tr"), 3);
    assert_eq!(browser.count("tbody .badge.broken"), 2);
    assert_eq!(browser.count("tbody a"), 2);
    assert_eq!(browser.text("tbody .tag.bad"), "expected: holds");
    assert!(browser.text(".warning").contains("--resume"));
    assert_eq!(browser.count("script"), 0);
    assert_quiet(&browser);
    browser.click("tbody a");
    assert!(browser.text(".badge.verdict").contains("broken"));
}

#[test]
fn a_thousand_runs_and_five_thousand_facts_open_fast() {
    const RUNS: u64 = 1000;
    let Some(browser) = Browser::start() else { return };
    let campaign = synthetic::campaign(RUNS, 5000);
    let (_directory, path) = written(&campaign);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < 20_000_000, "{size} bytes");
    let opened = |fragment: &str| {
        browser.open(&path, fragment);
        browser
            .run("return performance.getEntriesByType('navigation')[0].domComplete")
            .as_f64()
            .unwrap()
    };
    // Other work on the machine may slow one attempt.
    let fastest = (0..3).map(|_| opened("")).fold(f64::INFINITY, f64::min);
    eprintln!("{size} bytes open in {fastest:.0} ms");
    assert!(fastest < 3000.0, "opened in {fastest} ms");
    assert_eq!(browser.count("#runs-body tr"), RUNS);
    assert!(browser.count("#view .message") > 400);
    browser.click("[role=tab][data-view=lineage]");
    browser.wait_for("document.querySelector('.lineage .fact')");
    assert!(browser.text("#view .count").contains("of 5001 facts"));
    let unfold = "const start = performance.now(); \
        [...document.querySelectorAll('#view button')].find((b) => b.textContent === 'unfold all').click(); \
        return performance.now() - start;";
    let took = browser.run(unfold).as_f64().unwrap();
    eprintln!("5000 facts unfold in {took:.0} ms");
    assert_eq!(browser.count(".lineage .fact"), 5001);
    assert!(took < 10_000.0, "unfolding took {took} ms");
    assert_quiet(&browser);
}
