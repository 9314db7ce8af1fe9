//! What `doctor` looked at, and what it found.
//!
//! Bare words: whoever looked has judged, and nothing here says what is worth a look.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Finding {
    /// What was looked at, such as `daemon`, `git` or `plugins`. Several findings may be of one check.
    pub check: String,
    pub state: FindingState,
    /// What was found, for people; it may have several lines.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// As it should be.
    #[default]
    Ok,
    /// It works, and its user should know something about it.
    Warning,
    /// Something does not work until somebody sees to it.
    Problem,
}

impl Finding {
    pub fn ok(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, FindingState::Ok, detail)
    }

    pub fn warning(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, FindingState::Warning, detail)
    }

    pub fn problem(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, FindingState::Problem, detail)
    }

    pub fn new(check: &str, state: FindingState, detail: impl Into<String>) -> Self {
        Self { check: check.to_owned(), state, detail: detail.into(), hint: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
