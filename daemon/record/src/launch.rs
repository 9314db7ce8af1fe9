//! What was asked for when an agent was spawned: `launch.json`, written by the daemon before the shim starts.
//!
//! It holds the names of environment variables and never their values: those pass through the shim's own environment.

use std::path::{Path, PathBuf};

use pu_protocol::activity::Doing;
use pu_protocol::frame::TerminalSize;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{RecordError, json};

/// What the shim must start, and what the daemon needs to complete the spawn if it dies in the middle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LaunchRecord {
    pub version: u32,
    pub agent_id: String,
    pub name: String,
    /// The type of agent, such as `claude`.
    pub agent: String,
    pub project_root: PathBuf,
    /// The worktree's name, for an agent that does not work in place.
    pub worktree: Option<String>,
    pub branch: Option<String>,
    pub cwd: PathBuf,
    pub argv: Vec<String>,
    /// The variables that the launch set itself.
    pub env_names: Vec<String>,
    pub size: TerminalSize,
    /// How many bytes of output are kept at least.
    pub spool_limit: u64,
    /// The time between SIGTERM and SIGKILL.
    pub kill_grace_ms: u64,
    /// The soft limit of open files that the daemon was started with. It raises its own; the agent gets this one.
    pub file_limit: Option<u64>,
    /// By which rules the title of its terminal says what the agent is doing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<TitleRule>,
    /// After how long without output it counts as idle; without it silence says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_ms: Option<u64>,
    /// RFC 3339.
    pub created_at: String,
    pub boot_id: String,
    /// What the daemon needs to complete its manifest row and history; opaque to everybody else.
    pub commit: Value,
    /// What a newer release wrote and this one does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A rule by which a terminal's title says what the agent is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TitleRule {
    pub state: Doing,
    /// The title begins with one of these characters; with any if there are none.
    pub first: String,
    /// And has this in it.
    pub contains: String,
}

impl TitleRule {
    pub fn fits(&self, title: &str) -> bool {
        let begins = self.first.is_empty() || title.chars().next().is_some_and(|first| self.first.contains(first));
        begins && title.contains(&self.contains)
    }
}

impl LaunchRecord {
    pub const VERSION: u32 = 1;
    pub const DEFAULT_SPOOL_LIMIT: u64 = 16 * 1024 * 1024;
    pub const DEFAULT_KILL_GRACE_MS: u64 = 5_000;

    pub fn read(path: &Path) -> Result<Self, RecordError> {
        json::read(path)
    }

    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        json::write(path, self)
    }

    /// As [`LaunchRecord::write`], to be followed by [`crate::atomic::make_durable`].
    pub fn write_volatile(&self, path: &Path) -> Result<(), RecordError> {
        json::write_volatile(path, self)
    }
}

impl Default for LaunchRecord {
    fn default() -> Self {
        Self {
            version: Self::VERSION,
            agent_id: String::new(),
            name: String::new(),
            agent: String::new(),
            project_root: PathBuf::new(),
            worktree: None,
            branch: None,
            cwd: PathBuf::new(),
            argv: Vec::new(),
            env_names: Vec::new(),
            size: TerminalSize::default(),
            spool_limit: Self::DEFAULT_SPOOL_LIMIT,
            kill_grace_ms: Self::DEFAULT_KILL_GRACE_MS,
            file_limit: None,
            titles: Vec::new(),
            quiet_ms: None,
            created_at: String::new(),
            boot_id: String::new(),
            commit: Value::Null,
            extra: Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparse_file_is_filled_with_defaults_and_foreign_fields_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("launch.json");
        crate::atomic::write_atomic(&path, br#"{"argv":["sh"],"of_next_year":{"a":[1]}}"#, 0o600).unwrap();
        let record = LaunchRecord::read(&path).unwrap();
        assert_eq!((record.size.cols, record.size.rows), (200, 50));
        assert_eq!(record.spool_limit, 16 << 20);
        record.write(&path).unwrap();
        let text: Value = json::read(&path).unwrap();
        assert_eq!(text["of_next_year"]["a"][0], 1);
        assert_eq!(LaunchRecord::read(&path).unwrap(), record);
    }
}
