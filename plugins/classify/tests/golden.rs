//! What kind prompts are of, by hand, and what the plugin says; and the plugin as a whole over a few specs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in the functions that it is made of too")]

use std::collections::BTreeMap;

use pu_plugin_classify::Classify;
use pu_plugin_sdk::{Assembly, MockSpecs, Task, run};

/// A kind, or `none`, and a prompt on each line.
const GOLDEN: &str = include_str!("golden.tsv");

fn assemble(prompt: &str, specs: &MockSpecs) -> Assembly {
    run::<Classify>("{}", &Task::new(prompt), specs).unwrap()
}

/// `cargo nextest run -p pu-plugin-classify --no-capture golden` prints the figures.
#[test]
fn the_golden_prompts_are_of_the_kind_that_they_are() {
    let specs = MockSpecs::default();
    // For each kind that was told: how often, and how often rightly; and the same for how sure it was.
    let mut told: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut sure: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    let (mut all, mut right, mut wrong) = (0_u32, 0_u32, Vec::new());
    for line in GOLDEN.lines() {
        let (kind, prompt) = line.split_once('\t').unwrap();
        let label = assemble(prompt, &specs).labels.into_iter().next();
        let found = label.as_ref().map_or("none", |label| label.name.as_str());
        let is_right = u32::from(found == kind);
        all += 1;
        right += is_right;
        let count = told.entry(found.to_owned()).or_default();
        *count = (count.0 + 1, count.1 + is_right);
        if let Some(label) = &label {
            let count = sure.entry((label.confidence * 10.0) as u32).or_default();
            *count = (count.0 + 1, count.1 + is_right);
        }
        if is_right == 0 {
            wrong.push(format!("{kind}, not {found}: {prompt}"));
        }
    }
    for (kind, (told, right)) in &told {
        println!("{kind:12} precision {right}/{told}");
    }
    for (tenth, (told, right)) in &sure {
        println!("confidence 0.{tenth} and above: right {right}/{told}");
    }
    println!("{right} of {all}\n{}", wrong.join("\n"));
    assert!(all >= 60, "{all} prompts");
    assert!(right * 100 >= all * 95, "{right} of {all}: {wrong:#?}");
    assert!(told.values().all(|(told, right)| right * 100 >= told * 85), "{told:?}: {wrong:#?}");
}

fn specs() -> MockSpecs {
    MockSpecs::default()
        .with("specs/bugs.md", "---\nfor: [fix]\n---\n# How we fix bugs\nA test first.\n")
        .with("specs/billing/ledger.md", "---\ntags: [billing]\n---\n# Ledger\nTwo sides.\n")
        .with("specs/billing/rules.md", "---\nlabels: billing\n---\n# Rules of money\nWhole cents.\n")
        .with("specs/releases.md", "---\nkinds: [release, docs]\n---\n# Releases\nEvery month.\n")
}

#[test]
fn a_task_gets_its_kind_and_its_part_and_the_specs_that_are_for_them() {
    let assembly = assemble("Fix the bug in the billing of refunds", &specs());
    let labels: Vec<&str> = assembly.labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(labels, ["fix", "billing"]);
    let picks: Vec<(&str, &str)> = assembly.picks.iter().map(|p| (p.spec.as_str(), p.reason.as_str())).collect();
    let expected = [
        ("specs/bugs", "it is for tasks of the kind fix"),
        ("specs/billing/rules", "it is for tasks of the kind billing"),
    ];
    assert_eq!(picks, expected);
    assert!(assembly.picks.iter().all(|pick| (0.3..=0.7).contains(&pick.score)), "{assembly:?}");
}

#[test]
fn what_says_nothing_gets_no_label_and_no_pick() {
    for prompt in ["", "zebra", "Почини вход"] {
        assert_eq!(assemble(prompt, &specs()), Assembly::default(), "{prompt}");
    }
}

#[test]
fn a_spec_that_the_agent_loads_by_itself_is_not_picked() {
    let specs = specs().with_attribute("specs/bugs.md", "native", "claude");
    let task = Task { agent: "claude".into(), ..Task::new("fix the crash") };
    assert_eq!(run::<Classify>("{}", &task, &specs).unwrap().picks, []);
}

#[test]
fn min_confidence_acts() {
    let labels = |config: &str| run::<Classify>(config, &Task::new("fix the crash"), &specs()).unwrap().labels.len();
    assert_eq!((labels("{}"), labels(r#"{"min_confidence": 0.99}"#)), (1, 0));
}
