//! What the latest commits of a project's repository said and which files they touched.
//!
//! It only reads, for whoever learns from past tasks: no hook, no pager, no program of a signature or of a difference is
//! run, and nothing is fetched. Messages are foreign text.

use super::error::Result;
use super::git::Git;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// As many commits as are told.
const COMMITS_MAX: &str = "--max-count=500";
/// As much of a message: its beginning says what it is about.
const MESSAGE_MAX: usize = 500;
/// A commit that touches more files says of none of them what it was about.
const FILES_MAX: usize = 100;
/// How long each of the questions to git may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Stands before a commit's id, where no path begins.
const MARK: u8 = 1;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Commit {
    pub id: String,
    pub message: String,
    /// Relative to the project root; none for a commit that touches very many.
    pub touched: Vec<String>,
}

/// Commits that lead to a head, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommitLog {
    /// Empty where nothing is committed, or no repository is.
    pub head: String,
    pub commits: Vec<Commit>,
}

/// The latest commits that touched the project at `root`, merges left out; `None` where its head is still the `known` one.
/// Blocking.
pub fn read_commits(root: &Path, known: Option<&str>) -> Result<Option<CommitLog>> {
    // A clone without all of its objects would be asked to fetch the others.
    let no_fetching = (OsString::from("GIT_NO_LAZY_FETCH"), OsString::from("1"));
    let git = Git::in_environment(std::env::vars_os().chain([no_fetching]))?.with_limit(LIMIT);
    let ended = git.run("find the head", root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
    let head =
        if ended.status.success() { String::from_utf8_lossy(&ended.stdout).trim().to_owned() } else { String::new() };
    if known == Some(head.as_str()) {
        return Ok(None);
    }
    if head.is_empty() {
        return Ok(Some(CommitLog::default()));
    }
    let question = [
        "-c",
        "core.fsmonitor=false",
        "log",
        COMMITS_MAX,
        "--no-merges",
        "--no-show-signature",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-renames",
        "--encoding=UTF-8",
        "--relative",
        "--name-only",
        "-z",
        "--format=tformat:%x01%H%x00%B%x00",
        &head,
        "--",
        ".",
    ];
    let answer = git.expect("read the log", root, &question)?;
    Ok(Some(CommitLog { head, commits: commits(&answer) }))
}

/// An answer is, for each commit, the mark and its id, its message, and the paths, with NULs between them and a line break
/// before the first path.
fn commits(answer: &[u8]) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    let mut fields = answer.split(|byte| *byte == 0);
    while let Some(field) = fields.next() {
        if let Some(id) = id(field) {
            let message = fields.next().map(String::from_utf8_lossy).unwrap_or_default();
            let message = message.trim();
            let message = message[..message.floor_char_boundary(MESSAGE_MAX)].to_owned();
            commits.push(Commit { id, message, touched: Vec::new() });
            continue;
        }
        let path = field.strip_prefix(b"\n").unwrap_or(field);
        // Another name than UTF-8 has no place in a record of ours.
        if let (Some(commit), Ok(path)) = (commits.last_mut(), std::str::from_utf8(path))
            && !path.is_empty()
        {
            commit.touched.push(path.to_owned());
        }
    }
    for commit in commits.iter_mut().filter(|commit| commit.touched.len() > FILES_MAX) {
        commit.touched.clear();
    }
    commits
}

fn id(field: &[u8]) -> Option<String> {
    let id = field.strip_prefix(&[MARK])?;
    let is_id = (40..=64).contains(&id.len()) && id.iter().all(u8::is_ascii_hexdigit);
    is_id.then(|| String::from_utf8_lossy(id).into_owned())
}
