//! What a look for projects came to.
//!
//! Bare figures and paths; which projects there are is asked for by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ScanReport {
    /// Where was looked, without links.
    pub roots: Vec<PathBuf>,
    /// Roots that are not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<PathBuf>,
    /// How many folders were looked into.
    pub folders: u64,
    /// How many of them hold a `.pu/`.
    pub projects: u32,
    /// How many projects were not known before, or not there.
    pub new: u32,
    /// How many folders could not be read, and the first few of them.
    pub unreadable: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub some_unreadable: Vec<PathBuf>,
    /// Folders that did not answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<PathBuf>,
    /// Whether everything else was looked into.
    pub complete: bool,
    /// How many folders are watched since; none where the roots are not the configured ones.
    pub watched: u32,
    /// How many parts are looked at from time to time since, and why they cannot be watched.
    pub polled: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limited: Option<String>,
    pub elapsed_ms: u64,
}
