//! The plugin as a whole, over a few specs in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in the functions that it is made of too")]

use pu_plugin_context_map::ContextMap;
use pu_plugin_sdk::{Assembly, Label, MockSpecs, Task, run};

fn specs() -> MockSpecs {
    MockSpecs::default()
        .with("specs/ledger.md", "---\nid: LEDGER\n---\n# Ledger\nTwo sides.\n")
        .with("specs/billing/run.md", "# The run\nNightly.\n")
        .with("specs/billing/tax.md", "# Tax\nRounded.\n")
        .with("docs/style.md", "# Style\nPlain.\n")
}

const MAP: &str = r#"{"map": [
    {"when": {"words": ["invoice", "refund"]}, "specs": ["LEDGER", "specs/billing/*.md"], "from": "billing.toml"},
    {"when": {"labels": "docs"}, "specs": "docs/style.md", "score": 0.5, "reason": "how we write"},
    {"when": {"words": "tax"}, "specs": ["specs/billing/tax.md", "NONE", "gone/**"], "score": 1.0}
]}"#;

fn assemble(map: &str, task: &Task) -> Assembly {
    run::<ContextMap>(map, task, &specs()).unwrap()
}

fn picks(task: &Task) -> Vec<(String, f32, String)> {
    assemble(MAP, task).picks.into_iter().map(|pick| (pick.spec, pick.score, pick.reason)).collect()
}

fn owned(expected: &[(&str, f32, &str)]) -> Vec<(String, f32, String)> {
    expected.iter().map(|(spec, score, reason)| ((*spec).to_owned(), *score, (*reason).to_owned())).collect()
}

#[test]
fn what_is_mapped_is_picked_with_what_matched_and_where_that_is_written() {
    let why = "the task says \"refund\" (.pu/context/billing.toml)";
    let expected = [("LEDGER", 0.9, why), ("specs/billing/run", 0.9, why), ("specs/billing/tax", 0.9, why)];
    assert_eq!(picks(&Task::new("Round a refund down")), owned(&expected));
    assert_eq!(picks(&Task::new("Fix the login")), []);
}

#[test]
fn labels_of_those_before_lead_to_specs() {
    let labels = vec![Label { name: "docs".into(), confidence: 0.8 }];
    assert_eq!(picks(&Task { labels, ..Task::new("x") }), owned(&[("docs/style", 0.5, "how we write")]));
    let labels = vec![Label { name: "docs".into(), confidence: 0.2 }];
    assert_eq!(picks(&Task { labels, ..Task::new("x") }), []);
}

#[test]
fn the_better_score_counts_and_what_is_not_there_is_told() {
    let assembly = assemble(MAP, &Task::new("the tax of an invoice"));
    assert_eq!((assembly.picks.len(), assembly.picks[0].spec.as_str()), (3, "specs/billing/tax"));
    assert_eq!(assembly.picks[0].reason, "the task says \"tax\"");
    assert_eq!(assembly.notes, ["map.2: there is no spec NONE", "map.2: there is no spec gone/**"]);
}

#[test]
fn without_a_map_nothing_is_done_and_nothing_said() {
    assert_eq!(assemble("{}", &Task::new("the tax of an invoice")), Assembly::default());
}

#[test]
fn a_pattern_that_is_none_is_told_with_its_file() {
    let map = r#"{"map": [{"when": {"pattern": "("}, "specs": "LEDGER", "from": "a.toml"}]}"#;
    let failure = run::<ContextMap>(map, &Task::new("x"), &specs()).unwrap_err();
    assert_eq!(failure.code, "config_invalid");
    assert!(failure.message.starts_with("an entry of .pu/context/a.toml: the pattern"), "{}", failure.message);
}
