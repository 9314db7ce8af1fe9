//! Hears from the system what appears and vanishes in folders.
//!
//! This is where Linux and macOS differ. On Linux each folder is watched by itself, and only for what comes and goes in it:
//! files that are opened, read and written in a watched folder wake nobody. macOS tells of whole trees at no cost for each
//! folder. Neither side looks at what it hears of: what a change means is decided by whoever asked to be told.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
pub(super) use linux::{Told, Watches};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(super) use macos::{Told, Watches};

use std::path::PathBuf;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A folder, or a file with the name of git's folder, is there now.
    Appeared(PathBuf),
    /// It is there no longer.
    Vanished(PathBuf),
    /// A file in the user's PurePoint folder has another content, or is another one.
    Written(PathBuf),
    /// The disk with this folder was taken away.
    Unmounted(PathBuf),
    /// Changes came faster than they were taken: some are not told.
    Missed,
    /// Nothing is heard any more.
    Deaf(String),
}

/// Why a folder is not watched.
#[derive(Debug)]
pub(super) enum Refused {
    /// The system, or what we take of it, has no room for another watch.
    Full(String),
    /// The folder is not there any more, or is none.
    Gone,
    Failed(String),
}
