//! How an agent ended: `exit.json`, written by its shim before the socket closes.

use std::path::Path;

pub use pu_protocol::frame::{ExitRecord, ExitStatus};

use crate::{RecordError, json};

/// The version of the record that this build writes.
pub const VERSION: u32 = 1;

/// The agent's exit; `None` if it has not ended, or nobody saw it end.
pub fn read(path: &Path) -> Result<Option<ExitRecord>, RecordError> {
    json::read_if_present(path)
}

/// Writes the record so that a power failure right after does not lose it.
pub fn write(path: &Path, record: &ExitRecord) -> Result<(), RecordError> {
    json::write(path, record)
}
