//! Whether a folder lies in a linked worktree of git, and where the same folder is in the repository's main one.
//!
//! Reads the two small files by which git ties a worktree to its repository, and believes neither without the other: a
//! folder from elsewhere may say that it is a worktree of anything. Runs no git.

use pu_record::atomic;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Longer than any path that a system takes.
const FILE_MAX: u64 = 8 * 1024;

/// A linked worktree whose repository knows it.
#[derive(Debug)]
pub(super) struct LinkedWorktree {
    top: PathBuf,
    /// The top of the main working tree.
    main: PathBuf,
}

impl LinkedWorktree {
    /// The linked worktree that `folder`, a real path, is in.
    pub(super) fn around(folder: &Path) -> Option<Self> {
        let top = folder.ancestors().find(|ancestor| std::fs::symlink_metadata(ancestor.join(".git")).is_ok())?;
        let mark = top.join(".git");
        let admin = top.join(path_in(&mark, b"gitdir: ")?).canonicalize().ok()?;
        // `/repo/.git/worktrees/NAME`; a submodule's and a bare repository's look otherwise.
        let worktrees = admin.parent().filter(|path| path.ends_with(".git/worktrees"))?;
        let back = admin.join(path_in(&admin.join("gitdir"), b"")?).canonicalize().ok()?;
        let main = worktrees.parent()?.parent()?;
        (back == mark && main != top).then(|| Self { top: top.to_owned(), main: main.to_owned() })
    }

    /// The same folder in the main working tree; `None` where `folder` is not in this worktree.
    pub(super) fn in_main(&self, folder: &Path) -> Option<PathBuf> {
        let inside = folder.strip_prefix(&self.top).ok()?;
        // Joining an empty path would leave a `/` at the end.
        Some(self.main.components().chain(inside.components()).collect())
    }
}

/// The path that a file of git's holds, behind `key`.
fn path_in(file: &Path, key: &[u8]) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let opened = atomic::open_regular(OpenOptions::new().read(true), file).ok()?;
    opened.take(FILE_MAX).read_to_end(&mut bytes).ok()?;
    let path = bytes.strip_prefix(key)?.trim_ascii_end();
    (!path.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(path)))
}
