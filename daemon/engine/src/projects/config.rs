//! Configuration: what the user's file and the project's say together, as types.
//!
//! The keys are the fields of these types and nothing else: a key that is not known is an error with its place, never
//! ignored. Reading and merging, what is kept of a file that became faulty, and where each value comes from have each a
//! file of their own.

mod cache;
mod fault;
mod place;
mod read;
mod values;

pub(super) use cache::{ConfigCache, Texts};
pub use values::{ConfigKeyError, config_key};

use super::discovery::DiscoveryConfig;
use crate::agents::DefinitionTable;
use crate::context::ContextConfig;
use crate::specs::SourceConfig;
use crate::store::HistoryBounds;
use pu_protocol::frame::TerminalSize;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub default_agent: Option<String>,
    pub context: ContextConfig,
    pub specs: SpecsConfig,
    pub terminal: TerminalConfig,
    pub history: HistoryConfig,
    pub spool: SpoolConfig,
    /// Where projects are looked for.
    pub discovery: DiscoveryConfig,
    /// Further agent definitions, and changes to the built-in ones.
    pub agents: BTreeMap<String, DefinitionTable>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
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

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
