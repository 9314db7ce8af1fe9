//! Where the agent of a spawn will work: in the root, in a worktree to be made, or in one that is there.
//!
//! Chosen and looked at before anything is made; it makes nothing. Blocking: callers are on a blocking thread.

use super::failure::Failure;
use crate::agents::{self, AgentsError, Git, Repository, Result, Roster, WorktreeHold, branch_of};
use pu_protocol::layout::ProjectLayout;
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
                let repository = repository()?;
                let found = repository.worktree(name).map_err(|error| not_there(error, &repository, name))?;
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
        let Some(folder) = self.folder(root) else { return Vec::new() };
        changed_files(Git::in_environment(env.clone()), folder, root)
    }

    /// The top of the working tree, if it is there already.
    pub(super) fn folder<'a>(&'a self, root: &'a Path) -> Option<&'a Path> {
        match self {
            Self::Root => Some(root),
            Self::New { .. } => None,
            Self::Joined { path, .. } => Some(path),
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

/// The working tree where somebody stands, and what is told of its branch: the worktree of ours that `cwd` is in, else the
/// root. A look that nobody acts on, so that nothing is held for it.
pub(super) fn place_around(cwd: &Path, root: &Path) -> (Option<PathBuf>, Option<String>) {
    let git = || Git::in_environment(std::env::vars_os());
    let joined =
        worktree_around(cwd, root).and_then(|name| Repository::open(git().ok()?, root).ok()?.worktree(&name).ok());
    joined.map_or_else(|| (Some(root.to_owned()), None), |worktree| (Some(worktree.path), worktree.branch))
}

/// What is changed in the working tree at `folder`, as the daemon's own git says.
pub(super) fn changed_files_in(folder: &Path, root: &Path) -> Vec<(String, String)> {
    changed_files(Git::in_environment(std::env::vars_os()), folder, root)
}

/// The name of the worktree of ours that a folder is in.
fn worktree_around(cwd: &Path, root: &Path) -> Option<String> {
    let worktrees = ProjectLayout::new(root).worktrees().canonicalize().ok()?;
    let inside = cwd.canonicalize().ok()?;
    let name = inside.strip_prefix(worktrees).ok()?.components().next()?;
    name.as_os_str().to_str().map(str::to_owned)
}

/// The files that the working tree at `folder` has changed, each with its status. That git fails costs only these facts.
fn changed_files(git: Result<Git>, folder: &Path, root: &Path) -> Vec<(String, String)> {
    let files = git.and_then(|git| agents::changed_files(&git.with_limit(CHANGED_LIMIT), root, folder, CHANGED_MAX));
    match files {
        Ok(files) => files.into_iter().map(|file| (file.path, file.status.to_owned())).collect(),
        Err(error) => {
            tracing::debug!(%error, "the changed files are not known");
            Vec::new()
        }
    }
}

/// A worktree that was deleted leaves its branch, and with that all that was committed.
fn not_there(error: AgentsError, repository: &Repository, name: &str) -> Failure {
    let branch = branch_of(name);
    let is_gone = matches!(error, AgentsError::WorktreeNotFound { .. });
    let mut failure = Failure::from(error);
    if is_gone && repository.resolve_base(Some(&branch)).is_ok() {
        let path = format!("{}/worktrees/{name}", ProjectLayout::FOLDER);
        let again = format!("`git worktree prune && git worktree add {path} {branch}`");
        failure.body.hint = Some(format!("its branch is still there: {again}, then resume or spawn once more"));
    }
    failure
}

fn being_removed(name: &str, root: &Path) -> ErrorBody {
    let message = format!("the worktree {name:?} of {} is being removed just now", root.display());
    ErrorBody::new(ErrorCode::WorktreeNotFound, message).with_hint("`pu status` lists the agents and their worktrees")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(folder: &Path, args: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]).args(args).current_dir(folder);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
    }

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        pu_record::atomic::write_atomic(path, text.as_bytes(), 0o644).unwrap();
    }

    fn told(cwd: &Path, root: &Path) -> (Option<String>, Vec<String>) {
        let (folder, branch) = place_around(cwd, root);
        let changed = folder.map_or_else(Vec::new, |folder| changed_files_in(&folder, root));
        (branch, changed.into_iter().map(|(path, status)| format!("{status} {path}")).collect())
    }

    #[test]
    fn the_facts_are_those_of_the_working_tree_that_somebody_stands_in() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        git(&root, &["init", "-q", "-b", "main"]);
        write(&root.join("src/a.rs"), "one\n");
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-q", "-m", "the beginning"]);
        assert_eq!(told(&root, &root), (None, vec![]));

        write(&root.join("src/a.rs"), "one\ntwo\n");
        write(&root.join("b.rs"), "new\n");
        git(&root, &["worktree", "add", "-q", "-b", "pu/w", ".pu/worktrees/w"]);
        let worktree = root.join(".pu/worktrees/w");
        write(&worktree.join("c.rs"), "new\n");
        let (branch, changed) = told(&root.join("src"), &root);
        assert_eq!(branch, None, "the branch of the root is the user's own affair");
        assert_eq!(changed, ["added b.rs", "modified src/a.rs"]);
        let (branch, changed) = told(&worktree.join("src"), &root);
        assert_eq!(branch.as_deref(), Some("pu/w"));
        assert_eq!(changed, ["added c.rs"]);
    }

    #[test]
    fn where_no_git_is_nothing_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(told(folder.path(), folder.path()), (None, vec![]));
    }
}
