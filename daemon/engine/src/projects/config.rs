//! Configuration: the user's file and the project's, merged, and read anew when one of them changes.
//!
//! A key that is not known is an error with its place, never ignored.

use super::error::ProjectError;
use crate::agents::DefinitionTable;
use crate::beneath::{self, Refusal};
use crate::context::ContextConfig;
use crate::specs::SourceConfig;
use crate::store::HistoryBounds;
use pu_protocol::frame::TerminalSize;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use toml::{Table, Value};

/// The longest configuration file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub default_agent: Option<String>,
    pub context: ContextConfig,
    pub specs: SpecsConfig,
    pub terminal: TerminalConfig,
    pub history: HistoryConfig,
    pub spool: SpoolConfig,
    /// Further agent definitions, and changes to the built-in ones.
    pub agents: BTreeMap<String, DefinitionTable>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpecsConfig {
    /// Folders with specs beside the usual ones, relative to the project root.
    pub folders: Vec<String>,
    /// Whether rule files (`AGENTS.md`, Cursor rules and the like) are specs.
    pub rules: bool,
}

impl Default for SpecsConfig {
    fn default() -> Self {
        Self { folders: Vec::new(), rules: true }
    }
}

impl SpecsConfig {
    pub(super) fn sources(&self) -> SourceConfig {
        SourceConfig { folders: self.folders.clone(), rules: self.rules, ..SourceConfig::default() }
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TerminalConfig {
    pub cols: u16,
    pub rows: u16,
    /// MiB of output kept of each agent.
    pub output_mib: u64,
    /// Milliseconds between SIGTERM and SIGKILL.
    pub kill_grace_ms: u64,
}

impl Default for TerminalConfig {
    fn default() -> Self {
        let TerminalSize { cols, rows } = TerminalSize::default();
        Self { cols, rows, output_mib: 16, kill_grace_ms: 5000 }
    }
}

impl TerminalConfig {
    pub fn size(&self) -> TerminalSize {
        TerminalSize { cols: self.cols, rows: self.rows }.clamped()
    }
}

/// How much is kept of what ran; 0 is no bound.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    pub max_mib: u64,
    pub max_days: u64,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { max_mib: 64, max_days: 365 }
    }
}

impl HistoryConfig {
    pub fn bounds(&self) -> HistoryBounds {
        HistoryBounds { bytes: bytes(self.max_mib), age: days(self.max_days) }
    }
}

/// How much is kept of the output of a project's ended agents, all together; 0 is no bound.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolConfig {
    pub max_mib: u64,
    pub max_days: u64,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self { max_mib: 1024, max_days: 90 }
    }
}

impl SpoolConfig {
    pub fn max_bytes(&self) -> Option<u64> {
        bytes(self.max_mib)
    }

    pub fn max_age(&self) -> Option<Duration> {
        days(self.max_days)
    }
}

fn bytes(mib: u64) -> Option<u64> {
    (mib > 0).then(|| mib.saturating_mul(1024 * 1024))
}

fn days(days: u64) -> Option<Duration> {
    (days > 0).then(|| Duration::from_secs(days.saturating_mul(86_400)))
}

/// The merged configuration and what the files looked like when they were read.
#[derive(Debug)]
pub(super) struct ConfigCache {
    user: PathBuf,
    project: PathBuf,
    last: Mutex<Option<(Stamps, Arc<Config>)>>,
}

type Stamps = [Option<(SystemTime, u64)>; 2];

impl ConfigCache {
    pub(super) fn new(user: PathBuf, project: PathBuf) -> Self {
        Self { user, project, last: Mutex::default() }
    }

