//! The contract's shapes as plain Rust types. `wit/context.wit` says what each field means and which limits hold.

use std::fmt;

/// One named value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attr {
    pub key: String,
    pub value: String,
}

/// What kind of task this is, with a confidence from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Label {
    pub name: String,
    pub confidence: f32,
}

/// A file that differs between the task's branch and its base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFile {
    pub path: String,
    /// `added`, `modified`, `deleted`, `renamed`, or a word of a later contract.
    pub status: String,
}

/// What the agent is asked to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Task {
    pub id: String,
    pub prompt: String,
    pub tags: Vec<String>,
    pub agent: String,
    pub template: Option<String>,
    pub branch: Option<String>,
    pub mentioned_files: Vec<String>,
    pub changed_files: Vec<ChangedFile>,
    pub languages: Vec<String>,
    pub labels: Vec<Label>,
    pub extra: Vec<Attr>,
}

impl Task {
    /// A task with this prompt and nothing else, for tests.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), ..Self::default() }
    }

    /// The prompt's first line that is not blank.
    pub fn subject(&self) -> &str {
        self.prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
    }

    /// What follows the subject.
    pub fn details(&self) -> &str {
        self.prompt.trim_start().split_once('\n').map_or("", |(_, rest)| rest.trim())
    }
}

/// All about a spec but its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecMeta {
    pub id: String,
    pub path: String,
    pub title: String,
    pub tags: Vec<String>,
    pub revision: String,
    pub tokens: u32,
    pub extra: Vec<Attr>,
}

/// One search result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hit {
    pub spec: SpecMeta,
    pub section: Option<String>,
    /// Comparable within one answer of a search only.
    pub score: f32,
    pub extra: Vec<Attr>,
}

/// A spec, or one section of it, that the agent should know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pick {
    pub spec: String,
    pub section: Option<String>,
    /// 0 to 1.
    pub score: f32,
    /// One line for the user: why this spec.
    pub reason: String,
    pub extra: Vec<Attr>,
}

impl Pick {
    /// A pick of the whole spec `spec`.
    pub fn new(spec: impl Into<String>, score: f32, reason: impl Into<String>) -> Self {
        Self { spec: spec.into(), score, reason: reason.into(), ..Self::default() }
    }

    /// A pick of what a search found: the section, where the hit names one.
    pub fn of(hit: &Hit, score: f32, reason: impl Into<String>) -> Self {
        Self { section: hit.section.clone(), ..Self::new(hit.spec.id.clone(), score, reason) }
    }
}

/// A plugin's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assembly {
    pub labels: Vec<Label>,
    /// The best first.
    pub picks: Vec<Pick>,
    pub notes: Vec<String>,
}

impl FromIterator<Pick> for Assembly {
    fn from_iter<I: IntoIterator<Item = Pick>>(picks: I) -> Self {
        Self { picks: picks.into_iter().collect(), ..Self::default() }
    }
}

/// Why something could not be done: a stable code for programs and a sentence for the user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

impl Failure {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The config cannot be used, and why.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new("config_invalid", message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_a_subject_and_details() {
        for (prompt, subject, details) in [
            ("", "", ""),
            ("fix it", "fix it", ""),
            ("\n  fix it\n\nthe race\nin auth\n", "fix it", "the race\nin auth"),
        ] {
            let task = Task::new(prompt);
            assert_eq!((task.subject(), task.details()), (subject, details), "{prompt:?}");
        }
    }
}
