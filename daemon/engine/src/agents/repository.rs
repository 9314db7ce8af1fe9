//! Questions to a git repository: where it is, what is checked out, which commit a name means, what has changed.
//!
//! Reads only. Nothing here takes a lock that could get into an agent's way.

use super::error::{AgentsError, Result};
use super::git::{self, Git};
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeMap;
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

/// A file that a branch or a working tree has otherwise than the main branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedFile {
    /// Relative to the project.
    pub path: String,
    /// `added`, `modified` or `deleted`: a file that was renamed is one of each.
    pub status: &'static str,
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

    /// Files of the project that `folder`'s branch has changed since it left the main branch, and those changed but not
    /// committed: sorted by path, at most `limit`. PurePoint's own folder is left out.
    pub fn changed_files(&self, folder: &Path, limit: usize) -> Result<Vec<ChangedFile>> {
        let mut changed: BTreeMap<String, &'static str> = self.committed_since_main(folder)?.into_iter().collect();
        for (status, path) in self.statuses(folder)? {
            // What the branch has added stays added however it was changed since.
            let as_a_whole = if changed.get(&path) == Some(&"added") && status != "deleted" { "added" } else { status };
            changed.insert(path, as_a_whole);
        }
        let in_project = changed.into_iter().filter_map(|(path, status)| {
            let path = Path::new(&path).strip_prefix(self.prefix()).ok()?;
            let ours = path.starts_with(ProjectLayout::FOLDER);
            path.to_str().filter(|_| !ours).map(|path| ChangedFile { path: path.to_owned(), status })
        });
        Ok(in_project.take(limit).collect())
    }

    /// Paths that are changed, staged or untracked, ignored ones left out; relative to the top of the tree.
    pub(crate) fn uncommitted(&self, folder: &Path) -> Result<Vec<String>> {
        Ok(self.statuses(folder)?.into_iter().map(|(_, path)| path).collect())
    }

    /// As [`Repository::uncommitted`], each with what has become of it.
    fn statuses(&self, folder: &Path) -> Result<Vec<(&'static str, String)>> {
        let question = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames"];
        let answer = self.git.expect("read the status", folder, &question)?;
        let entries = fields(&answer).filter_map(|field| field.split_at_checked(3));
        Ok(entries.map(|(codes, name)| (status_of(codes), String::from_utf8_lossy(name).into_owned())).collect())
    }

    /// What the branch of `folder` has committed since it left the main branch: paths relative to the top of the tree.
    fn committed_since_main(&self, folder: &Path) -> Result<Vec<(String, &'static str)>> {
        let Some(main) = self.main_branch(folder)? else { return Ok(Vec::new()) };
        let range = format!("{main}...HEAD");
        let question = ["diff", "--name-status", "--no-renames", "--no-relative", "-z", &range, "--"];
        let ended = self.git.run("list changed files", folder, &question)?;
        if !ended.status.success() {
            // Without a common ancestor there is no "since it left".
            return Ok(Vec::new());
        }
        let answer: Vec<&[u8]> = fields(&ended.stdout).collect();
        let pairs = answer.chunks_exact(2);
        Ok(pairs.map(|pair| (String::from_utf8_lossy(pair[1]).into_owned(), status_of(pair[0]))).collect())
    }

    /// What the repository calls its main branch, unless that is what `folder` has checked out.
    fn main_branch(&self, folder: &Path) -> Result<Option<String>> {
        const KNOWN: [&str; 3] = ["refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master"];
        let question = ["for-each-ref", "--format=%(HEAD)%(refname)"];
        let answer = self.git.expect("find the main branch", folder, &[&question[..], &KNOWN[..]].concat())?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let found = |wanted: &&str| answer.lines().any(|line| line.get(1..) == Some(*wanted) && !line.starts_with('*'));
        Ok(KNOWN.into_iter().find(found).map(str::to_owned))
    }
}

/// What git's letters for a changed path say, those of `diff` and the two of `status`.
fn status_of(codes: &[u8]) -> &'static str {
    let has = |code: u8| codes.contains(&code);
    if has(b'D') {
        "deleted"
    } else if has(b'A') || has(b'?') {
        "added"
    } else {
        "modified"
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
