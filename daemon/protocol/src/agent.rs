//! An agent as clients see it.
//!
//! What is sent, not what is alive: no handle, no socket, no process stands behind these types.

use crate::activity::Activity;
use crate::frame::TerminalSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One agent, live or ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentInfo {
    /// Eight hexadecimal digits; any unique prefix names the agent too.
    pub agent_id: String,
    /// Unique among the project's agents that are not cleaned away.
    pub name: String,
    /// The agent definition it was started from: `claude`, `codex`, `terminal`, …
    pub agent: String,
    pub project_root: PathBuf,
    /// The worktree's folder relative to the project root; absent when the agent works in the root itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The prompt's first line, cut to 200 characters.
    #[serde(default)]
    pub task: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// Tokens of context that the agent was given.
    #[serde(default)]
    pub context_tokens: u32,
    /// What the terminal's size was at the start.
    #[serde(default)]
    pub size: TerminalSize,
    /// The id that it had before, where it was resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    /// What it is doing, and how that is known.
    #[serde(default)]
    pub activity: Activity,
    #[serde(flatten)]
    pub state: AgentState,
}

/// Where an agent is in its life. "Link lost", "exit unknown" and "exited" are three different things: nothing is
/// called ended whose end was not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AgentState {
    /// Its shim was told to start; no word from it yet.
    Starting,
    Running {
        pid: i32,
    },
    /// Its processes live but its shim does not answer the daemon.
    LinkLost {
        pid: i32,
        reason: String,
    },
    /// It ended by itself.
    Exited {
        #[serde(flatten)]
        exit: Exit,
    },
    /// It ended because somebody asked PurePoint to end it.
    Killed {
        #[serde(flatten)]
        exit: Exit,
    },
    /// It is gone and nothing recorded how.
    ExitUnknown {
        reason: String,
    },
    /// The machine was restarted under it.
    Lost {
        reason: String,
    },
}

/// How a process ended. Exactly one of `code` and `signal` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal's name, such as `SIGTERM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// RFC 3339, UTC.
    pub ended_at: String,
    /// Processes that the agent started and that went on without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_running: Vec<i32>,
}

impl AgentState {
    /// Whether the agent still has (or may still have) a process.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Starting | Self::Running { .. } | Self::LinkLost { .. })
    }

    /// The state's name as it stands on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running { .. } => "running",
            Self::LinkLost { .. } => "link_lost",
            Self::Exited { .. } => "exited",
            Self::Killed { .. } => "killed",
            Self::ExitUnknown { .. } => "exit_unknown",
            Self::Lost { .. } => "lost",
        }
    }

    pub fn exit(&self) -> Option<&Exit> {
        match self {
            Self::Exited { exit } | Self::Killed { exit } => Some(exit),
            _ => None,
        }
    }

    pub fn pid(&self) -> Option<i32> {
        match self {
            Self::Running { pid } | Self::LinkLost { pid, .. } => Some(*pid),
            _ => None,
        }
    }
}
