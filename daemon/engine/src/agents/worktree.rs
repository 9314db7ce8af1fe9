//! Worktrees of agents: `.pu/worktrees/<name>` on branch `pu/<name>`; made, listed, and taken back when a spawn fails.
//!
//! Invariant: no branch and no folder that was there before is ever changed. Each is claimed by an act that fails if it
//! exists (`mkdir`, `update-ref` against "no such ref"), so that what is taken back is surely ours.

use super::error::{AgentsError, Result};
use super::git;
use super::repository::{Repository, args, path_from};
use pu_protocol::layout::ProjectLayout;
use pu_record::fault;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What agents' branches begin with.
const BRANCH_PREFIX: &str = "pu/";

/// The branch of the agent called `name`.
pub fn branch_of(name: &str) -> String {
    format!("{BRANCH_PREFIX}{name}")
}

pub(crate) fn ref_of(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// A worktree that a spawn has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedWorktree {
    pub name: String,
    pub branch: String,
    pub path: PathBuf,
    /// The project's folder within the worktree: where the agent works.
    pub workdir: PathBuf,
    /// The commit that the branch began at.
    pub base: String,
}

/// A worktree under `.pu/worktrees/`, as git lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedWorktree {
    pub name: String,
    pub path: PathBuf,
    /// The project's folder within the worktree.
    pub workdir: PathBuf,
    /// The branch that is checked out there; `None` on a detached HEAD.
    pub branch: Option<String>,
    pub locked: bool,
    /// Git knows it, its folder is gone.
    pub missing: bool,
}

/// What was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// What is still there, each with the reason; empty when nothing is.
    pub kept: Vec<String>,
}

impl Repository {
    /// Makes the worktree of the agent called `name` from `commit` (see [`Repository::resolve_base`]). `NameTaken` if
    /// its folder or branch exists; whatever fails, nothing is left behind, or the error says what.
    pub fn create_worktree(&self, name: &str, commit: &str) -> Result<CreatedWorktree> {
        self.create_noted_worktree(name, commit, || Ok(()))
    }

    /// As [`Repository::create_worktree`]. `note` is called once folder and branch are surely ours, before anything else
    /// is in them: whoever finds what it wrote may remove both with all that is in them.
    pub fn create_noted_worktree(
        &self,
        name: &str,
        commit: &str,
        note: impl FnOnce() -> Result<()>,
    ) -> Result<CreatedWorktree> {
        super::name::check(name)?;
        let path = self.claim_folder(name)?;
        let created = self.future_worktree(name, commit);
        if let Err(error) = self.claim_branch(name, &created.branch, commit) {
            let kept = std::fs::remove_dir(&path).err().map(|e| format!("{}: {e}", path.display()));
            return Err(with_what_is_left(error, kept.as_slice()));
        }
        if let Err(error) = note().and_then(|()| self.fill_worktree(&created)) {
            return Err(with_what_is_left(error, &self.withdraw(&created).kept));
        }
        Ok(created)
    }

    /// What [`Repository::create_worktree`] is about to make.
    pub fn future_worktree(&self, name: &str, commit: &str) -> CreatedWorktree {
        let path = self.worktrees_folder().join(name);
        let workdir = self.workdir_in(&path);
        CreatedWorktree { name: name.to_owned(), branch: branch_of(name), path, workdir, base: commit.to_owned() }
    }

    /// Takes a worktree back after a spawn that failed. Where the agent has run (`agent_started`) its work stays: files
    /// that it changed keep the worktree, and commits keep the branch.
    pub fn undo_worktree(&self, created: &CreatedWorktree, agent_started: bool) -> Result<Undone> {
        // Without its `.git` it was never made whole: git would speak of the repository around it.
        if agent_started && created.path.join(".git").exists() {
            let changed = self.uncommitted(&created.path)?;
            if let Some(first) = changed.first() {
                let kept = format!("{}: {} changed files, {first} among them", created.path.display(), changed.len());
                return Ok(Undone { kept: vec![kept] });
            }
        }
        Ok(self.withdraw(created))
    }

    /// Takes back what may have been claimed for a worktree and was not noted as claimed. It may be somebody else's, so
    /// only an empty folder goes, and a branch that stands at the base and is checked out nowhere.
    pub fn undo_unsure_worktree(&self, created: &CreatedWorktree) -> Result<Undone> {
        let mut kept = Vec::new();
        match std::fs::remove_dir(&created.path) {
            Err(error) if !is_no_empty_folder(error.kind()) => {
                kept.push(format!("{}: {error}", created.path.display()));
            }
            _ => {}
        }
        let is_at_base = self.branch_commit(&created.branch)?.as_ref() == Some(&created.base);
        if is_at_base && self.checked_out_in(&created.branch)?.is_none() {
            self.delete_branch(&created.branch, &created.base)?;
        }
        Ok(Undone { kept })
    }

