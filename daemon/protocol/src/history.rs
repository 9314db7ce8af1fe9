//! What ran, as a project's history tells it.
//!
//! Bare types, for people who look back and for programs that count.

use crate::AgentState;
use crate::context::ContextReport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One life of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PastRun {
    pub agent_id: String,
    pub name: String,
    /// The agent definition that it was started from.
    pub agent: String,
    pub project_root: PathBuf,
    /// Relative to the project root; absent for one that worked in the root itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The id of its life before, where it was resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Cut to 2,000 characters.
    pub prompt: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it was told and why, without what was left out.
    pub context: ContextReport,
    /// The state that it is or ended in, as in `status`; `unknown` where its end is not told and no agent has its id.
    pub state: String,
    /// Absent while it lives, or where its end is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RunEnd>,
}

/// How a life ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunEnd {
    /// RFC 3339, UTC.
    pub at: String,
    #[serde(flatten)]
    pub state: AgentState,
    /// What it left in its worktree otherwise than it found it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touched: Vec<Touched>,
}

/// A file and what has become of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Touched {
    /// Relative to the project root.
    pub path: String,
    /// `added`, `modified` or `deleted`.
    pub status: String,
}
