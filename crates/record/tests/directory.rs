//! What is written is read again, and whatever else is found is named.

mod support;

use std::fs;
use std::path::Path;

use linchpin_model::FaultSet;
use linchpin_record::{Campaign, CampaignError, Existing, TraceCampaign, Writer};
use support::{conclusion, header, run, summary};

fn write(directory: &Path) {
    let mut writer = Writer::create(directory, header(), Existing::Refuse).unwrap();
    for number in 0..5 {
        writer.finish_run(&summary(number)).unwrap();
    }
    writer.keep_run(&run(0)).unwrap();
    writer.keep_run(&run(2)).unwrap();
    writer.conclude(conclusion(5)).unwrap();
    writer.write_report("index.html", b"<!doctype html>").unwrap();
}

#[test]
fn a_campaign_reads_back_as_written() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("new/out");
    write(&directory);
    let campaign = Campaign::load(&directory).unwrap();
    assert_eq!(campaign.header.conclusion, Some(conclusion(5)));
    assert_eq!(campaign.runs, (0..5).map(summary).collect::<Vec<_>>());
    assert_eq!(campaign.kept.into_values().collect::<Vec<_>>(), [run(0), run(2)]);
    assert_eq!(campaign.torn, None);
    let names: Vec<_> = fs::read_dir(directory.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing stays beside the directory: {names:?}");
}

#[test]
fn the_same_campaign_writes_the_same_bytes() {
    let parent = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| parent.path().join(name));
    write(&one);
    write(&two);
    for name in ["campaign.json", "runs.jsonl", "runs/0.json", "runs/2.json"] {
        assert_eq!(fs::read(one.join(name)).unwrap(), fs::read(two.join(name)).unwrap(), "{name}");
    }
    let lines = fs::read_to_string(one.join("runs.jsonl")).unwrap();
    assert_eq!(
        lines.lines().nth(2).unwrap(),
        r#"{"run":2,"faults":[{"kind":"omit","from":"a","to":"b","at":2},{"kind":"crash","node":"b","at":2}],"outcome":"bad"}"#
    );
}

#[test]
fn the_nearest_good_run_has_most_of_the_faults() {
    let parent = tempfile::tempdir().unwrap();
    write(parent.path());
    let campaign = Campaign::load(parent.path()).unwrap();
    let all: FaultSet =
        (0..5).flat_map(|n| summary(n).faults.iter().cloned().collect::<Vec<_>>()).collect();
    assert_eq!(campaign.nearest_good(&all).unwrap().run, 1);
    assert_eq!(campaign.nearest_good(&summary(2).faults).unwrap().run, 0);
}

#[test]
fn a_torn_last_line_is_ignored_and_cut_off() {
    let parent = tempfile::tempdir().unwrap();
    write(parent.path());
    let path = parent.path().join("runs.jsonl");
    let whole = fs::read(&path).unwrap();
    let last_line = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n').unwrap() + 1;
    for end in last_line..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let campaign = Campaign::load(parent.path()).unwrap();
        assert_eq!(campaign.runs.len(), 4);
        assert_eq!(campaign.torn.is_some(), end > last_line);
        let (_, mut writer) = Writer::resume(parent.path()).unwrap();
        writer.finish_run(&summary(4)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn damage_elsewhere_is_an_error_with_its_place() {
    let parent = tempfile::tempdir().unwrap();
    write(parent.path());
    let path = parent.path().join("runs.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let message = |content: String| {
        fs::write(&path, content).unwrap();
        Campaign::load(parent.path()).unwrap_err().to_string()
    };
    assert!(
        message(text.replacen("\"run\":1", "\"ran\":1", 1)).contains("line 2: missing field `run`")
    );
    assert!(message(text.replacen("\"run\":3", "\"run\":4", 1)).contains("line 4: expected run 3"));
    assert!(message(text.replacen("omit", "burn", 1)).contains("unknown kind of fault `burn`"));
    assert!(message(text.replacen("good", "fine", 1)).contains("unknown variant `fine`"));
    fs::write(&path, &text).unwrap();
    let kept = parent.path().join("runs/2.json");
    let content = fs::read_to_string(&kept).unwrap();
    for (from, to) in
        [("\"relation\":1", "\"relation\":9"), ("\"premises\":[0]", "\"premises\":[5]")]
    {
        fs::write(&kept, content.replacen(from, to, 1)).unwrap();
        assert!(
            matches!(Campaign::load(parent.path()), Err(CampaignError::Damaged { .. })),
            "{to}"
        );
    }
    fs::write(&kept, content.replacen("run/1", "run/2", 1)).unwrap();
    assert!(matches!(Campaign::load(parent.path()), Err(CampaignError::Schema { .. })));
}

#[test]
fn foreign_directories_are_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("thesis.tex"), "years of work").unwrap();
    for existing in [Existing::Refuse, Existing::Replace] {
        let error = Writer::create(parent.path(), header(), existing).unwrap_err();
        assert!(matches!(error, CampaignError::Foreign { .. }), "{error}");
    }
    assert!(matches!(Campaign::load(parent.path()), Err(CampaignError::NotACampaign { .. })));
    let absent = parent.path().join("absent");
    assert!(matches!(Campaign::load(&absent), Err(CampaignError::NoDirectory { .. })));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    // Others call a file `campaign.json` too.
    fs::write(parent.path().join("campaign.json"), r#"{"candidate": "me"}"#).unwrap();
    fs::create_dir(parent.path().join("runs")).unwrap();
    let error = Writer::create(parent.path(), header(), Existing::Replace).unwrap_err();
    assert!(matches!(error, CampaignError::Foreign { .. }), "{error}");
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 3);
}

#[test]
fn a_campaign_of_another_kind_says_what_is_wanted() {
    let parent = tempfile::tempdir().unwrap();
    write(parent.path());
    let error = TraceCampaign::load(parent.path()).unwrap_err().to_string();
    assert!(error.contains("name a folder that `linchpin run`"), "{error}");
    // A damaged one may be replaced: it is ours.
    fs::write(parent.path().join("campaign.json"), r#"{"schema":"linchpin.cam"#).unwrap();
    Writer::create(parent.path(), header(), Existing::Replace).unwrap();
    assert!(Campaign::load(parent.path()).unwrap().runs.is_empty());
}

#[test]
fn an_older_campaign_is_replaced_only_when_asked() {
    let parent = tempfile::tempdir().unwrap();
    write(parent.path());
    let refused = Writer::create(parent.path(), header(), Existing::Refuse).unwrap_err();
    assert!(matches!(refused, CampaignError::Exists { .. }));
    Writer::create(parent.path(), header(), Existing::Replace).unwrap();
    let campaign = Campaign::load(parent.path()).unwrap();
    assert!(campaign.runs.is_empty() && campaign.kept.is_empty());
    assert_eq!(campaign.header.conclusion, None);
}

#[test]
fn there_is_one_writer_at_a_time() {
    let parent = tempfile::tempdir().unwrap();
    let writer = Writer::create(parent.path(), header(), Existing::Refuse).unwrap();
    assert!(matches!(Writer::resume(parent.path()), Err(CampaignError::Locked { .. })));
    let replaced = Writer::create(parent.path(), header(), Existing::Replace);
    assert!(matches!(replaced, Err(CampaignError::Locked { .. })));
    Campaign::load(parent.path()).unwrap();
    drop(writer);
    Writer::resume(parent.path()).unwrap();
}
