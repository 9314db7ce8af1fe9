//! What an agent has left in its worktree otherwise than it found it, for whoever learns from past tasks.
//!
//! Asked once, when the agent has ended. It takes no lock, and an answer that git does not give in time is left out: it is
//! worth less than the word that the agent has ended.

use super::changes::{ChangedFile, status_of};
use super::error::Result;
use super::git::Git;
use super::repository::{Repository, fields};
use crate::store::{TouchedFile, WorktreeRow};
use pu_protocol::layout::ProjectLayout;
use pu_record::launch::LaunchRecord;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As many files as are told.
const FILES_MAX: usize = 1_000;
/// How long each of the questions to git may take.
const LIMIT: Duration = Duration::from_secs(1);

/// What is recorded of the place that an agent was given.
#[derive(Deserialize)]
struct Given {
    /// Absent for one that joined a worktree, or works in the root: what is changed there need not be its work.
    #[serde(default)]
    worktree: Option<WorktreeRow>,
    /// The one that was made for it in an earlier life.
    #[serde(default)]
    kept_worktree: Option<WorktreeRow>,
}

/// The files that differ between an agent's own worktree and the commit that it began at; none for an agent that has no
/// worktree of its own, and none where git cannot say. Blocking.
pub(super) fn touched_by(launch: &LaunchRecord) -> Vec<TouchedFile> {
    let given = Given::deserialize(&launch.commit).ok().and_then(|given| given.worktree.or(given.kept_worktree));
    let Some(row) = given else { return Vec::new() };
    let worktree = ProjectLayout::new(&launch.project_root).worktree(&row.name);
    // Without its `.git`, git would speak there of the repository around it.
    if !worktree.join(".git").exists() {
        return Vec::new();
    }
    let files = Git::in_environment(std::env::vars_os()).and_then(|git| {
        let repository = Repository::open(git.with_limit(LIMIT), &launch.project_root)?;
        touched_files(&repository, &worktree, &row.base)
    });
    match files {
        Ok(files) => {
            files.into_iter().map(|file| TouchedFile { path: file.path, status: file.status.to_owned() }).collect()
        }
        Err(error) => {
            tracing::debug!(agent = launch.agent_id, %error, "which files an agent touched is not known");
            Vec::new()
        }
    }
}

/// Files of the project that differ between the working tree at `worktree` and the commit `base`, committed or not,
/// untracked ones too but for ignored ones: sorted by path. PurePoint's own folder is left out. Nothing where the
/// repository does not know the worktree.
pub(super) fn touched_files(repository: &Repository, worktree: &Path, base: &str) -> Result<Vec<ChangedFile>> {
    // A full id and nothing else: a word that begins with a dash would be an option.
    if base.is_empty() || !base.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Vec::new());
    }
    let Some(place) = administration(repository.common_dir(), worktree) else { return Ok(Vec::new()) };
    let (git_dir, work_tree) = (option("--git-dir=", &place), option("--work-tree=", worktree));
    let ask = |act, question: &[&str]| {
        let place = [OsStr::new("-c"), OsStr::new("core.fsmonitor=false"), &git_dir, &work_tree];
        let question: Vec<&OsStr> = place.into_iter().chain(question.iter().map(OsStr::new)).collect();
        repository.git.expect(act, worktree, &question)
    };
    let since = ["diff", "--name-status", "--no-renames", "--no-relative", "-z", base, "--"];
    let answer = ask("list touched files", &since)?;
    let tracked: Vec<&[u8]> = fields(&answer).collect();
    let untracked = ask("list untracked files", &["ls-files", "--others", "--exclude-standard", "-z"])?;
    let tracked = tracked.chunks_exact(2).map(|pair| (pair[1], status_of(pair[0])));
    // One that was taken out of the index and is still there is both; what stands on the disk counts.
    let touched: BTreeMap<&[u8], &'static str> =
        tracked.chain(fields(&untracked).map(|path| (path, "added"))).collect();
    let prefix = repository.prefix();
    let in_project = touched.into_iter().filter_map(|(path, status)| {
        let path = Path::new(std::str::from_utf8(path).ok()?).strip_prefix(prefix).ok()?;
        let ours = path.starts_with(ProjectLayout::FOLDER);
        path.to_str().filter(|_| !ours).map(|path| ChangedFile { path: path.to_owned(), status })
    });
    Ok(in_project.take(FILES_MAX).collect())
}

/// Where the repository keeps what belongs to a worktree. Found from the repository and not from the worktree's own `.git`:
/// the agent could have written that one, and git runs programs that a configuration names.
fn administration(common_dir: &Path, worktree: &Path) -> Option<PathBuf> {
    let worktree = worktree.canonicalize().ok()?;
    let is_of = |place: &PathBuf| {
        let pointer = std::fs::read_to_string(place.join("gitdir")).unwrap_or_default();
        // Absolute, or relative to the place itself.
        let folder = place.join(pointer.trim_end()).parent().and_then(|folder| folder.canonicalize().ok());
        !pointer.is_empty() && folder.is_some_and(|folder| folder == worktree)
    };
    let places = std::fs::read_dir(common_dir.join("worktrees")).ok()?;
    places.flatten().map(|entry| entry.path()).find(is_of)
}

fn option(name: &str, value: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}
