//! Which project a folder belongs to.
//!
//! Looks at names only: nothing of the project is read.

use super::error::ProjectError;
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use std::path::{Component, Path, PathBuf};

/// The root of the project that `folder` is in: the nearest folder upwards that holds `.pu/` or `.git`. A worktree of
/// ours belongs to the project that it was made for, whatever it holds itself.
pub(super) fn find(folder: &Path, home: &HomeLayout) -> Result<PathBuf, ProjectError> {
    let folder = canonical(folder)?;
    if let Some(owner) = owner_of_worktree(&folder) {
        return Ok(owner);
    }
    for ancestor in folder.ancestors() {
        let marked = ancestor.join(ProjectLayout::FOLDER);
        // `~/.pu` is the user's own PurePoint folder, which does not make the home folder a project.
        let is_home = marked == home.root() || std::fs::canonicalize(home.root()).is_ok_and(|root| root == marked);
        if (marked.is_dir() && !is_home) || ancestor.join(".git").exists() {
            return Ok(ancestor.to_path_buf());
        }
    }
    Err(ProjectError::NotAProject(folder))
}

pub(super) fn canonical(folder: &Path) -> Result<PathBuf, ProjectError> {
    std::fs::canonicalize(folder).map_err(|source| ProjectError::Io {
        act: "find the folder",
        path: folder.into(),
        source,
    })
}

/// `/p/.pu/worktrees/w/src` → `/p`.
fn owner_of_worktree(folder: &Path) -> Option<PathBuf> {
    let parts: Vec<Component> = folder.components().collect();
    let at = parts
        .windows(3)
        .position(|window| window[0].as_os_str() == ProjectLayout::FOLDER && window[1].as_os_str() == "worktrees")?;
    Some(parts[..at].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mark_upwards_is_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let home = HomeLayout::new(base.join("user/.pu"));
        for path in [
            "user/.pu/agents",
            "user/code/repo/.git",
            "user/code/repo/src/deep",
            "user/code/repo/tool/.pu",
            "user/code/repo/tool/src",
            "user/code/repo/.pu/worktrees/w/.pu",
            "user/code/repo/.pu/worktrees/w/src",
            "user/code/bare",
        ] {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        let cases = [
            ("user/code/repo", Some("user/code/repo")),
            ("user/code/repo/src/deep", Some("user/code/repo")),
            ("user/code/repo/tool/src", Some("user/code/repo/tool")),
            ("user/code/repo/.pu/worktrees/w/src", Some("user/code/repo")),
            ("user/code/bare", None),
            ("user", None),
        ];
        for (from, root) in cases {
            // The machine's own folders above the test's must hold no mark for the `None` cases to mean anything.
            let found = find(&base.join(from), &home).ok().filter(|found| found.starts_with(&base));
            assert_eq!(found, root.map(|r| base.join(r)), "{from}");
        }
    }
}
