//! What is asked and answered of context plugins: the words of `pu plugin`.
//!
//! A plugin is named as in the chain's configuration, or by the path of its component. Nothing here is the plugin
//! contract, which stands in `plugin-sdk/wit` alone.

use crate::context::{AssemblerError, AssemblerReport, Label, Pick, TaskDescription};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// A plugin of a project's chain, or one that lies ready for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginInfo {
    /// What reports call it.
    pub name: String,
    pub origin: PluginOrigin,
    /// Where its component lies; absent for a bundled one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    pub version: String,
    pub description: String,
    /// SHA-256 of the component, in hexadecimal; empty if it cannot be read.
    pub digest: String,
    pub pin: Pin,
    /// Whether it is in the chain. One that is not was switched off in the configuration.
    pub enabled: bool,
    /// What it has to be granted, since it imports that: `state`, `history`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// What the configuration grants it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// Why it cannot run, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<AssemblerError>,
    /// What it did since the daemon started.
    pub tally: PluginTally,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginOrigin {
    /// With the program.
    #[default]
    Bundled,
    /// From the project.
    Project,
    /// From the user's PurePoint home.
    Home,
}

/// What `plugins.lock` says of a plugin's file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// It is not pinned: whatever lies there runs.
    #[default]
    None,
    /// It is what was pinned.
    Matches,
    /// It is something else, which is refused.
    Differs,
    /// It is pinned and not there.
    Missing,
}

/// What a plugin did since the daemon started, in all projects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginTally {
    pub calls: u64,
    pub failures: u64,
    /// Failures since it last answered; five set it aside until its file changes or it is added or switched on again.
    pub failures_in_a_row: u32,
    /// Microseconds of the calls that are remembered (the last 256).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// Proposals of it that passed the checks.
    pub picks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<AssemblerError>,
}

/// What a component says of itself, read without running it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginInspection {
    pub name: String,
    pub version: String,
    pub description: String,
    pub licence: String,
    /// The version of the contract that it was built against.
    pub contract: String,
    /// Everything that it imports: what it can reach, and no more.
    pub imports: Vec<String>,
    /// What of that it has to be granted: `state`, `history`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    pub exports: Vec<String>,
    /// Of the component, in bytes.
    pub size: u64,
    pub digest: String,
    /// JSON Schema of its configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// How long one call may take, in milliseconds of processor time.
    pub deadline_ms: u64,
}

/// One task that a plugin is run on, alone, outside of any spawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginTask {
    #[serde(flatten)]
    pub task: TaskDescription,
    /// What other assemblers are said to have found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// The plugin's configuration for this task; the configured one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
}

/// What a plugin said to one task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginRun {
    /// Time, error, what was dropped, notes and log.
    pub report: AssemblerReport,
    pub labels: Vec<Label>,
    /// In the plugin's own order, unmerged; `tokens` is what each would cost.
    pub picks: Vec<Pick>,
}

/// How long a plugin takes, in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PluginTimes {
    pub rounds: u32,
    /// Loading it from the cache of compiled plugins.
    pub load_us: u64,
    /// Whole calls, from a fresh instance to the checked answer.
    pub p50_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
    /// How many of the rounds failed.
    pub failures: u32,
}
