//! An earlier task, and what it says of a spec.
//!
//! Pure. A task whose agent or commit changed very much says of none of it what the task was about.

use std::collections::BTreeSet;
use std::path::Path;

use pu_plugin_globs::{self as globs, Glob};

use crate::agents::Commit;
use crate::context::task;
use crate::specs::{SpecCatalog, SpecMeta};
use crate::store::Outcome;

/// Beyond so many files, or specs, nothing is said of each.
const FILES_MAX: usize = 100;
const SPECS_MAX: usize = 8;
/// Where a spec says for which files it is, if it is no rule file: as the assembler `tags` reads it.
const FILES_KEYS: [&str; 5] = ["globs", "paths", "applies-to", "appliesTo", "applyTo"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Agent,
    Commit,
}

/// What was to be done, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Earlier {
    pub source: Source,
    pub id: String,
    /// The agent's name, and when it was started; of a commit neither.
    pub name: String,
    pub at: String,
    /// The prompt or the message.
    pub text: String,
    pub tags: Vec<String>,
    pub given: Vec<String>,
    pub asked_for: Vec<String>,
    pub dropped: Vec<String>,
    /// Sorted.
    pub touched: Vec<String>,
}

impl Earlier {
    pub(super) fn of_agent(outcome: Outcome, root: &Path) -> Self {
        // As plugins see a task: without a place of this machine.
        let text = task::without_root(&outcome.prompt, root);
        let mut touched = outcome.touched;
        touched.sort();
        Self {
            source: Source::Agent,
            id: outcome.agent_id,
            name: outcome.name,
            at: outcome.at,
            tags: task::tags(&outcome.tags, &text),
            text,
            given: outcome.given,
            asked_for: outcome.asked_for,
            dropped: outcome.dropped,
            touched,
        }
    }

    pub(super) fn of_commit(commit: Commit) -> Self {
        let mut touched = commit.touched;
        touched.sort();
        Self {
            source: Source::Commit,
            id: commit.id,
            name: String::new(),
            at: String::new(),
            text: commit.message,
            tags: Vec::new(),
            given: Vec::new(),
            asked_for: Vec::new(),
            dropped: Vec::new(),
            touched,
        }
    }
}

/// What an earlier task says of a spec; the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    Dropped,
    AskedFor,
    Changed,
    Named,
}

/// What an earlier task says, in terms of the specs that there are now.
pub(super) struct Saying<'a> {
    dropped: BTreeSet<&'a str>,
    asked_for: BTreeSet<&'a str>,
    named: BTreeSet<&'a str>,
    /// Empty where very much was.
    touched: &'a [String],
}

impl<'a> Saying<'a> {
    pub(super) fn of(earlier: &'a Earlier, catalog: &'a SpecCatalog) -> Self {
        let ids = |names: &[String]| -> BTreeSet<&'a str> {
            let found = names.iter().filter_map(|name| catalog.find(name.trim().trim_start_matches("./")));
            found.map(|spec| spec.id.as_str()).collect()
        };
        let is_spec = |path: &&String| catalog.find(path).is_some_and(|spec| spec.path == **path);
        let is_broad = earlier.touched.len() > FILES_MAX || earlier.touched.iter().filter(is_spec).count() > SPECS_MAX;
        Self {
            dropped: ids(&earlier.dropped),
            asked_for: ids(&earlier.asked_for),
            named: catalog.named_in(&earlier.text).into_iter().map(|spec| spec.id.as_str()).collect(),
            touched: if is_broad { &[] } else { &earlier.touched },
        }
    }

    /// The specs that it names in any way; not those that only a file of theirs speaks for.
    pub(super) fn specs(&self, catalog: &'a SpecCatalog) -> Vec<&'a SpecMeta> {
        let paths = self.touched.iter().map(String::as_str);
        let all = self.dropped.iter().chain(&self.asked_for).chain(&self.named).copied().chain(paths);
        all.filter_map(|name| catalog.find(name)).map(|spec| &**spec).collect()
    }

    /// What it says of a spec, whose files are `area`.
    pub(super) fn of_spec(&self, spec: &SpecMeta, area: &Area<'_>) -> Option<Said> {
        let id = spec.id.as_str();
        if self.dropped.contains(id) {
            Some(Said::Dropped)
        } else if self.asked_for.contains(id) {
            Some(Said::AskedFor)
        } else if self.touched.binary_search(&spec.path).is_ok() || self.touched.iter().any(|path| area.has(path)) {
            Some(Said::Changed)
        } else {
            self.named.contains(id).then_some(Said::Named)
        }
    }
}

