//! Which part of the project a task touches, by what the project's own specs call its parts.
//!
//! A part is a tag, or a folder, of some specs and not of most. A task touches it if it says its name, or words that stand
//! in the titles of its specs and of few others. Learnt anew for each task, from a bounded number of specs.

use std::collections::{BTreeMap, BTreeSet};

use pu_plugin_sdk::{Failure, Label, Listing, SpecMeta, Specs, Task};

use crate::kinds::KINDS;
use crate::words::{self, stem};

const PAGE: u32 = 128;
/// Words of the details, and files, that are looked at.
const WORDS_MAX: usize = 200;
/// How much a word counts by where the task has it.
const SUBJECT: f32 = 1.0;
const DETAILS: f32 = 0.4;
const TAG: f32 = 1.5;
const FILE: f32 = 0.6;
/// What a part's name counts beside one telling word of a title; and what all words of titles count at most.
const NAME: f32 = 3.0;
const TITLES_MAX: f32 = 2.0;
/// A part gets this on no word at all: who knows one weak word is not sure.
const DOUBT: f32 = 1.5;
/// Of the runner-up's evidence, what makes the best less sure: a spec may well be of two parts.
const RIVAL: f32 = 0.5;
/// A part that more than this share of the specs are of is the project, not a part.
const MOST: f32 = 0.6;
const NAME_MAX: usize = 64;
/// Folders that hold specs and say nothing of what they are about, and words of titles that do not.
const GENERIC: [&str; 24] = [
    "specs",
    "spec",
    "docs",
    "doc",
    "rfcs",
    "rfc",
    "adr",
    "proposals",
    "design",
    "designs",
    "src",
    "main",
    "guide",
    "guides",
    "reference",
    "text",
    "content",
    "pages",
    "draft",
    "drafts",
    "archive",
    "with",
    "from",
    "this",
];

/// The parts that a task touches, the surest first.
pub(crate) fn of(task: &Task, specs: &dyn Specs, most: u32) -> Result<Vec<Label>, Failure> {
    let said = Said::of(task);
    if most == 0 || said.weights.is_empty() {
        return Ok(Vec::new());
    }
    let mut learnt = Learnt::default();
    let mut listing = Listing::first(PAGE.min(most));
    loop {
        let page = specs.list(&listing)?;
        page.specs.iter().for_each(|spec| learnt.add(spec));
        let left = most.saturating_sub(u32::try_from(learnt.titles.len()).unwrap_or(u32::MAX));
        if left == 0 || page.next.is_none() {
            break;
        }
        (listing.cursor, listing.limit) = (page.next, PAGE.min(left));
    }
    Ok(labels(learnt.scores(&said)))
}

/// How sure each score is, beside the best of the others.
fn labels(mut scores: Vec<(String, f32)>) -> Vec<Label> {
    // Stable, so that equal ones stay in the order of their names.
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (best, second) = (scores.first().map_or(0.0, |s| s.1), scores.get(1).map_or(0.0, |s| s.1));
    let confidence = |at: usize, score: f32| score / (score + DOUBT + RIVAL * if at == 0 { second } else { best });
    let label = |(at, (name, score)): (usize, (String, f32))| Label { name, confidence: confidence(at, score) };
    scores.into_iter().enumerate().map(label).collect()
}

/// What a task says: the stems of its words, each with how much it counts.
#[derive(Debug, Default)]
struct Said {
    weights: BTreeMap<String, f32>,
}

impl Said {
    fn of(task: &Task) -> Self {
        let mut said = Self::default();
        said.add(task.subject(), SUBJECT);
        said.add(task.details(), DETAILS);
        task.tags.iter().for_each(|tag| said.add(tag, TAG));
        let changed = task.changed_files.iter().map(|file| file.path.as_str());
        let files = task.mentioned_files.iter().map(String::as_str).chain(changed);
        files.take(WORDS_MAX).for_each(|path| said.add(path, FILE));
        said
    }

    fn add(&mut self, text: &str, weight: f32) {
        for word in words::of(text).take(WORDS_MAX) {
            let known = self.weights.entry(stem(&word).to_owned()).or_default();
            *known = known.max(weight);
        }
    }

    fn weight(&self, stem: &str) -> f32 {
        self.weights.get(stem).copied().unwrap_or_default()
    }
}

/// What the specs call the parts of the project.
#[derive(Debug, Default)]
struct Learnt {
    /// The telling stems of each spec's title.
    titles: Vec<BTreeSet<String>>,
    /// The specs of each part, as places in `titles`.
    parts: BTreeMap<String, BTreeSet<usize>>,
}

