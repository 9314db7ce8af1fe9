//! Where the agent of a spawn will work: in the root, in a worktree to be made, or in one that is there.
//!
//! Chosen and looked at before anything is made; it makes nothing. Blocking: callers are on a blocking thread.

use super::failure::Failure;
use crate::agents::{self, AgentsError, Git, Repository, Result, Roster, WorktreeHold, branch_of};
use pu_protocol::{ErrorBody, ErrorCode, Placement, SpawnRequest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As many changed files as a task can have.
const CHANGED_MAX: usize = 1_000;
/// How long one question to git about them may take: they are worth less than a spawn that does not start.
const CHANGED_LIMIT: Duration = Duration::from_secs(5);

pub(super) enum Site {
    Root,
    /// A worktree to be made from this commit.
    New {
        repository: Repository,
        base: String,
    },
    /// A worktree that is there.
    Joined {
        name: String,
        branch: Option<String>,
        /// The worktree itself.
        path: PathBuf,
        /// The project's folder in it.
        workdir: PathBuf,
        /// Until the agent stands in the roster, nobody removes the worktree.
        _hold: WorktreeHold,
    },
}

impl Site {
    pub(super) fn choose(request: &SpawnRequest, root: &Path, roster: &Roster) -> Result<Self, Failure> {
        let repository = || Repository::open(Git::in_environment(request.env.clone())?, root);
        match &request.placement {
            Placement::Root => Ok(Self::Root),
            Placement::NewWorktree { base } => {
                let repository = repository()?;
                let base = repository.resolve_base(base.as_deref())?;
                Ok(Self::New { repository, base })
            }
            Placement::Worktree { name } => {
                // Held first: what is found then stays.
                let hold = roster.join_worktree(root, name).ok_or_else(|| being_removed(name, root))?;
                let found = repository()?.worktree(name)?;
                let (branch, path, workdir) = (found.branch, found.path, found.workdir);
                Ok(Self::Joined { name: name.clone(), branch, path, workdir, _hold: hold })
            }
        }
    }

    /// The folder that the agent called `name` will work in.
    pub(super) fn future_workdir(&self, name: &str, root: &Path) -> PathBuf {
        match self {
            Self::Root => root.to_owned(),
            Self::New { repository, base } => repository.future_worktree(name, base).workdir,
            Self::Joined { workdir, .. } => workdir.clone(),
        }
    }

    /// The branch that the agent called `name` will work on; that of the root is the user's own affair.
    pub(super) fn branch(&self, name: &str) -> Option<String> {
        match self {
            Self::Root => None,
            Self::New { .. } => Some(branch_of(name)),
            Self::Joined { branch, .. } => branch.clone(),
        }
    }

    /// What is changed where the agent will work, each with its status; a worktree that is yet to be made has changed
    /// nothing.
    pub(super) fn changed_files(&self, root: &Path, env: &BTreeMap<String, String>) -> Vec<(String, String)> {
        match self {
            Self::Root => changed_files(root, root, env),
            Self::New { .. } => Vec::new(),
            Self::Joined { path, .. } => changed_files(path, root, env),
        }
    }

    /// A worktree can be removed by hand between the look and the start: without its `.git`, git would speak there of the
    /// repository around it.
    pub(super) fn check_still_there(&self, root: &Path) -> Result<()> {
        match self {
            Self::Joined { name, path, .. } if !path.join(".git").exists() => {
                Err(AgentsError::WorktreeNotFound { name: name.clone(), path: root.to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// The files that the working tree at `folder` has changed, each with its status. That git fails costs only these facts.
fn changed_files(folder: &Path, root: &Path, env: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let files = Git::in_environment(env.clone())
        .and_then(|git| agents::changed_files(&git.with_limit(CHANGED_LIMIT), root, folder, CHANGED_MAX));
    match files {
        Ok(files) => files.into_iter().map(|file| (file.path, file.status.to_owned())).collect(),
        Err(error) => {
            tracing::debug!(%error, "the changed files are not known");
            Vec::new()
        }
    }
}

fn being_removed(name: &str, root: &Path) -> ErrorBody {
    let message = format!("the worktree {name:?} of {} is being removed just now", root.display());
    ErrorBody::new(ErrorCode::WorktreeNotFound, message).with_hint("`pu status` lists the agents and their worktrees")
}
