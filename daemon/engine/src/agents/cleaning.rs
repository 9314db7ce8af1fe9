//! What `clean` asks of a worktree (may it go, and if not, why) and how it goes.
//!
//! Nothing that exists nowhere else is removed. Git is asked a second time by the removal itself (no `--force`; the
//! branch only if it still points to what was inspected), so that work done in between is safe too.

use super::error::Result;
use super::repository::{Repository, args};
use super::worktree::{ListedWorktree, branch_of, ref_of};
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a worktree stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepReason {
    /// Files changed or new, and not committed.
    Uncommitted { files: usize, first: String },
    /// Commits that no other branch, remote branch or tag has.
    Unmerged { commits: u64, branch: String },
    /// Commits that no branch at all has.
    Detached { commits: u64 },
    /// A merge, rebase or the like that was begun there.
    InProgress { act: &'static str },
    /// The user locked it.
    Locked,
    /// Its branch is checked out in another worktree.
    CheckedOut { path: PathBuf },
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncommitted { files: 1, first } => write!(f, "{first} is not committed"),
            Self::Uncommitted { files, first } => write!(f, "{files} files are not committed, {first} among them"),
            Self::Unmerged { commits, branch } => {
                write!(f, "{} on {branch} that no other branch or tag has", counted(*commits))
            }
            Self::Detached { commits } => write!(f, "{} on a detached HEAD that no branch has", counted(*commits)),
            Self::InProgress { act } => write!(f, "a {act} is in progress"),
            Self::Locked => write!(f, "it is locked (`git worktree unlock` frees it)"),
            Self::CheckedOut { path } => write!(f, "its branch is checked out in {}", path.display()),
        }
    }
}

fn counted(commits: u64) -> String {
    if commits == 1 { "a commit".to_owned() } else { format!("{commits} commits") }
}

/// What `clean` found of an agent's worktree and branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    pub name: String,
    /// The worktree, if git knows one.
    pub worktree: Option<ListedWorktree>,
    /// The branch, if it exists.
    pub branch: Option<String>,
    /// What the branch points to.
    commit: Option<String>,
    /// Empty: all of it may go.
    pub keep: Vec<KeepReason>,
}

impl Inspection {
    /// The reasons in one line; `None` if it may go.
    pub fn kept_because(&self) -> Option<String> {
        let reasons: Vec<_> = self.keep.iter().map(KeepReason::to_string).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there.
    Absent,
    Removed,
    /// It is still there, and why.
    Kept(String),
}

/// What became of a worktree and its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    pub worktree: Outcome,
    pub branch: Outcome,
}

impl Repository {
    /// Looks at the worktree and the branch of the agent called `name`.
    pub fn inspect_worktree(&self, name: &str) -> Result<Inspection> {
        let listed = self.worktrees()?.into_iter().find(|w| w.name == name);
        let branch = branch_of(name);
        let commit = self.branch_commit(&branch)?;
        let mut keep = Vec::new();
        if let Some(worktree) = &listed {
            self.reasons_of_worktree(worktree, &mut keep)?;
        }
        if let Some(commit) = &commit {
            let own = listed.as_ref().map(|w| w.path.as_path());
            self.reasons_of_branch(&branch, commit, own, &mut keep)?;
        }
        let branch = commit.is_some().then_some(branch);
        Ok(Inspection { name: name.to_owned(), worktree: listed, branch, commit, keep })
    }

    /// Removes what was inspected, unless there is a reason to keep it.
    pub fn remove_worktree(&self, inspected: &Inspection) -> Removal {
        if let Some(reason) = inspected.kept_because() {
            let kept = |there: bool| if there { Outcome::Kept(reason.clone()) } else { Outcome::Absent };
            return Removal { worktree: kept(inspected.worktree.is_some()), branch: kept(inspected.branch.is_some()) };
        }
        let worktree = match &inspected.worktree {
            None => Outcome::Absent,
            Some(listed) => {
                outcome(self.git_worktree("remove the worktree", &args([&"remove", &"--", &listed.path])).map(drop))
            }
        };
        let branch = match (&inspected.branch, &inspected.commit, &worktree) {
            (Some(_), _, Outcome::Kept(_)) => Outcome::Kept("its worktree is still there".to_owned()),
            (Some(branch), Some(commit), _) => outcome(self.delete_branch(branch, commit)),
            _ => Outcome::Absent,
        };
        Removal { worktree, branch }
    }

