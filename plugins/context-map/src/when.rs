//! Whether an entry of the map holds for a task, and by what. Pure.

use pu_plugin_globs::Glob;
use pu_plugin_sdk::{Label, Task};
use regex_lite::Regex;

use crate::config::{Texts, When};

/// As much of a prompt as is looked at.
const TEXT_MAX: usize = 16 * 1024;

/// The conditions of one entry, ready to be held against a task.
#[derive(Debug)]
pub(crate) struct Rule<'a> {
    when: &'a When,
    patterns: Vec<Regex>,
}

impl<'a> Rule<'a> {
    /// Fails with what is wrong with a pattern.
    pub(crate) fn new(when: &'a When) -> Result<Self, String> {
        let pattern = |text: &String| Regex::new(text).map_err(|error| format!("the pattern {text:?}: {error}"));
        let patterns = when.pattern.all().iter().map(pattern).collect::<Result<_, _>>()?;
        Ok(Self { when, patterns })
    }

    /// What of the task made it hold, in a line; `None` where any of its conditions does not.
    pub(crate) fn matched(&self, task: &Task, min_confidence: f32) -> Option<String> {
        let When { words, pattern, files, tags, labels, template, agent, branch } = self.when;
        let text = &task.prompt[..task.prompt.floor_char_boundary(TEXT_MAX)];
        let sure = |label: &&Label| label.confidence >= min_confidence;
        let mut found = Vec::new();
        // The cheap ones first: most entries hold for no task at hand.
        let conditions: [(&Texts, &dyn Fn() -> Option<String>); 8] = [
            (agent, &|| one_of(agent, [task.agent.as_str()]).map(|name| format!("the agent is {name}"))),
            (template, &|| one_of(template, task.template.as_deref()).map(|name| format!("the template is {name}"))),
            (tags, &|| one_of(tags, task.tags.iter().map(String::as_str)).map(|tag| format!("the tag {tag}"))),
            (labels, &|| {
                let names = task.labels.iter().filter(sure).map(|label| label.name.as_str());
                one_of(labels, names).map(|name| format!("it is a task of the kind {name}"))
            }),
            (branch, &|| a_match(branch, task.branch.as_deref()).map(|name| format!("the branch is {name}"))),
            (files, &|| {
                let changed = task.changed_files.iter().map(|file| file.path.as_str());
                let all = task.mentioned_files.iter().map(String::as_str).chain(changed);
                a_match(files, all).map(|path| format!("it has to do with {path}"))
            }),
            (words, &|| said(words, text).map(|word| format!("the task says {word:?}"))),
            (pattern, &|| {
                let found = self.patterns.iter().find_map(|regex| regex.find(text))?;
                Some(format!("the task says {:?}", found.as_str().chars().take(60).collect::<String>()))
            }),
        ];
        for (texts, holds) in conditions {
            if !texts.all().is_empty() {
                found.push(holds()?);
            }
        }
        Some(found.join(", "))
    }
}

/// The first of the texts that is one of the wanted ones, in any case.
fn one_of<'t>(wanted: &Texts, texts: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
    texts.into_iter().find(|text| wanted.all().iter().any(|one| one.to_lowercase() == text.to_lowercase()))
}

/// The first of the texts that one of the globs means.
fn a_match<'t>(globs: &Texts, texts: impl IntoIterator<Item = &'t str>) -> Option<&'t str> {
    let globs: Vec<Glob<'_>> = globs.all().iter().filter_map(|glob| Glob::new(glob)).collect();
    let (excluding, including): (Vec<_>, Vec<_>) = globs.into_iter().partition(|glob| glob.excludes);
    let any = |globs: &[Glob<'_>], text: &str| globs.iter().any(|glob| glob.matches(text));
    texts.into_iter().find(|text| any(&including, text) && !any(&excluding, text))
}

/// The first of the words or phrases that stands in a text, in any case and with no letter or digit next to it.
fn said<'w>(words: &'w Texts, text: &str) -> Option<&'w str> {
    let text = text.to_lowercase();
    let stands = |word: &str| {
        let word = word.to_lowercase();
        !word.is_empty()
            && text.match_indices(&word).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + word.len()..].chars().next();
                ![before, after].into_iter().flatten().any(char::is_alphanumeric)
            })
    };
    words.all().iter().map(String::as_str).find(|word| stands(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::ChangedFile;

    fn texts(all: &[&str]) -> Texts {
        Texts::Many(all.iter().map(|text| (*text).to_owned()).collect())
    }

    fn task() -> Task {
        Task {
            tags: vec!["Billing".into()],
            agent: "claude".into(),
            template: Some("bugfix".into()),
            branch: Some("feature/ledger".into()),
            mentioned_files: vec!["src/billing/run.rs".into()],
            changed_files: vec![ChangedFile { path: "db/schema.sql".into(), status: "modified".into() }],
            labels: vec![Label { name: "fix".into(), confidence: 0.6 }],
            ..Task::new("Fix the Größe of an invoice-run, see #42")
        }
    }

    fn matched(when: &When) -> Option<String> {
        Rule::new(when).unwrap().matched(&task(), 0.4)
    }

    #[test]
    fn each_condition_holds_by_one_of_its_list_and_says_by_which() {
        let when = When::default;
        for (when, expected) in [
            (When { words: texts(&["refund", "invoice"]), ..when() }, Some("the task says \"invoice\"")),
            (When { words: texts(&["GRÖSSE", "größe of"]), ..when() }, Some("the task says \"größe of\"")),
            (When { words: texts(&["voice", "fix th"]), ..when() }, None),
            (When { pattern: texts(&[r"#\d+"]), ..when() }, Some("the task says \"#42\"")),
            (When { pattern: texts(&["^invoice"]), ..when() }, None),
            (When { files: texts(&["src/billing/**"]), ..when() }, Some("it has to do with src/billing/run.rs")),
            (When { files: texts(&["*.sql"]), ..when() }, Some("it has to do with db/schema.sql")),
            (When { files: texts(&["src/**", "!src/billing/**"]), ..when() }, None),
            (When { tags: texts(&["billing"]), ..when() }, Some("the tag Billing")),
            (When { labels: texts(&["docs", "fix"]), ..when() }, Some("it is a task of the kind fix")),
            (When { template: texts(&["bugfix"]), ..when() }, Some("the template is bugfix")),
            (When { agent: texts(&["codex"]), ..when() }, None),
            (When { branch: texts(&["feature/*"]), ..when() }, Some("the branch is feature/ledger")),
        ] {
            assert_eq!(matched(&when).as_deref(), expected, "{when:?}");
        }
    }

    #[test]
    fn all_conditions_must_hold() {
        let both = When { words: texts(&["invoice"]), labels: texts(&["fix"]), ..When::default() };
        assert_eq!(matched(&both).as_deref(), Some("it is a task of the kind fix, the task says \"invoice\""));
        assert_eq!(matched(&When { labels: texts(&["docs"]), ..both }), None);
    }

    #[test]
    fn a_label_that_is_not_sure_does_not_count() {
        let when = When { labels: texts(&["fix"]), ..When::default() };
        assert_eq!(Rule::new(&when).unwrap().matched(&task(), 0.7), None);
    }

    #[test]
    fn a_pattern_that_is_none_is_told() {
        let when = When { pattern: texts(&["(open"]), ..When::default() };
        let error = Rule::new(&when).unwrap_err();
        assert!(error.starts_with("the pattern \"(open\""), "{error}");
    }
}
