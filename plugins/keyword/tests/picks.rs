//! The plugin as a whole, over a few specs in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in the functions that it is made of too")]

use pu_plugin_keyword::Keyword;
use pu_plugin_sdk::{Assembly, MockSpecs, Task, run};

fn specs() -> MockSpecs {
    MockSpecs::default()
        .with("specs/auth.md", "---\ntags: [security]\n---\n# Sign-in tokens\nA token is valid for an hour.\n")
        .with("specs/ledger.md", "---\ntags: [billing]\n---\n# Ledger invariants\nEvery entry has two sides.\n")
        .with("specs/lease_table.md", "# Leases\n`LeaseTable` holds who owns what.\n")
        .with("specs/style.md", "# Style\nPlain words.\n")
}

fn picks(config: &str, task: &Task) -> Vec<String> {
    assemble(config, task).picks.into_iter().map(|pick| pick.spec).collect()
}

fn assemble(config: &str, task: &Task) -> Assembly {
    run::<Keyword>(config, task, &specs()).unwrap()
}

#[test]
fn the_spec_that_the_prompt_is_about_comes_first_with_its_reason() {
    let assembly = assemble("{}", &Task::new("Let sign-in tokens live for a day"));
    assert_eq!(assembly.picks[0].spec, "specs/auth.md");
    assert_eq!(assembly.picks[0].reason, "title: sign, tokens");
    assert!(assembly.picks.iter().all(|pick| (0.0..=1.0).contains(&pick.score)));
}

#[test]
fn tags_and_identifiers_find_specs_that_the_prompt_does_not_name() {
    let tagged = Task { tags: vec!["billing".into()], ..Task::new("round the amounts") };
    assert_eq!(picks("{}", &tagged)[0], "specs/ledger.md");
    assert_eq!(picks("{}", &Task::new("rename leaseTable"))[0], "specs/lease_table.md");
    let file = Task { mentioned_files: vec!["src/lease_table.rs".into()], ..Task::new("speed this up") };
    assert_eq!(picks("{}", &file)[0], "specs/lease_table.md");
}

#[test]
fn nothing_in_common_is_no_pick() {
    assert_eq!(picks("{}", &Task::new("zebra")), Vec::<String>::new());
    assert_eq!(picks("{}", &Task::new("")), Vec::<String>::new());
}

#[test]
fn limit_and_min_score_act() {
    let task = Task::new("ledger tokens style");
    assert_eq!(picks("{}", &task).len(), 3);
    assert_eq!(picks(r#"{"limit": 1}"#, &task).len(), 1);
    assert_eq!(picks(r#"{"min_score": 1.0}"#, &task).len(), 0);
}

#[test]
fn the_same_task_gives_the_same_answer() {
    let task = Task::new("ledger tokens style leases");
    assert_eq!(assemble("{}", &task), assemble("{}", &task));
}

#[test]
fn a_config_out_of_range_is_refused() {
    let failure = run::<Keyword>(r#"{"limit": 900}"#, &Task::default(), &specs()).unwrap_err();
    assert_eq!(failure.code, "config_invalid");
}