    pub(super) fn branch_commit(&self, branch: &str) -> Result<Option<String>> {
        let question = ["rev-parse", "--verify", "--quiet", &format!("{}^{{commit}}", ref_of(branch))];
        let ended = self.git.run("resolve the branch", self.top(), &question)?;
        let commit = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        Ok((ended.status.success() && !commit.is_empty()).then_some(commit))
    }

    fn reasons_of_worktree(&self, worktree: &ListedWorktree, keep: &mut Vec<KeepReason>) -> Result<()> {
        if worktree.locked {
            keep.push(KeepReason::Locked);
        }
        if worktree.missing {
            return Ok(());
        }
        let changed = self.uncommitted(&worktree.path)?;
        if let Some(first) = changed.first() {
            keep.push(KeepReason::Uncommitted { files: changed.len(), first: first.clone() });
        }
        if let Some(act) = self.act_in_progress(&worktree.path)? {
            keep.push(KeepReason::InProgress { act });
        }
        if worktree.branch.is_none() {
            let commits = self.count(&worktree.path, &["HEAD", "--not", "--branches", "--remotes", "--tags"])?;
            if commits > 0 {
                keep.push(KeepReason::Detached { commits });
            }
        }
        Ok(())
    }

    fn reasons_of_branch(
        &self,
        branch: &str,
        commit: &str,
        own_worktree: Option<&Path>,
        keep: &mut Vec<KeepReason>,
    ) -> Result<()> {
        let others = format!("--exclude={branch}");
        let commits = self.count(self.top(), &[commit, "--not", &others, "--branches", "--remotes", "--tags"])?;
        if commits > 0 {
            keep.push(KeepReason::Unmerged { commits, branch: branch.to_owned() });
        }
        if let Some(path) = self.checked_out_in(branch)?.filter(|path| Some(path.as_path()) != own_worktree) {
            keep.push(KeepReason::CheckedOut { path });
        }
        Ok(())
    }

    fn count(&self, folder: &Path, revisions: &[&str]) -> Result<u64> {
        let question = [&["rev-list", "--count"], revisions].concat();
        let answer = self.git.expect("count the commits", folder, &question)?;
        // What is no number was not understood, and what is not understood is kept.
        Ok(String::from_utf8_lossy(&answer).trim().parse().unwrap_or(u64::MAX))
    }

    pub(super) fn checked_out_in(&self, branch: &str) -> Result<Option<PathBuf>> {
        let question = ["for-each-ref", "--format=%(worktreepath)", &ref_of(branch)];
        let answer = self.git.expect("find the branch's worktree", self.top(), &question)?;
        let answer = answer.trim_ascii_end();
        Ok((!answer.is_empty()).then(|| super::repository::path_from(answer)))
    }

    fn act_in_progress(&self, worktree: &Path) -> Result<Option<&'static str>> {
        const TRACES: [(&str, &str); 6] = [
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("MERGE_HEAD", "merge"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
            ("REVERT_HEAD", "revert"),
            ("BISECT_LOG", "bisect"),
        ];
        let answer = self.git.expect("find the worktree's records", worktree, &["rev-parse", "--absolute-git-dir"])?;
        let records = super::repository::path_from(answer.trim_ascii_end());
        Ok(TRACES.into_iter().find(|(trace, _)| records.join(trace).exists()).map(|(_, act)| act))
    }
}

fn outcome(result: Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Removed,
        Err(error) => Outcome::Kept(error.to_string()),
    }
}
