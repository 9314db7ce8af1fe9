//! Who an agent's shim and child are: `shim.json`, and the line by which a shim reports its start.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::process::ProcessIdentity;
use crate::{RecordError, json};

/// The content of `shim.json`. True only while the boot lasts in which it was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShimRecord {
    pub version: u32,
    /// The version of the frames that the shim speaks.
    pub protocol: u32,
    pub capabilities: Vec<String>,
    /// The program file that the shim runs.
    pub binary: PathBuf,
    pub engine_version: String,
    pub shim: ProcessIdentity,
    pub child: ProcessIdentity,
    pub boot_id: String,
    pub socket: PathBuf,
    /// The systemd scope that keeps the shim alive when a service or a session ends.
    pub scope: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    /// What a newer release wrote and this one does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ShimRecord {
    pub const VERSION: u32 = 1;

    pub fn read(path: &Path) -> Result<Self, RecordError> {
        json::read(path)
    }

    /// Written without fsync: after a power failure there is no shim.
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        json::write_volatile(path, self)
    }

    /// Whether the shim that wrote this still runs.
    pub fn is_alive(&self, boot_id: &str) -> bool {
        self.boot_id == boot_id && self.shim.is_alive()
    }
}

/// The one line of JSON that a shim prints when it has started, or could not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartReport {
    Ready(Box<ShimRecord>),
    Failed(StartFailure),
}

/// Why a shim could not start its agent. Nothing is left running.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StartFailure {
    /// A stable code for programs.
    pub code: String,
    pub message: String,
    pub hint: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_object_with_one_key() {
        let failure = StartFailure { code: "pty_failed".into(), ..StartFailure::default() };
        let text = serde_json::to_string(&StartReport::Failed(failure.clone())).unwrap();
        assert_eq!(text, r#"{"failed":{"code":"pty_failed","message":"","hint":""}}"#);
        assert_eq!(serde_json::from_str::<StartReport>(&text).unwrap(), StartReport::Failed(failure));
        let ready = serde_json::from_str::<StartReport>(r#"{"ready":{"protocol":3,"new":1}}"#).unwrap();
        assert!(matches!(ready, StartReport::Ready(record) if record.protocol == 3 && record.extra["new"] == 1));
    }

    #[test]
    fn a_record_of_another_boot_is_not_alive() {
        let shim = ProcessIdentity::own().unwrap();
        let record = ShimRecord { shim, boot_id: "this".into(), ..ShimRecord::default() };
        assert!(record.is_alive("this"));
        assert!(!record.is_alive("another"));
    }
}
