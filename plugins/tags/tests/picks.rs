//! The plugin as a whole, over a few specs in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in the functions that it is made of too")]

use std::cell::RefCell;

use pu_plugin_sdk::{
    Assembly, ChangedFile, Chunk, Failure, Hit, Listing, MockSpecs, Page, Query, SpecMeta, Specs, Task, run,
};
use pu_plugin_tags::Tags;

fn specs() -> MockSpecs {
    MockSpecs::default()
        .with(
            "specs/daemon.md",
            "---\nid: DAEMON-006\ntags: [daemon]\n---\n# Recovery\nSee [the lock](lock.md) and [style](../STYLE.md).\n",
        )
        .with("specs/lock.md", "---\ntags: [daemon, files]\n---\n# The lock\nOne daemon.\n")
        .with("specs/ts.md", "---\nglobs: [\"web/**/*.ts\", \"*.tsx\"]\n---\n# TypeScript\nSee [lock](lock.md).\n")
        .with("AGENTS.md", "# House rules\nSee [style](STYLE.md).\n")
        .with_attribute("AGENTS.md", "rule.mode", "always")
        .with_attribute("AGENTS.md", "native", "codex")
        .with(".rules/release.mdc", "# How to release\n")
        .with_attribute(".rules/release.mdc", "rule.mode", "manual")
        .with("STYLE.md", "# Style\nPlain words.\n")
}

fn assemble(task: &Task) -> Assembly {
    run::<Tags>("{}", task, &specs()).unwrap()
}

fn picks(task: &Task) -> Vec<(String, f32, String)> {
    assemble(task).picks.into_iter().map(|pick| (pick.spec, pick.score, pick.reason)).collect()
}

fn owned(expected: &[(&str, f32, &str)]) -> Vec<(String, f32, String)> {
    expected.iter().map(|(spec, score, reason)| ((*spec).to_owned(), *score, (*reason).to_owned())).collect()
}

const ALWAYS: (&str, f32, &str) = ("AGENTS", 1.0, "always applies");

#[test]
fn a_task_that_names_nothing_gets_the_rules_that_always_apply() {
    assert_eq!(picks(&Task::new("fix the race in the daemon")), owned(&[ALWAYS]));
}

#[test]
fn an_id_names_its_spec_which_leads_on_by_its_links() {
    let task = Task { tags: vec!["DAEMON-006".into()], ..Task::new("as [DAEMON-006] says") };
    let linked = "linked from specs/daemon.md";
    let expected =
        [("DAEMON-006", 1.0, "the task names DAEMON-006"), ALWAYS, ("specs/lock", 0.3, linked), ("STYLE", 0.3, linked)];
    assert_eq!(picks(&task), owned(&expected));
}

#[test]
fn a_tag_finds_the_specs_that_have_it() {
    let task = Task { tags: vec!["Daemon".into()], ..Task::new("#Daemon") };
    let has = "has the tag Daemon";
    let expected =
        [ALWAYS, ("DAEMON-006", 0.8, has), ("specs/lock", 0.8, has), ("STYLE", 0.3, "linked from specs/daemon.md")];
    assert_eq!(picks(&task), owned(&expected));
}

#[test]
fn a_file_brings_the_rules_that_are_for_it() {
    let named = Task { mentioned_files: vec!["web/src/a.ts".into()], ..Task::new("fix web/src/a.ts") };
    let lock = ("specs/lock", 0.3, "linked from specs/ts.md");
    let expected = [ALWAYS, ("specs/ts", 0.9, "applies to web/src/a.ts (named): web/**/*.ts"), lock];
    assert_eq!(picks(&named), owned(&expected));
    let changed_files = vec![ChangedFile { path: "x/b.tsx".into(), status: "added".into() }];
    let expected = [ALWAYS, ("specs/ts", 0.8, "applies to x/b.tsx (changed): *.tsx"), lock];
    assert_eq!(picks(&Task { changed_files, ..Task::new("go on") }), owned(&expected));
    let other = Task { mentioned_files: vec!["cli/a.rs".into()], ..Task::new("fix cli/a.rs") };
    assert_eq!(picks(&other), owned(&[ALWAYS]));
}

#[test]
fn a_spec_is_named_by_its_file_and_a_manual_rule_by_its_name() {
    let file = Task { mentioned_files: vec!["STYLE.md".into()], ..Task::new("follow STYLE.md") };
    assert_eq!(picks(&file), owned(&[("STYLE", 1.0, "the task names its file"), ALWAYS]));
    let expected = [(".rules/release", 1.0, "the task names it"), ALWAYS];
    assert_eq!(picks(&Task::new("cut 1.2 as @release says")), owned(&expected));
}

#[test]
fn what_the_agent_loads_by_itself_is_told_and_not_picked() {
    let assembly = assemble(&Task { agent: "codex".into(), ..Task::new("fix it") });
    assert_eq!((assembly.picks.len(), assembly.notes.len()), (0, 1));
    assert_eq!(assembly.notes[0], "codex loads by itself, so not picked: AGENTS.md");
}

/// Whoever merges can tell what has to be there from what was found.
#[test]
fn a_rule_is_marked_as_one() {
    let task = Task { mentioned_files: vec!["web/src/a.ts".into()], ..Task::new("fix web/src/a.ts") };
    let marks = assemble(&task).picks.into_iter().map(|p| p.extra.into_iter().map(|a| (a.key, a.value)).next());
    let rule = |kind: &str| Some(("rule".to_owned(), kind.to_owned()));
    assert_eq!(marks.collect::<Vec<_>>(), [rule("always"), rule("globs"), None]);
}

#[test]
fn limit_and_links_act() {
    let task = Task { tags: vec!["DAEMON-006".into()], ..Task::default() };
    let picks = |config: &str| run::<Tags>(config, &task, &specs()).unwrap().picks.len();
    assert_eq!((picks("{}"), picks(r#"{"limit": 1}"#), picks(r#"{"link_sources": 0}"#)), (4, 1, 2));
    assert_eq!(run::<Tags>(r#"{"limit": 0}"#, &task, &specs()).unwrap_err().code, "config_invalid");
}

/// The same specs, counting what was asked of them.
#[derive(Default)]
struct Watched {
    asked: RefCell<Vec<&'static str>>,
}

impl Specs for Watched {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, Failure> {
        self.asked.borrow_mut().push("search");
        specs().search(query)
    }

    fn list(&self, listing: &Listing) -> Result<Page, Failure> {
        self.asked.borrow_mut().push("list");
        specs().list(listing)
    }

    fn get(&self, id: &str) -> Result<SpecMeta, Failure> {
        self.asked.borrow_mut().push("get");
        specs().get(id)
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, Failure> {
        self.asked.borrow_mut().push("read");
        specs().read(id, section)
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, Failure> {
        self.asked.borrow_mut().push("read_range");
        specs().read_range(id, offset, length)
    }
}

/// A spawn waits for this: one look for rules is all that a plain task costs.
#[test]
fn a_plain_task_costs_one_listing() {
    let watched = Watched::default();
    run::<Tags>("{}", &Task::new("fix the race"), &watched).unwrap();
    assert_eq!(*watched.asked.borrow(), ["list"]);
}
