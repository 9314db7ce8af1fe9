//! What ranking has learnt from earlier tasks: which specs their agents changed, which their users asked for or dropped.
//!
//! It is shown so that it can be checked and erased. It decides nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LearnedReport {
    /// Whether the project learns: `[context] learn`. If not, nothing below has any effect.
    pub learns: bool,
    /// The newest first, those of agents before commits.
    pub tasks: Vec<LearnedTask>,
    /// How many commits were looked at; those that say nothing of any spec are not listed.
    #[serde(default)]
    pub commits: u32,
    /// How many more there are than are listed.
    #[serde(default)]
    pub more: u32,
    /// What could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// An earlier task, and what it says of specs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LearnedTask {
    /// `agent` or `commit`.
    pub source: String,
    /// The agent's id, or the commit's.
    pub id: String,
    /// The agent's name; empty for a commit.
    pub name: String,
    /// RFC 3339: when the agent was started; empty for a commit.
    pub at: String,
    /// The first line of the prompt, or of the message.
    pub task: String,
    /// Specs that were changed, or whose files were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Specs that the user asked for by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked_for: Vec<String>,
    /// Specs that the text names by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<String>,
    /// Specs that the user dropped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Specs that the agent was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// How many files were touched.
    pub files: u32,
}