/// The files that a spec says it is for; none for most. Rule files are given by their own rules, whatever was learnt.
pub(super) struct Area<'a> {
    including: Vec<Glob<'a>>,
    excluding: Vec<Glob<'a>>,
}

impl<'a> Area<'a> {
    pub(super) fn of(spec: &'a SpecMeta) -> Self {
        let written = spec.attributes.iter().filter(|(key, _)| FILES_KEYS.contains(&key.as_str()));
        let globs = written.flat_map(|(_, value)| globs::split(value)).filter_map(Glob::new);
        let (excluding, including) = globs.filter(|_| spec.rule.is_none()).partition(|glob| glob.excludes);
        Self { including, excluding }
    }

    /// Whether there are any.
    pub(super) fn is_some(&self) -> bool {
        !self.including.is_empty()
    }

    fn has(&self, path: &str) -> bool {
        self.including.iter().any(|glob| glob.matches(path)) && !self.excluding.iter().any(|glob| glob.matches(path))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::specs::{SourceConfig, SpecIndex};
    use std::sync::Arc;

    const SPECS: [(&str, &str); 4] = [
        ("specs/ledger.md", "---\nid: LEDGER\n---\n# Ledger\n\n## LEDGER-001 Rounding\n\nHalf to even.\n"),
        ("specs/login.md", "---\npaths: [\"src/login/**\", \"!**/tests/**\"]\n---\n# Login\n\nTokens expire.\n"),
        ("specs/images.md", "# Images\n\nThree widths.\n"),
        ("AGENTS.md", "---\npaths: src/**\n---\n# House rules\n\nPlain words.\n"),
    ];

    /// The catalog of a small project.
    pub(in super::super) fn catalog() -> Arc<SpecCatalog> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        for (path, text) in SPECS {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            pu_record::atomic::write_atomic(&root.join(path), text.as_bytes(), 0o600).unwrap();
        }
        let index = SpecIndex::open(&root, &folder.path().join("index"), SourceConfig::default()).unwrap();
        index.fresh().unwrap();
        index.catalog()
    }

    pub(in super::super) fn agent(text: &str, touched: &[&str]) -> Earlier {
        let touched = touched.iter().map(|path| (*path).to_owned()).collect();
        let outcome = Outcome { agent_id: "a1".into(), prompt: text.into(), touched, ..Outcome::default() };
        Earlier::of_agent(outcome, Path::new("/p"))
    }

    fn said(earlier: &Earlier, catalog: &SpecCatalog) -> Vec<(String, Said)> {
        let saying = Saying::of(earlier, catalog);
        let specs = catalog.specs().iter();
        specs.filter_map(|spec| Some((spec.path.clone(), saying.of_spec(spec, &Area::of(spec))?))).collect()
    }

    #[test]
    fn a_spec_was_changed_if_it_or_a_file_that_it_is_for_was() {
        let catalog = catalog();
        let earlier = agent("x", &["src/login/page.py", "specs/images.md", "src/other.rs"]);
        let expected = [("specs/images.md".to_owned(), Said::Changed), ("specs/login.md".to_owned(), Said::Changed)];
        assert_eq!(said(&earlier, &catalog), expected, "and a rule file was not");
        assert_eq!(said(&agent("x", &["src/login/tests/page.py"]), &catalog), []);
    }

    #[test]
    fn the_strongest_word_counts_and_specs_are_known_by_any_of_their_names() {
        let catalog = catalog();
        let mut earlier = agent("Round as LEDGER-1 says", &[]);
        let ledger = |said| [("specs/ledger.md".to_owned(), said)];
        assert_eq!(said(&earlier, &catalog), ledger(Said::Named));
        earlier.touched = vec!["specs/ledger.md".into()];
        assert_eq!(said(&earlier, &catalog), ledger(Said::Changed));
        earlier.asked_for = vec!["./specs/ledger.md".into(), "GONE".into()];
        assert_eq!(said(&earlier, &catalog), ledger(Said::AskedFor));
        earlier.dropped = vec!["LEDGER".into()];
        assert_eq!(said(&earlier, &catalog), ledger(Said::Dropped));
    }

    #[test]
    fn who_changed_very_much_says_nothing_of_each() {
        let catalog = catalog();
        let mut touched: Vec<String> = (0..FILES_MAX).map(|n| format!("src/{n}.rs")).collect();
        touched.push("specs/images.md".into());
        let paths: Vec<&str> = touched.iter().map(String::as_str).collect();
        assert_eq!(said(&agent("x", &paths), &catalog), []);
        assert_eq!(said(&agent("x", &paths[1..]), &catalog).len(), 1);
    }
}
