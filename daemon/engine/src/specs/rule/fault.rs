//! What can be wrong with a rule file's front matter. The file is kept in any case.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing in a rule file that cannot be taken at its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum RuleFault {
    /// A line (of the file, from 1) that is neither `key: value` nor an item of a list.
    Line { line: u32 },
    /// The front matter has no end, so that all of it is text.
    Unclosed,
    /// A value that the key does not have.
    Value { key: String, value: String },
    /// A pattern that fits nothing, since it is none.
    Glob { glob: String, detail: String },
    /// More patterns under a key than are kept.
    TooMany { key: String, kept: usize },
    /// A key that the rule needs to fire, and does not have.
    Missing { key: String },
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleFault::Line { line } => write!(f, "line {line} of the front matter is neither a key nor an item"),
            RuleFault::Unclosed => write!(f, "the front matter begins with `---` and never ends"),
            RuleFault::Value { key, value } => write!(f, "`{key}` cannot be `{value}`"),
            RuleFault::Glob { glob, detail } => write!(f, "`{glob}` is no pattern: {detail}"),
            RuleFault::TooMany { key, kept } => write!(f, "only the first {kept} patterns of `{key}` count"),
            RuleFault::Missing { key } => write!(f, "without `{key}` the rule never fires"),
        }
    }
}
