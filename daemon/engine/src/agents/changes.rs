//! Which files of a project a branch, or a working tree, has otherwise than the main branch.
//!
//! Every spawn that works on what is there asks this, so it asks git as few questions as it can, side by side. It takes
//! no lock that could get into an agent's way.

use super::error::Result;
use super::git::Git;
use super::repository::fields;
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeMap;
use std::path::Path;

/// A file that a branch or a working tree has otherwise than the main branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedFile {
    /// Relative to the project.
    pub path: String,
    /// `added`, `modified` or `deleted`: a file that was renamed is one of each.
    pub status: &'static str,
}

/// Files of the project at `project` that `folder`'s branch has changed since it left the main branch, and those changed
/// but not committed: sorted by path, at most `limit`. PurePoint's own folder is left out.
pub fn changed_files(git: &Git, project: &Path, folder: &Path, limit: usize) -> Result<Vec<ChangedFile>> {
    let (uncommitted, main) = std::thread::scope(|scope| {
        let main = scope.spawn(|| main_branch(git, folder));
        let uncommitted = uncommitted(git, folder);
        // A panic of ours there is one here.
        (uncommitted, main.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut changed: BTreeMap<String, &'static str> = match main? {
        Some(main) => committed_since(git, folder, &main)?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    for (status, path) in uncommitted? {
        // What the branch has added stays added however it was changed since.
        let as_a_whole = if changed.get(&path) == Some(&"added") && status != "deleted" { "added" } else { status };
        changed.insert(path, as_a_whole);
    }
    let prefix = prefix_of(project);
    let in_project = changed.into_iter().filter_map(|(path, status)| {
        let path = Path::new(&path).strip_prefix(prefix).ok()?;
        let ours = path.starts_with(ProjectLayout::FOLDER);
        path.to_str().filter(|_| !ours).map(|path| ChangedFile { path: path.to_owned(), status })
    });
    Ok(in_project.take(limit).collect())
}

/// Paths that are changed, staged or untracked, ignored ones left out, each with what has become of it; relative to the
/// top of the tree.
pub(crate) fn uncommitted(git: &Git, folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let question = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--no-renames"];
    let answer = git.expect("read the status", folder, &question)?;
    let entries = fields(&answer).filter_map(|field| field.split_at_checked(3));
    Ok(entries.map(|(codes, name)| (status_of(codes), String::from_utf8_lossy(name).into_owned())).collect())
}

/// What the branch of `folder` has committed since it left `main`: paths relative to the top of the tree.
fn committed_since(git: &Git, folder: &Path, main: &str) -> Result<Vec<(String, &'static str)>> {
    let range = format!("{main}...HEAD");
    let question = ["diff", "--name-status", "--no-renames", "--no-relative", "-z", &range, "--"];
    let ended = git.run("list changed files", folder, &question)?;
    if !ended.status.success() {
        // Without a common ancestor there is no "since it left".
        return Ok(Vec::new());
    }
    let answer: Vec<&[u8]> = fields(&ended.stdout).collect();
    let pairs = answer.chunks_exact(2);
    Ok(pairs.map(|pair| (String::from_utf8_lossy(pair[1]).into_owned(), status_of(pair[0]))).collect())
}

/// What the repository calls its main branch, unless that is what `folder` has checked out.
fn main_branch(git: &Git, folder: &Path) -> Result<Option<String>> {
    const KNOWN: [&str; 3] = ["refs/remotes/origin/HEAD", "refs/heads/main", "refs/heads/master"];
    let question = ["for-each-ref", "--format=%(HEAD)%(refname)"];
    let answer = git.expect("find the main branch", folder, &[&question[..], &KNOWN[..]].concat())?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let found = |wanted: &&str| answer.lines().any(|line| line.get(1..) == Some(*wanted) && !line.starts_with('*'));
    Ok(KNOWN.into_iter().find(found).map(str::to_owned))
}

/// Where in its working tree the project lies. Git would say the same, one process later.
fn prefix_of(project: &Path) -> &Path {
    let top = project.ancestors().find(|folder| folder.join(".git").exists());
    top.and_then(|top| project.strip_prefix(top).ok()).unwrap_or(Path::new(""))
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
