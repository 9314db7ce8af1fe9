//! What can go wrong in the spec index, each with the path and the act.
//!
//! A single file that cannot be read is never an error here: it is a `SkippedFile`, and the others are indexed.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tantivy::TantivyError;

/// An error of the spec index as a whole, or of one request to it.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    #[error("cannot {act} {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot {act} the spec index at {}: {source}", path.display())]
    Index { act: &'static str, path: PathBuf, source: TantivyError },
    #[error("the spec index at {} is damaged: {detail}", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("the spec index is being closed")]
    Closed,
    #[error("no spec has the id or path `{0}`")]
    UnknownSpec(String),
    #[error("the spec `{spec}` has no section `{section}`")]
    UnknownSection { spec: String, section: String },
    #[error("the spec index has no field `{field}`; it has {known}")]
    UnknownField { field: String, known: String },
    #[error("cannot read {path}: {reason}")]
    Unreadable { path: String, reason: String },
}

impl SpecError {
    /// Whether the index itself is broken, so that building it anew helps. A full disk, say, or a writer in another
    /// process is no such thing.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            SpecError::Damaged { .. } => true,
            SpecError::Index { source: TantivyError::IoError(error), .. } => {
                matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
            }
            SpecError::Index { source, .. } => matches!(
                source,
                TantivyError::DataCorruption(_)
                    | TantivyError::OpenReadError(_)
                    | TantivyError::OpenDirectoryError(_)
                    | TantivyError::IncompatibleIndex(_)
                    | TantivyError::SchemaError(_)
                    | TantivyError::FieldNotFound(_)
                    | TantivyError::DeserializeError(_)
                    | TantivyError::InternalError(_)
            ),
            _ => false,
        }
    }

    pub(super) fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpecError {
        let path = path.to_path_buf();
        move |source| SpecError::Io { act, path, source }
    }

    pub(super) fn index(act: &'static str, path: &Path) -> impl FnOnce(TantivyError) -> SpecError {
        let path = path.to_path_buf();
        move |source| SpecError::Index { act, path, source }
    }
}
