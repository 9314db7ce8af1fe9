//! Why an agent could not be started, with the stable code that the daemon passes on.

use std::io;
use std::path::PathBuf;

use pu_record::RecordError;
use pu_record::shim::StartFailure;

/// A failed start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the launch record is of no use: {0}")]
    LaunchUnreadable(RecordError),
    #[error("a shim (pid {pid}) already runs this agent")]
    AlreadyRunning { pid: i32 },
    #[error("the launch record names no command")]
    NoCommand,
    #[error("the command {command:?} is not there, or is not a program that may be run")]
    CommandNotFound { command: String },
    #[error("the command {command:?} could not be executed")]
    ExecFailed { command: String },
    #[error("the working folder {} cannot be used: {source}", cwd.display())]
    CwdMissing { cwd: PathBuf, source: io::Error },
    #[error("cannot {act}: {reason}")]
    PtyFailed { act: &'static str, reason: String },
    #[error("cannot start the agent's process: {reason}")]
    SpawnFailed { reason: String },
    #[error("cannot write the agent's records: {0}")]
    RecordUnwritable(RecordError),
    #[error("cannot open the output spool {}: {source}", path.display())]
    SpoolUnwritable { path: PathBuf, source: io::Error },
    #[error("the socket path {} has {length} bytes, the system takes {max}", path.display())]
    SocketPathTooLong { path: PathBuf, length: usize, max: usize },
    #[error("cannot listen on {}: {source}", path.display())]
    SocketFailed { path: PathBuf, source: io::Error },
    #[error("cannot {act}: {source}")]
    Setup { act: &'static str, source: io::Error },
}

impl StartError {
    fn code(&self) -> &'static str {
        match self {
            Self::LaunchUnreadable(_) => "launch_unreadable",
            Self::AlreadyRunning { .. } => "already_running",
            Self::NoCommand | Self::CommandNotFound { .. } => "command_not_found",
            Self::ExecFailed { .. } => "exec_failed",
            Self::CwdMissing { .. } => "cwd_missing",
            Self::PtyFailed { .. } => "pty_failed",
            Self::SpawnFailed { .. } => "spawn_failed",
            Self::RecordUnwritable(_) | Self::SpoolUnwritable { .. } => "record_unwritable",
            Self::SocketPathTooLong { .. } => "socket_path_too_long",
            Self::SocketFailed { .. } => "socket_failed",
            Self::Setup { .. } => "setup_failed",
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NoCommand | Self::CommandNotFound { .. } => "install the command, or correct its name or PATH",
            Self::ExecFailed { .. } => "the file may be for another machine, or its interpreter may be missing",
            Self::CwdMissing { .. } => "the worktree or folder may have been removed",
            Self::PtyFailed { .. } | Self::SpawnFailed { .. } => "the system may be out of terminals or processes",
            Self::RecordUnwritable(_) | Self::SpoolUnwritable { .. } => "check the free space and owner of PU_HOME",
            Self::SocketPathTooLong { .. } => "set PU_HOME to a shorter path",
            Self::AlreadyRunning { .. } => "attach to the agent, or kill it first",
            Self::LaunchUnreadable(_) | Self::SocketFailed { .. } | Self::Setup { .. } => "see the agent's shim.log",
        }
    }
}

impl From<StartError> for StartFailure {
    fn from(error: StartError) -> Self {
        Self { code: error.code().into(), message: error.to_string(), hint: error.hint().into() }
    }
}
