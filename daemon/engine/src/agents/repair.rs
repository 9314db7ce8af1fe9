//! Worktrees of a repository that was moved: git ties each to its repository by absolute paths, which are mended here.
//!
//! Makes and removes no worktree.

use super::error::{AgentsError, Result};
use super::repository::Repository;
use std::ffi::OsString;
use std::io::ErrorKind;

impl Repository {
    /// Ties the worktrees in `.pu/worktrees/`, which were moved with the repository, and those that stayed where they were,
    /// to the repository again. Doing it twice changes nothing.
    pub fn repair_worktrees(&self) -> Result<()> {
        let folder = self.worktrees_folder();
        let mut args: Vec<OsString> = vec!["repair".into()];
        match std::fs::read_dir(&folder) {
            Ok(entries) => {
                let inside = entries.filter_map(std::result::Result::ok).map(|entry| entry.path());
                args.extend(inside.filter(|path| path.join(".git").is_file()).map(OsString::from));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(AgentsError::Io { act: "list", path: folder, source }),
        }
        self.git_worktree("repair the worktrees", &args).map(drop)
    }
}
