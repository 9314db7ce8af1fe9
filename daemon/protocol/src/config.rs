//! What is configured: each value in force, and where it was said.
//!
//! Bare words: what the keys mean and which of two files wins is the daemon's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is in force in a project, or for the user where there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConfigReport {
    /// The project's root; absent outside of any project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<PathBuf>,
    /// The file that holds for all projects of the user, be it there or not.
    pub user_file: PathBuf,
    /// The project's own, which wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_file: Option<PathBuf>,
    /// By key.
    pub values: Vec<ConfigValue>,
    /// Values that are not listed, for want of room.
    pub more: u32,
    /// A file that is faulty now, so that what it said before is in force; a project whose file may not act yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigValue {
    /// The key as it stands in a TOML file, tables and places in lists (from 0) before it: `context.assembler.0.name`.
    pub key: String,
    /// `null` where it is not set.
    #[serde(default)]
    pub value: serde_json::Value,
    pub origin: ConfigOrigin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum ConfigOrigin {
    /// No file says it.
    Default,
    /// The user's file.
    User { file: PathBuf, line: u32 },
    /// The project's file.
    Project { file: PathBuf, line: u32 },
}
