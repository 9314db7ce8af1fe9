//! The plugin as a whole, over a few specs in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in the functions that it is made of too")]

use std::cell::RefCell;

use pu_plugin_keyword::Keyword;
use pu_plugin_sdk::{Assembly, Attr, Chunk, Failure, Hit, Listing, MockSpecs, Page, Query, SpecMeta, Specs, Task, run};

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
    assert_eq!(assembly.picks[0].spec, "specs/auth");
    assert_eq!(assembly.picks[0].reason, "title: sign, tokens");
    assert!(assembly.picks.iter().all(|pick| (0.0..=1.0).contains(&pick.score)));
}

#[test]
fn tags_and_identifiers_find_specs_that_the_prompt_does_not_name() {
    let tagged = Task { tags: vec!["billing".into()], ..Task::new("round the amounts") };
    assert_eq!(picks("{}", &tagged)[0], "specs/ledger");
    assert_eq!(picks("{}", &Task::new("rename leaseTable"))[0], "specs/lease_table");
    let file = Task { mentioned_files: vec!["src/lease_table.rs".into()], ..Task::new("speed this up") };
    assert_eq!(picks("{}", &file)[0], "specs/lease_table");
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

/// The same specs, with what was asked of them; optionally as an index that finds an id.
#[derive(Default)]
struct Watched {
    asked: RefCell<Vec<String>>,
    read: RefCell<Vec<String>>,
    /// The spec that every text names by id.
    named: Option<&'static str>,
}

impl Specs for Watched {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, Failure> {
        self.asked.borrow_mut().push(query.text.clone());
        let mut hits = specs().search(query)?;
        for hit in hits.iter_mut().filter(|hit| Some(hit.spec.id.as_str()) == self.named) {
            hit.extra.push(Attr { key: "score.id".into(), value: "1.000".into() });
        }
        Ok(hits)
    }

    fn list(&self, listing: &Listing) -> Result<Page, Failure> {
        specs().list(listing)
    }

    fn get(&self, id: &str) -> Result<SpecMeta, Failure> {
        specs().get(id)
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, Failure> {
        self.read.borrow_mut().push(id.to_owned());
        specs().read(id, section)
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, Failure> {
        self.read.borrow_mut().push(id.to_owned());
        specs().read_range(id, offset, length)
    }
}

/// The index finds the ids that a text names: it must get them as they were written.
#[test]
fn ids_are_searched_as_the_task_has_them_wherever_it_has_them() {
    let watched = Watched::default();
    let task = Task {
        tags: vec!["STORE-006".into(), "api".into()],
        ..Task::new("Fix DAEMON-001 and DAEMON-006\n\nas AGENT-LIFE-005\nsays")
    };
    run::<Keyword>("{}", &task, &watched).unwrap();
    let prompt = "Fix DAEMON-001 and DAEMON-006\n\nas AGENT-LIFE-005\nsays";
    assert_eq!(*watched.asked.borrow(), [prompt, "STORE-006, api"]);
}

#[test]
fn a_spec_that_the_task_names_by_id_comes_first_and_says_so() {
    let task = Task::new("ledger invariants\n\nand the style");
    assert_eq!(picks("{}", &task), ["specs/ledger", "specs/style"]);
    let named = Watched { named: Some("specs/style"), ..Watched::default() };
    let assembly = run::<Keyword>("{}", &task, &named).unwrap();
    let first = &assembly.picks[0];
    assert_eq!((first.spec.as_str(), first.score), ("specs/style", 1.0));
    assert_eq!(first.reason, "the task names it by id; title: style");
    assert_eq!(assembly.picks[1].spec, "specs/ledger");
    assert!(assembly.picks[1].score < 1.0, "an id makes nothing else surer");
}

#[test]
fn what_the_text_has_is_a_reason_and_no_text_is_read_for_it() {
    let watched = Watched::default();
    let task = Task { tags: vec!["billing".into()], ..Task::new("tokens valid for an hour") };
    let assembly = run::<Keyword>("{}", &task, &watched).unwrap();
    assert_eq!(assembly.picks[0].reason, "title: tokens; text: valid, hour");
    assert_eq!(*watched.read.borrow(), Vec::<String>::new());
}

/// A megabyte of prompt is looked at up to where a search ends, and its start still finds what it is about.
#[test]
fn a_huge_prompt_is_cut_between_characters() {
    let watched = Watched::default();
    let prompt = format!("Sign-in tokens\n\n{}", "größe einerVariable, ".repeat(50_000));
    let assembly = run::<Keyword>("{}", &Task::new(prompt), &watched).unwrap();
    assert_eq!(assembly.picks[0].spec, "specs/auth");
    let lengths: Vec<usize> = watched.asked.borrow().iter().map(String::len).collect();
    assert!(lengths.len() == 1 && lengths[0] <= 16 * 1024, "{lengths:?}");
}
