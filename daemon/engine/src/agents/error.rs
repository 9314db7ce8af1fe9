//! What can go wrong between a prompt and a launch plan, and how each fault is told to a client.
//!
//! The text of an error names the act and the thing it was done to. It never holds an environment value or a prompt.

use pu_protocol::{ErrorBody, ErrorCode};
use std::path::PathBuf;
use std::time::Duration;

/// The result of everything in this room.
pub type Result<T, E = AgentsError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum AgentsError {
    #[error("no agent is called `{name}` (known: {known})")]
    UnknownAgentType { name: String, known: String },

    #[error("agent `{agent}` needs `{program}`, which is not on the PATH")]
    CommandNotFound { agent: String, program: String, install_hint: Option<String> },

    /// `key` is the path of the key in the configuration, such as `agents.claude.prompt_args`.
    #[error("`{key}`: {reason}")]
    InvalidDefinition { key: String, reason: String },

    #[error("`{name}` cannot be an agent's name: {reason}")]
    InvalidName { name: String, reason: &'static str },

    #[error("the name `{name}` is taken: {by} exists already")]
    NameTaken { name: String, by: String },

    #[error("{reason}")]
    InvalidPrompt { reason: String },

    #[error("the launch of `{agent}` needs {bytes} bytes of arguments and environment; the system takes {limit}")]
    LaunchTooLarge { agent: String, bytes: usize, limit: usize },

    #[error("{what} of the launch of `{agent}` {fault}")]
    InvalidLaunchText { agent: String, what: &'static str, fault: &'static str },

    #[error("the path {} is not UTF-8 text, so it cannot be handed to an agent", path.display())]
    PathNotText { path: PathBuf },

    #[error("`git` is not installed")]
    GitMissing,

    #[error("{} is not in a git repository", path.display())]
    NotARepository { path: PathBuf },

    #[error("{} is a bare repository: it has no working tree", path.display())]
    BareRepository { path: PathBuf },

    #[error("the repository at {} has no commit yet", path.display())]
    NoCommit { path: PathBuf },

    #[error("`{base}` is no commit of the repository at {}", path.display())]
    UnknownBase { base: String, path: PathBuf },

    #[error("cannot {act} in {}: git says: {complaint}", path.display())]
    Git { act: &'static str, path: PathBuf, complaint: String },

    #[error("cannot {act} in {}: git did not end within {} s and was stopped", path.display(), limit.as_secs_f32())]
    GitTimedOut { act: &'static str, path: PathBuf, limit: Duration },

    #[error("cannot create the branch `{branch}` in {}: a branch called `{blocker}` stands in its way", path.display())]
    BranchBlocked { branch: String, blocker: String, path: PathBuf },

    #[error("the project at {} has no worktree called `{name}`", path.display())]
    WorktreeNotFound { name: String, path: PathBuf },

    #[error("{} is a link that leads out of the project", path.display())]
    WorktreesOutside { path: PathBuf },

    #[error("cannot {act} {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: std::io::Error },

    #[error(transparent)]
    Record(#[from] pu_record::RecordError),

    #[error("the system gives no random numbers: {source}")]
    NoRandomness { source: getrandom::Error },

    /// What failed could not be taken back whole.
    #[error("{cause}; left behind: {left}")]
    LeftBehind { cause: Box<AgentsError>, left: String },
}

impl AgentsError {
    /// An [`AgentsError::Io`] maker for `map_err`.
    pub(crate) fn io(act: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { act, path, source }
    }

    /// The stable code that programs read.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownAgentType { .. } => ErrorCode::UnknownAgentType,
            Self::CommandNotFound { .. } => ErrorCode::CommandNotFound,
            Self::InvalidDefinition { .. } => ErrorCode::InvalidConfig,
            Self::InvalidName { .. } => ErrorCode::InvalidName,
            Self::NameTaken { .. } => ErrorCode::NameTaken,
            Self::InvalidPrompt { .. } => ErrorCode::InvalidPrompt,
            Self::LaunchTooLarge { .. } => ErrorCode::LaunchFailed,
            Self::InvalidLaunchText { .. } | Self::PathNotText { .. } => ErrorCode::InvalidRequest,
            Self::GitMissing => ErrorCode::GitMissing,
            Self::NotARepository { .. } | Self::BareRepository { .. } | Self::NoCommit { .. } => {
                ErrorCode::NotAGitRepository
            }
            Self::UnknownBase { .. } => ErrorCode::UnknownBase,
            Self::Git { .. } | Self::BranchBlocked { .. } => ErrorCode::GitFailed,
            Self::GitTimedOut { .. } => ErrorCode::TimedOut,
            Self::WorktreeNotFound { .. } => ErrorCode::WorktreeNotFound,
            Self::WorktreesOutside { .. } => ErrorCode::PathOutsideProject,
            Self::Io { source, .. } | Self::Record(pu_record::RecordError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::StorageFull =>
            {
                ErrorCode::DiskFull
            }
            Self::Io { .. } | Self::Record(_) => ErrorCode::Io,
            Self::NoRandomness { .. } => ErrorCode::Internal,
            Self::LeftBehind { cause, .. } => cause.code(),
        }
    }

    /// What the user can do next, where there is something.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::CommandNotFound { install_hint, .. } => return install_hint.clone(),
            Self::UnknownAgentType { .. } => "define it as an `[agents.<name>]` table in .pu/config.toml",
            Self::InvalidName { .. } => "use letters, digits, `-`, `_` and `.`, beginning with a letter or digit",
            Self::NameTaken { .. } => "choose another name, or leave the name out and one is derived from the prompt",
            Self::InvalidPrompt { .. } => "put the long part into a file and name that file in a short prompt",
            Self::LaunchTooLarge { .. } => "shorten the prompt or the agent arguments, or unset large variables",
            Self::GitMissing => "install git, or work in the project root with --root",
            Self::NotARepository { .. } | Self::BareRepository { .. } => {
                "run `git init` and commit once, or work in the project root with --root"
            }
            Self::NoCommit { .. } => "commit once (`git commit --allow-empty -m start`), or use --root",
            Self::UnknownBase { .. } => "name a branch, tag or commit that `git rev-parse` knows; fetch it first",
            Self::GitTimedOut { .. } => {
                "a hook of the repository may be waiting for something; see `git config core.hooksPath`"
            }
            Self::BranchBlocked { blocker, .. } => {
                return Some(format!("rename it: `git branch -m {blocker} <another name>`"));
            }
            Self::WorktreeNotFound { .. } => "`pu status` lists the agents and their worktrees",
            Self::WorktreesOutside { .. } => "put a folder in its place, or work in the project root with --root",
            Self::LeftBehind { cause, .. } => return cause.hint(),
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The error as a client gets it.
    pub fn to_body(&self) -> ErrorBody {
        ErrorBody { code: self.code(), message: self.to_string(), hint: self.hint() }
    }
}

impl From<AgentsError> for ErrorBody {
    fn from(error: AgentsError) -> Self {
        error.to_body()
    }
}
