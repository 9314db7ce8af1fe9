//! How discovery stands, for whoever asks.

use super::scan::Paths;
use std::path::PathBuf;

/// What `pu doctor` and `pu project scan` tell.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Roots that are there, by their real paths.
    pub roots: Vec<PathBuf>,
    /// Roots that are not there, as they are configured.
    pub missing: Vec<PathBuf>,
    /// The roots are those that nobody asked for: that they are not there is no fault.
    pub is_usual: bool,
    /// Folders below the roots that hold a `.pu/`; worktrees of projects, which are no projects, are among them.
    pub projects: usize,
    /// Folders that the last whole look looked into.
    pub folders: u64,
    /// Folders (on macOS, trees) that are watched.
    pub watched: usize,
    /// Parts that cannot be watched and are looked at again and again instead.
    pub polled: usize,
    /// Why they cannot be watched, and what to do about it.
    pub limited: Option<String>,
    /// How many folders could not be read, and the first few of them.
    pub unreadable: u64,
    pub some_unreadable: Vec<PathBuf>,
    /// Folders that do not answer.
    pub silent: Vec<PathBuf>,
    /// The last whole look could not look into everything.
    pub is_cut: bool,
}

impl Condition {
    pub(super) fn note_unreadable(&mut self, paths: &Paths) {
        self.unreadable = paths.count;
        self.some_unreadable.clone_from(&paths.first);
    }
}
