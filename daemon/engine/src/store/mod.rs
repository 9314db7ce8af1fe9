//! What the daemon keeps on disk: the registry of projects, each project's manifest, history and lock of plugins, what its
//! plugins keep, and what came of its tasks.
//!
//! What is stored is not what is alive: no handle, no process and no socket stands in these files, and this room starts
//! nothing. Every write is atomic, unknown fields survive, a damaged file is set aside and never erased.

mod commit;
mod history;
mod identity;
mod lines;
mod manifest;
mod outcomes;
mod past;
mod plugin_state;
mod plugins_lock;
mod registry;
mod runs;

pub use commit::{Asked, SpawnCommit, commit_end, commit_spawn, complete_spawn, restore_rows, withdraw_commit};
pub use history::{HistoryBounds, HistoryEntry, TouchedFile, append_history, bound_history, history_tells_of};
pub use identity::{read_identity, write_identity};
pub use manifest::{AgentRow, Manifest, StoppedRow, WorktreeRow, read_manifest, update_manifest};
pub use outcomes::{Outcome, Outcomes, forget_outcomes, read_outcomes, record_outcome};
pub use past::{PastEnd, PastSpawn, recent_spawns};
pub use plugin_state::{read_plugin_state, update_plugin_state};
pub use plugins_lock::{PluginPin, PluginsLock};
pub use registry::{FormerRoot, ProjectRow, Registry, TrustRow};
pub use runs::{Run, RunEnded, read_runs};

use pu_protocol::{ErrorBody, ErrorCode};
use pu_record::{RecordError, json};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A file of ours that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{path} was written by a newer PurePoint (version {found}, this one knows {known})")]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error("cannot lock {}: {source}", path.display())]
    Lock { path: PathBuf, source: std::io::Error },
    #[error("{} is held by another daemon", path.display())]
    Locked { path: PathBuf },
    #[error("{}, line {line}: {message}", path.display())]
    PluginsLock { path: PathBuf, line: usize, message: String },
}

impl StoreError {
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::Record(RecordError::Io { source, .. }) if source.kind() == std::io::ErrorKind::StorageFull => {
                ErrorBody::new(ErrorCode::DiskFull, self.to_string())
                    .with_hint("free some space and try again; nothing was lost")
            }
            Self::Record(_) | Self::Lock { .. } => ErrorBody::new(ErrorCode::Io, self.to_string()),
            Self::Locked { .. } => ErrorBody::new(ErrorCode::Busy, self.to_string()).with_hint(
                "a daemon of another PU_HOME works on this project, and has for longer than it should: see whether it hangs",
            ),
            Self::PluginsLock { .. } => ErrorBody::new(ErrorCode::InvalidConfig, self.to_string())
                .with_hint("repair it, or take it back from git; `pu plugin add` writes it"),
            Self::Newer { .. } => {
                ErrorBody::new(ErrorCode::RecordDamaged, self.to_string()).with_hint("update pu, or move the file away")
            }
        }
    }
}

/// Reads a file of ours; `None` where there is none. A damaged one is set aside under a dated name, and the log says so.
fn read_or_set_aside<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    match json::read(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) if error.is_damaged() => {
            set_aside_damaged(path, &error)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where a damaged file is now.
fn set_aside_damaged(path: &Path, error: &RecordError) -> Result<PathBuf, StoreError> {
    let kept = json::set_aside(path)?;
    tracing::error!(%error, kept = %kept.display(), "a damaged file was set aside; a new one takes its place");
    Ok(kept)
}