    /// The worktrees under the project's `.pu/worktrees/`, by name.
    pub fn worktrees(&self) -> Result<Vec<ListedWorktree>> {
        let answer = self.git_worktree("list the worktrees", &["list", "--porcelain"])?;
        let folder = self.worktrees_folder();
        let blocks = answer.split(|b| *b == b'\n').collect::<Vec<_>>();
        let mut listed: Vec<_> =
            blocks.split(|line| line.is_empty()).filter_map(|block| self.listed(block, &folder)).collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listed)
    }

    /// The worktree called `name`, for an agent that joins it.
    pub fn worktree(&self, name: &str) -> Result<ListedWorktree> {
        let found = self.worktrees()?.into_iter().find(|w| w.name == name && !w.missing);
        found.ok_or_else(|| AgentsError::WorktreeNotFound { name: name.to_owned(), path: self.project.clone() })
    }

    /// `.pu/worktrees`, symlinks resolved as git resolves them.
    pub(crate) fn worktrees_folder(&self) -> PathBuf {
        let folder = ProjectLayout::new(&self.project).worktrees();
        folder.canonicalize().unwrap_or(folder)
    }

    fn listed(&self, block: &[&[u8]], folder: &Path) -> Option<ListedWorktree> {
        let field = |key: &[u8]| block.iter().find_map(|line| line.strip_prefix(key));
        let path = path_from(field(b"worktree ")?);
        if path.parent() != Some(folder) {
            return None;
        }
        let has = |key: &[u8]| block.iter().any(|line| line.split(|b| *b == b' ').next() == Some(key));
        let branch = field(b"branch refs/heads/").map(|name| String::from_utf8_lossy(name).into_owned());
        Some(ListedWorktree {
            name: path.file_name()?.to_str()?.to_owned(),
            workdir: self.workdir_in(&path),
            branch,
            locked: has(b"locked"),
            missing: !path.exists(),
            path,
        })
    }

    fn claim_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = ProjectLayout::new(&self.project).worktrees();
        // A repository may bring a link there, to anywhere.
        if folder.canonicalize().map_or(folder.is_symlink(), |real| !real.starts_with(&self.project)) {
            return Err(AgentsError::WorktreesOutside { path: folder });
        }
        pu_record::atomic::create_private_folder(&folder)?;
        let path = self.worktrees_folder().join(name);
        fault::point("worktree.folder")?;
        std::fs::create_dir(&path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                AgentsError::NameTaken { name: name.to_owned(), by: format!("the folder {}", path.display()) }
            }
            _ => AgentsError::io("create", &path)(error),
        })?;
        Ok(path)
    }

    fn claim_branch(&self, name: &str, branch: &str, commit: &str) -> Result<()> {
        const ACT: &str = "create the branch";
        fault::point("worktree.branch")?;
        let reference = ref_of(branch);
        // The empty old value means: only if there is no such ref.
        let ended = self.git.run(ACT, self.top(), &["update-ref", "-m", "pu: spawn", &reference, commit, ""])?;
        if ended.status.success() {
            return Ok(());
        }
        Err(self.branch_obstacle(name, branch)?.unwrap_or_else(|| git::failure(ACT, self.top(), &ended)))
    }

    /// Which branch, if any, stands where `branch` would: itself, one below it, or one called like its first part.
    fn branch_obstacle(&self, name: &str, branch: &str) -> Result<Option<AgentsError>> {
        let prefix = ref_of(BRANCH_PREFIX.trim_end_matches('/'));
        let question = ["for-each-ref", "--format=%(refname)", &prefix];
        let answer = self.git.expect("list the branches", self.top(), &question)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let wanted = ref_of(branch).to_lowercase();
        for existing in answer.lines() {
            let short = existing.trim_start_matches("refs/heads/").to_owned();
            let found = existing.to_lowercase();
            if found == wanted || found.starts_with(&format!("{wanted}/")) {
                return Ok(Some(AgentsError::NameTaken { name: name.to_owned(), by: format!("the branch {short}") }));
            }
            if found == prefix {
                let (branch, path) = (branch.to_owned(), self.top().to_owned());
                return Ok(Some(AgentsError::BranchBlocked { branch, blocker: short, path }));
            }
        }
        Ok(None)
    }

    fn fill_worktree(&self, created: &CreatedWorktree) -> Result<()> {
        const ACT: &str = "create the worktree";
        fault::point("worktree.fill")?;
        let arguments = args([&"add", &"--quiet", &"--", &created.path, &created.branch]);
        self.git_worktree(ACT, &arguments)?;
        if created.workdir.is_dir() {
            return Ok(());
        }
        // The base has no such folder: the project is newer than it, or not committed.
        std::fs::create_dir_all(&created.workdir).map_err(AgentsError::io("create", &created.workdir))
    }

    /// Removes what a spawn created, whatever state it is in; what cannot be removed is said.
    fn withdraw(&self, created: &CreatedWorktree) -> Undone {
        let mut kept = Vec::new();
        if let Err(error) = self.force_away(&created.path) {
            kept.push(format!("{}: {error}", created.path.display()));
        }
        if let Err(error) = self.delete_branch(&created.branch, &created.base) {
            kept.push(format!("branch {}: {error}", created.branch));
        }
        Undone { kept }
    }

    /// Removes a worktree with all that is in it. Twice `--force`: one that was being made is locked.
    fn force_away(&self, path: &Path) -> Result<()> {
        const ACT: &str = "remove the worktree";
        let removed = self.git_worktree(ACT, &args([&"remove", &"--force", &"--force", &path]));
        if removed.is_ok() && !path.exists() {
            return Ok(());
        }
        // Half-made: git does not see a worktree in it.
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(AgentsError::io("remove", path)(error)),
            _ => self.forget(path),
        }
    }

    /// Removes git's own record of the worktree at `path`. Not `git worktree prune`: that forgets those of others too,
    /// whose disk may just not be there.
    fn forget(&self, path: &Path) -> Result<()> {
        let records = self.common_dir().join("worktrees");
        let entries = match std::fs::read_dir(&records) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(AgentsError::io("list", records)(error)),
        };
        for record in entries.flatten().map(|entry| entry.path()) {
            if recorded_path(&record).as_deref() == Some(path) {
                std::fs::remove_dir_all(&record).map_err(AgentsError::io("remove", record))?;
            }
        }
        Ok(())
    }

    /// Runs `git worktree`, one at a time in each repository: git reads the records of all worktrees and fails on one
    /// that another git is just writing.
    pub(crate) fn git_worktree<S: AsRef<OsStr>>(&self, act: &'static str, arguments: &[S]) -> Result<Vec<u8>> {
        static TURNS: LazyLock<Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>> = LazyLock::new(Mutex::default);
        let turn = {
            let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(self.common_dir().to_owned()).or_default())
        };
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let arguments: Vec<&OsStr> =
            std::iter::once(OsStr::new("worktree")).chain(arguments.iter().map(AsRef::as_ref)).collect();
        self.git.expect(act, self.top(), &arguments)
    }

    /// Deletes `branch` if it still points to `commit`, and what the configuration says of it. One that is not there is
    /// deleted.
    pub(crate) fn delete_branch(&self, branch: &str, commit: &str) -> Result<()> {
        let question = ["show-ref", "--verify", "--quiet", &ref_of(branch)];
        if self.git.run("look for the branch", self.top(), &question)?.status.code() == Some(1) {
            return Ok(());
        }
        self.git.expect("delete the branch", self.top(), &["update-ref", "-d", &ref_of(branch), commit])?;
        // Such as its upstream, which a later branch of this name would get; mostly there is none.
        let section = format!("branch.{branch}");
        self.git.run("tidy the configuration", self.top(), &["config", "--local", "--remove-section", &section])?;
        Ok(())
    }
}

/// The worktree that the record in `<common dir>/worktrees/<id>` is of.
fn recorded_path(record: &Path) -> Option<PathBuf> {
    let content = std::fs::read(record.join("gitdir")).ok()?;
    // Absolute, or (worktree.useRelativePaths) relative to the record; always of the `.git` file.
    let worktree = record.join(path_from(content.trim_ascii_end())).parent()?.to_owned();
    Some(worktree.parent()?.canonicalize().ok()?.join(worktree.file_name()?))
}

/// Not there, or there with something in it that is not ours to remove.
fn is_no_empty_folder(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory)
}

fn with_what_is_left(cause: AgentsError, kept: &[String]) -> AgentsError {
    if kept.is_empty() {
        return cause;
    }
    AgentsError::LeftBehind { cause: Box::new(cause), left: kept.join(", ") }
}
