//! Questions to a git repository: where it is, what is checked out, which commit a name means, what is not committed.
//!
//! Reads only. Nothing here takes a lock that could get into an agent's way.

use super::changes;
use super::error::{AgentsError, Result};
use super::git::{self, Git};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A repository with a working tree, seen from a project in it.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(crate) git: Git,
    /// The project root, symlinks resolved.
    pub(crate) project: PathBuf,
    top: PathBuf,
    common_dir: PathBuf,
}

impl Repository {
    /// The repository that the project at `project_root` is in.
    pub fn open(git: Git, project_root: &Path) -> Result<Self> {
        const ACT: &str = "find the repository";
        let project = project_root.canonicalize().map_err(AgentsError::io("resolve", project_root))?;
        let question =
            ["rev-parse", "--path-format=absolute", "--is-bare-repository", "--show-toplevel", "--git-common-dir"];
        let ended = git.run(ACT, &project, &question)?;
        // In a bare repository git answers the first question and fails at the second.
        if ended.stdout.starts_with(b"true\n") {
            return Err(AgentsError::BareRepository { path: project });
        }
        if !ended.status.success() {
            let complaint = ended.complaint();
            let nowhere =
                complaint.contains("not a git repository") || complaint.contains("must be run in a work tree");
            return Err(match nowhere {
                true => AgentsError::NotARepository { path: project },
                false => git::failure(ACT, &project, &ended),
            });
        }
        let lines: Vec<_> = ended.stdout.split(|b| *b == b'\n').collect();
        // Exactly three answers, each with its newline: a path with a newline in it would give more.
        let [_, top, common_dir, b""] = lines[..] else {
            return Err(git::failure(ACT, &project, &ended));
        };
        let resolve = |bytes: &[u8]| {
            let path = path_from(bytes);
            path.canonicalize().map_err(AgentsError::io("resolve", path))
        };
        Ok(Self { top: resolve(top)?, common_dir: resolve(common_dir)?, git, project })
    }

    /// The folder that holds the working tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The folder that all worktrees share: `.git`.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Where in the working tree the project lies: empty where it is the whole tree.
    pub(crate) fn prefix(&self) -> &Path {
        self.project.strip_prefix(&self.top).unwrap_or(Path::new(""))
    }

    /// The project's folder in the worktree at `worktree`.
    pub(crate) fn workdir_in(&self, worktree: &Path) -> PathBuf {
        // Joining an empty path would leave a `/` at the end, which agents would see in PWD.
        worktree.components().chain(self.prefix().components()).collect()
    }

    /// The full id of the commit that `base` names, by default the one that is checked out.
    pub fn resolve_base(&self, base: Option<&str>) -> Result<String> {
        let name = base.unwrap_or("HEAD");
        let unknown = || match base {
            Some(base) => AgentsError::UnknownBase { base: base.to_owned(), path: self.project.clone() },
            None => AgentsError::NoCommit { path: self.project.clone() },
        };
        // A name that begins with a dash would be read as an option.
        if name.is_empty() || name.starts_with('-') || name.contains('\0') {
            return Err(unknown());
        }
        let question = ["rev-parse", "--verify", "--quiet", &format!("{name}^{{commit}}")];
        let ended = self.git.run("resolve the base", &self.project, &question)?;
        let commit = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        if ended.status.success() && !commit.is_empty() { Ok(commit) } else { Err(unknown()) }
    }

    /// Whether anything has been committed yet.
    pub fn has_commit(&self) -> Result<bool> {
        match self.resolve_base(None) {
            Ok(_) => Ok(true),
            Err(AgentsError::NoCommit { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The branch that is checked out in `folder`; `None` on a detached HEAD.
    pub fn current_branch(&self, folder: &Path) -> Result<Option<String>> {
        let ended = self.git.run("read the branch", folder, &["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        match ended.status.code() {
            Some(0) => Ok(Some(String::from_utf8_lossy(&ended.stdout).trim_end().to_owned())),
            Some(1) => Ok(None),
            _ => Err(git::failure("read the branch", folder, &ended)),
        }
    }

    /// Paths that are changed, staged or untracked, ignored ones left out; relative to the top of the tree.
    pub(crate) fn uncommitted(&self, folder: &Path) -> Result<Vec<String>> {
        Ok(changes::uncommitted(&self.git, folder)?.into_iter().map(|(_, path)| path).collect())
    }
}

/// The fields of an answer that git separates by NUL.
pub(crate) fn fields(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.split(|b| *b == 0).filter(|field| !field.is_empty())
}

/// A path from the bytes that git printed.
pub(crate) fn path_from(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// Arguments of mixed kinds as git takes them.
pub(crate) fn args<const N: usize>(args: [&dyn AsRef<OsStr>; N]) -> [&OsStr; N] {
    args.map(AsRef::as_ref)
}

/// Whether `line` is `path`.
pub(crate) fn is_path(line: &[u8], path: &Path) -> bool {
    line == path.as_os_str().as_bytes()
}
