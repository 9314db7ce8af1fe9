//! Which files of a project a branch, or a working tree, has otherwise than the main branch.
//!
//! Every spawn that works on what is there asks this, so it asks git as few questions as it can. It takes no
//! lock that could get into an agent's way.

use super::error::Result;
use super::git::Git;
use super::repository::fields;
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeMap;
use std::path::Path;

/// What a clone keeps as the main branch of where it came from.
const REMOTE_HEAD: &str = "refs/remotes/origin/HEAD";

/// Paths, each with what has become of it.
type Changed = Vec<(&'static str, String)>;

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
    let (head, uncommitted) = status(git, folder)?;
    // Most spawns start from the main branch of a repository without a remote: then there is nothing to ask.
    let main = if is_on_main(head.as_deref(), folder) { None } else { main_branch(git, folder)? };
    let mut changed: BTreeMap<String, &'static str> = match main {
        Some(main) => committed_since(git, folder, &main)?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    for (status, path) in uncommitted {
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
pub(crate) fn uncommitted(git: &Git, folder: &Path) -> Result<Changed> {
    Ok(status(git, folder)?.1)
}

/// The branch that `folder` has checked out, and its [`uncommitted`] paths.
fn status(git: &Git, folder: &Path) -> Result<(Option<String>, Changed)> {
    let question =
        ["status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--untracked-files=normal", "--no-renames"];
    let answer = git.expect("read the status", folder, &question)?;
    let (mut head, mut paths) = (None, Vec::new());
    for field in fields(&answer) {
        if let Some(name) = field.strip_prefix(b"# branch.head ") {
            head = Some(String::from_utf8_lossy(name).into_owned());
        } else if let Some((codes, name)) = entry(field) {
            paths.push((status_of(codes), String::from_utf8_lossy(name).into_owned()));
        }
    }
    Ok((head, paths))
}

/// The letters and the path of a line that is about one: before the path stand as many words as its kind has.
fn entry(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let words_before = match line.first()? {
        b'1' => 8,
        b'u' => 10,
        b'?' => 1,
        _ => return None,
    };
    let path = line.splitn(words_before + 1, |byte| *byte == b' ').nth(words_before)?;
    let codes = if line.starts_with(b"?") { b"?" } else { line.get(2..4)? };
    Some((codes, path))
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
    const KNOWN: [&str; 3] = [REMOTE_HEAD, "refs/heads/main", "refs/heads/master"];
    let question = ["for-each-ref", "--format=%(HEAD)%(refname)"];
    let answer = git.expect("find the main branch", folder, &[&question[..], &KNOWN[..]].concat())?;
    let answer = String::from_utf8_lossy(&answer);
    let known = |wanted: &str| answer.lines().find(|line| line.get(1..) == Some(wanted));
    let main = KNOWN.into_iter().find_map(known).filter(|line| !line.starts_with('*'));
    Ok(main.map(|line| line[1..].to_owned()))
}

/// Whether a folder has `main` checked out in a repository that follows no other one's main branch, as far as that can be
/// told without git: a symbolic ref is a file of its own wherever refs are files.
fn is_on_main(head: Option<&str>, folder: &Path) -> bool {
    let top = folder.ancestors().find(|folder| folder.join(".git").exists());
    let refs_are_files = |git: &Path| git.join("refs/heads").is_dir() && !git.join("reftable").exists();
    let is_alone = |git: &Path| refs_are_files(git) && !git.join(REMOTE_HEAD).exists();
    head == Some("main") && top.is_some_and(|top| is_alone(&top.join(".git")))
}

/// Where in its working tree the project lies. Git would say the same, one process later.
pub(super) fn prefix_of(project: &Path) -> &Path {
    let top = project.ancestors().find(|folder| folder.join(".git").exists());
    top.and_then(|top| project.strip_prefix(top).ok()).unwrap_or(Path::new(""))
}

/// What git's letters for a changed path say, those of `diff` and the two of `status`.
pub(super) fn status_of(codes: &[u8]) -> &'static str {
    let has = |code: u8| codes.contains(&code);
    if has(b'D') {
        "deleted"
    } else if has(b'A') || has(b'?') {
        "added"
    } else {
        "modified"
    }
}
