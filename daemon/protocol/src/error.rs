//! Errors as clients get them: a stable code for programs, a message and a hint for people.
//!
//! The chain of causes stays in the daemon's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong. Codes are never renamed and never re-used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The line is not a JSON object with a `type`.
    MalformedRequest,
    /// No request has this `type`.
    UnknownRequest,
    /// A field of the request is missing or of the wrong kind.
    InvalidRequest,
    /// The line is over 1 MiB; it was skipped as a whole.
    LineTooLong,
    /// Client and daemon share no protocol version.
    UnsupportedProtocol,
    /// The daemon has as many connections, or the connection as many requests, as it takes; or a project does not answer.
    Busy,
    /// The peer runs as another user.
    NotPermitted,
    /// No daemon answers and none could be started.
    DaemonUnavailable,
    /// The folder is in no project and cannot become one.
    NotAProject,
    /// The project is known but not trusted, or something that can act in it is not what was trusted.
    ProjectUntrusted,
    /// No project has this name, path or id.
    ProjectNotFound,
    /// Several projects have this name.
    ProjectAmbiguous,
    /// What can act in the project is not what was shown any more.
    TrustOutdated,
    /// No agent has this id, prefix or name.
    AgentNotFound,
    /// Several agents have this prefix.
    AgentAmbiguous,
    /// The agent has ended.
    AgentEnded,
    /// The agent has not ended, or goes on already under another id.
    AgentRunning,
    /// The agent's shim does not answer.
    AgentUnreachable,
    /// Another agent of the project has this name.
    NameTaken,
    /// The name has characters that a branch or a folder cannot have.
    InvalidName,
    /// No agent definition has this name.
    UnknownAgentType,
    /// The agent's program is not installed.
    CommandNotFound,
    /// The agent's program could not be started.
    LaunchFailed,
    /// The prompt is missing, or too long for the way in which this agent takes one.
    InvalidPrompt,
    /// `git` is not installed.
    GitMissing,
    /// The folder is not in a git repository with a commit.
    NotAGitRepository,
    /// A git command failed.
    GitFailed,
    /// The base is no commit of the repository.
    UnknownBase,
    /// No worktree has this name.
    WorktreeNotFound,
    /// No spec has this id or path.
    SpecNotFound,
    /// The chain has no plugin of this name.
    PluginNotFound,
    /// The component is no plugin that this daemon runs; the message begins with the plugin's own code.
    PluginRefused,
    /// A program that builds a plugin failed.
    BuildFailed,
    /// An assembler that the configuration requires failed.
    RequiredAssemblerFailed,
    /// A configuration file cannot be read as what it should be.
    InvalidConfig,
    /// No configuration has this key.
    UnknownConfigKey,
    /// A path leads outside the project.
    PathOutsideProject,
    /// A socket's path would be longer than the system allows.
    PathTooLong,
    /// A file of PurePoint's own is damaged; it was set aside.
    RecordDamaged,
    /// A file or folder could not be read or written.
    Io,
    /// The disk is full.
    DiskFull,
    /// The daemon is stopping.
    ShuttingDown,
    /// It took too long.
    TimedOut,
    /// A fault of PurePoint's own; the daemon's log has more.
    Internal,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    pub fn as_str(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(s)) => s,
            _ => "internal".into(),
        }
    }
}

/// An error as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct ErrorBody {
    pub code: ErrorCode,
    /// What happened, to what.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ErrorBody {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
