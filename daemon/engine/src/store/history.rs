//! A project's `history.jsonl`: what was spawned, which context it got and why, how it ended.
//!
//! Only ever appended to. Holds the names of environment variables, never a value.

use super::{AgentRow, StoreError};
use pu_protocol::context::ContextReport;
use pu_protocol::layout::ProjectLayout;
use pu_record::{RecordError, atomic};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HistoryEntry {
    Spawned {
        at: String,
        agent: AgentRow,
        prompt: String,
        /// Those that were named beside the prompt.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        context: Box<ContextReport>,
    },
    Ended {
        at: String,
        agent_id: String,
        name: String,
        state: pu_protocol::AgentState,
        /// What it left in its worktree otherwise than it found it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        touched: Vec<TouchedFile>,
    },
}

/// A file of the project and what has become of it: `added`, `modified` or `deleted`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TouchedFile {
    /// Relative to the project root.
    pub path: String,
    pub status: String,
}

/// Adds a line, durably.
pub fn append_history(project: &ProjectLayout, entry: &HistoryEntry) -> Result<(), StoreError> {
    let path = project.history();
    Ok(atomic::append_line(&path, &line_of(&path, entry)?)?)
}

/// As [`append_history`], to be followed by [`atomic::make_durable`].
pub(super) fn append_history_volatile(project: &ProjectLayout, entry: &HistoryEntry) -> Result<(), StoreError> {
    let path = project.history();
    Ok(atomic::append_line_volatile(&path, &line_of(&path, entry)?)?)
}

fn line_of(path: &Path, entry: &HistoryEntry) -> Result<String, StoreError> {
    Ok(serde_json::to_string(entry).map_err(|source| RecordError::Encode { path: path.into(), source })?)
}

/// Whether a line tells of this agent's spawn. Reads the file once; only asked about a spawn that was interrupted.
pub(super) fn history_tells_of(project: &ProjectLayout, agent_id: &str) -> Result<bool, StoreError> {
    let path = project.history();
    let failed = |source| RecordError::Io { act: "read", path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error).into()),
    };
    for line in BufReader::new(file).split(b'\n') {
        // A line that does not read (cut off by a full disk, or of a newer release) tells of nobody.
        if let Ok(HistoryEntry::Spawned { agent, .. }) = serde_json::from_slice(&line.map_err(failed)?)
            && agent.agent_id == agent_id
        {
            return Ok(true);
        }
    }
    Ok(false)
}
