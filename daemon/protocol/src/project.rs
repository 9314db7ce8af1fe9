//! Projects as clients see them.
//!
//! What is sent, not what is alive: nothing here says how a project is found or what trust allows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One project of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProjectInfo {
    pub root: PathBuf,
    /// The root folder's name; several projects may have the same.
    pub name: String,
    /// What it is known by wherever it lies; absent until its user has made it a project, and for a copy of another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `trusted`, `known` (seen and not trusted), or `missing` (its folder is not there). Of one that is asked for by itself
    /// also `changed`: it is trusted, and something that can act in it is not what was allowed.
    pub state: String,
    /// Whether its user trusts it, be it there or not.
    pub trusted: bool,
    /// RFC 3339; empty where it is in no registry.
    pub first_seen: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// Live agents.
    pub agents: u32,
    /// What keeps it from working, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One project in detail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ProjectDetail {
    #[serde(flatten)]
    pub project: ProjectInfo,
    /// Agents that have ended and are not cleaned away.
    pub ended_agents: u32,
    /// Where it lay before, the last place last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_roots: Vec<PathBuf>,
    /// All that is wrong with it; empty when it is well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub condition: Vec<String>,
}

/// Specs or rule files of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FoundFiles {
    /// `spec`, or the tool that the rule files are for, as in `spec_list`.
    pub kind: String,
    pub files: u32,
    pub tokens: u64,
}
