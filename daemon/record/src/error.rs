//! The errors of this crate; each names the path and the act.

use std::io;
use std::path::{Path, PathBuf};

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("cannot {act} {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: io::Error },
    /// The file is not there, which is often an answer rather than a failure.
    #[error("{} does not exist", path.display())]
    Missing { path: PathBuf },
    /// The file is there and is not what it should be; see [`crate::json::set_aside`].
    #[error("{} is damaged: {source}", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("cannot turn what belongs into {} into JSON: {source}", path.display())]
    Encode { path: PathBuf, source: serde_json::Error },
}

impl RecordError {
    pub(crate) fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { act, path: path.to_owned(), source }
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
