//! Finds `AGENTS.md` and `CLAUDE.md` below the project's root, by a walk that has bounds.
//!
//! The walk leaves out what git ignores, hidden folders, repositories inside of the project (worktrees among them) and the
//! folders of specs, which are walked anyway. It opens no file and follows no link. A tree that takes long is not walked at
//! every change: what was found is kept for a while.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ignore::{DirEntry, WalkBuilder};

use super::ignores;
use super::rule;
use super::source::{SourceConfig, is_never_read};

/// Folders below this depth are not looked into.
const MAX_DEPTH: usize = 8;
/// After so many entries the walk ends.
const MAX_ENTRIES: usize = 100_000;
/// A walk that takes no longer is made at every look.
const CHEAP: Duration = Duration::from_millis(5);
/// What a longer one found counts for so long.
const KEPT: Duration = Duration::from_secs(60);

/// The rule files below the root, as of the last walk.
#[derive(Debug, Default)]
pub(super) struct Nested {
    /// Where they lie, sorted. Some may be gone.
    files: Vec<PathBuf>,
    last: Option<Walked>,
}

#[derive(Debug, Clone, Copy)]
struct Walked {
    at: Instant,
    took: Duration,
    /// It ended before it had seen everything.
    cut: bool,
}

impl Nested {
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// When it is time to walk even though nothing was heard of: not every folder is watched.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|walked| walked.at + KEPT)
    }

    /// How many entries were looked at, where that was not all.
    pub(super) fn cut(&self) -> Option<usize> {
        self.last.filter(|walked| walked.cut).map(|_| MAX_ENTRIES)
    }

    /// Walks again, unless that costs much and there is no cause to. `cause` is that something was heard of.
    pub(super) fn refresh(&mut self, root: &Path, config: &SourceConfig, cause: bool) {
        if !config.rules {
            return;
        }
        let at = Instant::now();
        let keep = self.last.is_some_and(|walked| !cause && walked.took > CHEAP && at < walked.at + KEPT);
        if keep {
            return;
        }
        let (files, cut) = walk(root, config.placed_folders(root));
        self.files = files;
        self.last = Some(Walked { at, took: at.elapsed(), cut });
    }
}

fn walk(root: &Path, sources: Vec<PathBuf>) -> (Vec<PathBuf>, bool) {
    let mut files = Vec::new();
    // A source that is the project itself is walked as one.
    // What may not be read is told where the folders of specs are walked.
    if sources.iter().any(|source| source == root) || ignores::unsound(root, root).is_some() {
        return (files, false);
    }
    let base = root.to_path_buf();
    let walk = WalkBuilder::new(root)
        .follow_links(false)
        .require_git(false)
        .max_depth(Some(MAX_DEPTH))
        .sort_by_file_name(|a, b| a.cmp(b))
        .filter_entry(move |entry| entry.depth() == 0 || is_walked(entry, &base, &sources))
        .build();
    for (n, entry) in walk.enumerate() {
        if n >= MAX_ENTRIES {
            return (files, true);
        }
        match entry {
            // Those in the root itself are looked for by their names.
            Ok(entry) if entry.depth() > 1 && entry.file_name().to_str().is_some_and(rule::counts_anywhere) => {
                files.push(entry.into_path());
            }
            Ok(_) => {}
            // A folder of sources that cannot be read is reported; any other folder is nobody's concern here.
            Err(error) => tracing::debug!(%error, "not searched for rule files"),
        }
    }
    (files, false)
}

fn is_walked(entry: &DirEntry, root: &Path, sources: &[PathBuf]) -> bool {
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return true;
    }
    let never = is_never_read(root, entry.path());
    let source = sources.iter().any(|source| source == entry.path());
    !never && !source && !entry.path().join(".git").exists() && ignores::unsound(root, entry.path()).is_none()
}