impl Learnt {
    fn add(&mut self, spec: &SpecMeta) {
        let at = self.titles.len();
        let telling =
            words::of(&spec.title).filter(|word| word.chars().count() > 3 && !GENERIC.contains(&word.as_str()));
        self.titles.push(telling.map(|word| stem(&word).to_owned()).collect());
        let folders = spec.path.split('/').rev().skip(1);
        for name in spec.tags.iter().map(String::as_str).chain(folders).map(str::to_lowercase) {
            let is_name =
                name.contains(char::is_alphabetic) && name.chars().count() <= NAME_MAX && !name.starts_with('.');
            if is_name && !GENERIC.contains(&name.as_str()) && !KINDS.contains(&name.as_str()) {
                self.parts.entry(name).or_default().insert(at);
            }
        }
    }

    /// What of the task speaks for each part, where something does.
    fn scores(&self, said: &Said) -> Vec<(String, f32)> {
        let mut shared: BTreeMap<&str, f32> = BTreeMap::new();
        for stem in self.titles.iter().flatten().filter(|stem| said.weight(stem) > 0.0) {
            *shared.entry(stem).or_default() += 1.0;
        }
        let most = (MOST * self.titles.len() as f32).max(2.0);
        let parts = self.parts.iter().filter(|(_, specs)| specs.len() as f32 <= most);
        let score = |(name, specs): (&String, &BTreeSet<usize>)| {
            let titles = specs.iter().filter_map(|at| self.titles.get(*at)).flatten();
            let by_titles: f32 = titles.map(|stem| said.weight(stem) / shared.get(stem.as_str()).unwrap_or(&1.0)).sum();
            (name.clone(), NAME * named(name, said) + by_titles.min(TITLES_MAX))
        };
        parts.map(score).filter(|(_, score)| *score > 0.0).collect()
    }
}

/// How much the task says a part's name: all of its words.
fn named(name: &str, said: &Said) -> f32 {
    let weights = words::of(name).map(|word| said.weight(stem(&word)));
    weights.reduce(f32::min).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::MockSpecs;

    fn specs() -> MockSpecs {
        MockSpecs::default()
            .with("specs/billing/ledger.md", "# Ledger invariants\n")
            .with("specs/billing/tax.md", "---\ntags: [money]\n---\n# Rounding of taxes\n")
            .with("specs/sign-in/tokens.md", "---\ntags: [auth]\n---\n# Session tokens\n")
            .with("specs/sign-in/passkeys.md", "---\ntags: [auth]\n---\n# Passkeys\n")
            .with("specs/style.md", "# Style of commits\n")
    }

    fn found(task: &Task) -> Vec<String> {
        let labels = of(task, &specs(), 256).unwrap();
        assert!(labels.iter().all(|label| (0.0..=1.0).contains(&label.confidence)), "{labels:?}");
        labels.into_iter().filter(|label| label.confidence >= 0.35).map(|label| label.name).collect()
    }

    #[test]
    fn a_part_is_known_by_its_name_and_by_the_titles_of_its_specs() {
        assert_eq!(found(&Task::new("Fix billing of refunds"))[0], "billing");
        assert_eq!(found(&Task::new("Let sign-in take an hour"))[0], "sign-in");
        assert!(found(&Task::new("Rotate passkeys and session tokens")).contains(&"auth".to_owned()));
        let file = Task { mentioned_files: vec!["src/billing/run.rs".into()], ..Task::new("speed it up") };
        assert_eq!(found(&file), ["billing"]);
    }

    #[test]
    fn what_says_nothing_of_a_part_gets_none() {
        for prompt in ["", "zebra", "Fix the style", "with this"] {
            assert_eq!(found(&Task::new(prompt)), Vec::<String>::new(), "{prompt}");
        }
    }

    #[test]
    fn what_most_specs_are_of_is_no_part_and_a_kind_is_none() {
        let mut specs = MockSpecs::default();
        for n in 0..5 {
            specs = specs.with(&format!("specs/{n}.md"), "---\ntags: [product, docs]\n---\n# One\n");
        }
        assert_eq!(of(&Task::new("docs of the product"), &specs, 256), Ok(vec![]));
    }

    #[test]
    fn no_more_specs_are_looked_at_than_may_be() {
        assert_eq!(of(&Task::new("Fix billing"), &specs(), 0), Ok(vec![]));
        let few = of(&Task::new("Rotate passkeys"), &specs(), 2).unwrap();
        assert!(few.is_empty(), "{few:?}");
    }
}