    /// Costs two `stat` calls while nothing changes.
    pub(super) fn current(&self) -> Result<Arc<Config>, ProjectError> {
        let stamps = [stamp(&self.user), stamp(&self.project)];
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, config)) = &*last
            && *at == stamps
        {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(read(&self.user, &self.project)?);
        *last = Some((stamps, Arc::clone(&config)));
        Ok(config)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// What the user's file alone says.
pub(super) fn of_user(user: &Path) -> Result<Config, ProjectError> {
    let table = read_table(user, Whose::User)?;
    table.try_into().map_err(|e: toml::de::Error| ProjectError::Config { path: user.into(), message: e.to_string() })
}

/// The project's keys win over the user's; tables merge, everything else is replaced.
fn read(user: &Path, project: &Path) -> Result<Config, ProjectError> {
    let mut merged = read_table(user, Whose::User)?;
    merge(&mut merged, read_table(project, Whose::Project)?);
    merged
        .try_into()
        .map_err(|e: toml::de::Error| ProjectError::Config { path: project.into(), message: e.to_string() })
}

/// Whose file it is: the user's may lie anywhere, a project's lies in the project.
#[derive(Clone, Copy)]
enum Whose {
    User,
    Project,
}

/// Each file is checked by itself first, so that an error names the file and line it stands in.
fn read_table(path: &Path, whose: Whose) -> Result<Table, ProjectError> {
    let failed = |message: String| ProjectError::Config { path: path.into(), message };
    let root = match whose {
        Whose::User => Path::new("/"),
        // `.pu/config.toml`: two steps up.
        Whose::Project => path.ancestors().nth(2).unwrap_or(path),
    };
    let text = match beneath::read_text(root, path, FILE_MAX) {
        Ok(text) => text,
        Err(refusal) if refusal.is_missing() => return Ok(Table::new()),
        Err(Refusal::NotRegular) => return Err(failed("is no regular file".into())),
        Err(Refusal::TooLarge { .. }) => return Err(failed(format!("is over {FILE_MAX} bytes long"))),
        Err(Refusal::Outside) => return Err(failed("leads out of the project".into())),
        Err(other) => return Err(failed(format!("cannot be read: {other}"))),
    };
    toml::from_str::<Config>(&text).map_err(|e| failed(e.to_string()))?;
    toml::from_str(&text).map_err(|e| failed(e.to_string()))
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
    }

    #[test]
    fn the_project_wins_key_by_key_and_a_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (user, project) = (folder.path().join("user.toml"), folder.path().join("project.toml"));
        write(&user, "default_agent = \"codex\"\n[terminal]\ncols = 100\nrows = 40\n");
        write(&project, "[terminal]\nrows = 24\n");
        let cache = ConfigCache::new(user, project.clone());
        let config = cache.current().unwrap();
        assert_eq!(config.default_agent.as_deref(), Some("codex"));
        assert_eq!((config.terminal.cols, config.terminal.rows), (100, 24));
        write(&project, "default_agent = \"terminal\"\n");
        assert_eq!(cache.current().unwrap().default_agent.as_deref(), Some("terminal"));
    }

    #[test]
    fn rule_files_are_specs_unless_they_are_switched_off() {
        let rules = |text: &str| toml::from_str::<Config>(text).unwrap().specs.sources().rules;
        assert!(rules("") && rules("[specs]\nfolders = [\"design\"]\n"));
        assert!(!rules("[specs]\nrules = false\n"));
    }

    #[test]
    fn bounds_are_sizes_and_ages_and_0_is_none() {
        let config = |text: &str| toml::from_str::<Config>(text).unwrap();
        let some = config("[history]\nmax_mib = 2\n[spool]\nmax_days = 3\n");
        assert_eq!(some.history.bounds().bytes, Some(2 << 20));
        assert_eq!(some.spool.max_age(), Some(Duration::from_secs(3 * 86_400)));
        assert!(some.history.bounds().age.is_some() && some.spool.max_bytes().is_some(), "the others are the defaults");
        let none = config("[history]\nmax_mib = 0\nmax_days = 0\n[spool]\nmax_mib = 0\nmax_days = 0\n");
        assert_eq!((none.history.bounds(), none.spool.max_bytes()), (HistoryBounds::default(), None));
        assert_eq!(none.spool.max_age(), None);
    }

    #[test]
    fn an_error_names_the_file_the_line_and_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project.toml");
        write(&project, "\n[terminal]\nrowz = 3\n");
        let error = ConfigCache::new(folder.path().join("none"), project.clone()).current().unwrap_err().to_string();
        for part in [project.to_str().unwrap(), "line 3", "rowz", "rows"] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
}
