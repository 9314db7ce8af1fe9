//! What a subscriber hears.
//!
//! Events tell that something changed; the state itself is asked for with `status`.

use crate::AgentInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// An event as it is sent, in the order of `seq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventLine {
    /// Counts up by one an event, from the daemon's start.
    pub seq: u64,
    /// RFC 3339, UTC.
    pub at: String,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// An agent was started.
    AgentStarted { agent: AgentInfo },
    /// A daemon that came later found an agent alive and is connected to it.
    AgentAdopted { agent: AgentInfo },
    /// An agent's state, or what it is doing, is another one than before.
    AgentChanged { agent: AgentInfo },
    /// An agent ended; its state says how.
    AgentEnded { agent: AgentInfo },
    /// An agent's record was cleaned away.
    AgentRemoved { agent_id: String, name: String, project_root: PathBuf },
    /// A project became known.
    ProjectAdded { root: PathBuf, name: String, trusted: bool },
    /// A project's state is another one than before: `trusted`, `changed`, `known` or `missing`.
    ProjectChanged { root: PathBuf, name: String, state: String },
    /// A project lies elsewhere than before: its root is `root` now, its agents' too.
    ProjectMoved { from: PathBuf, root: PathBuf, name: String },
    /// A project is not known any more.
    ProjectRemoved { root: PathBuf, name: String },
    /// A project's specs are being read, which takes a while: so many of so many files, all of them at the end.
    IndexProgress { root: PathBuf, done: u32, total: u32 },
    /// A project's specs changed and are indexed.
    SpecsChanged { root: PathBuf, specs: u32, revision: String },
    /// Not all folders can be watched for projects; those are looked at from time to time instead. Told once, of the
    /// first.
    DiscoveryLimited { folder: PathBuf, message: String },
    /// The daemon stops; the connection closes after this.
    DaemonStopping,
}
