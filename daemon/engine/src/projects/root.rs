//! Which project a folder belongs to.
//!
//! Looks at names, and at what git says of a worktree: nothing of the project itself is read.

use super::error::ProjectError;
use super::linked::LinkedWorktree;
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The root of the project that `folder` is in: the nearest folder upwards that holds `.pu/` or `.git`. A worktree
/// belongs to the project that it was made for or from, whatever it holds itself.
pub(super) fn find(folder: &Path, home: &HomeLayout) -> Result<PathBuf, ProjectError> {
    let folder = canonical(folder)?;
    if let Some(owner) = owner_of_worktree(&folder) {
        return Ok(owner);
    }
    let linked = LinkedWorktree::around(&folder);
    for ancestor in folder.ancestors() {
        if let Some(owner) = linked.as_ref().and_then(|linked| linked.in_main(ancestor))
            && holds_project(&owner, home)
        {
            return Ok(owner);
        }
        // A home folder may be a repository, of its user's settings.
        let is_repository = || ancestor.join(".git").exists() && !holds_home(ancestor, home);
        if holds_project(ancestor, home) || is_repository() {
            return Ok(ancestor.to_path_buf());
        }
    }
    Err(ProjectError::NotAProject(folder))
}

/// The project that a folder is a worktree of, or that the project in it is the counterpart of in one.
pub(super) fn owner(folder: &Path, home: &HomeLayout) -> Option<PathBuf> {
    let in_main = || LinkedWorktree::around(folder)?.in_main(folder);
    owner_of_worktree(folder).or_else(in_main).filter(|owner| holds_project(owner, home))
}

/// Whether a folder is the root of a project. `~/.pu` is the user's own PurePoint folder, which does not make the home
/// folder one.
pub(super) fn holds_project(folder: &Path, home: &HomeLayout) -> bool {
    is_project(folder) && !holds_home(folder, home)
}

/// Whether the `.pu/` of a folder is the user's own PurePoint folder.
pub(super) fn holds_home(folder: &Path, home: &HomeLayout) -> bool {
    let marked = folder.join(ProjectLayout::FOLDER);
    marked == home.root() || std::fs::canonicalize(home.root()).is_ok_and(|root| root == marked)
}

/// Whether a folder holds a `.pu/` that is one: a link leads to files of somebody else.
pub(super) fn is_project(root: &Path) -> bool {
    std::fs::symlink_metadata(root.join(ProjectLayout::FOLDER)).is_ok_and(|found| found.is_dir())
}

/// Refuses a root in which something else than a folder is called `.pu`.
pub(super) fn check(root: &Path) -> Result<(), ProjectError> {
    let path = root.join(ProjectLayout::FOLDER);
    match std::fs::symlink_metadata(&path) {
        Ok(found) if !found.is_dir() => Err(ProjectError::NotAFolder(path)),
        _ => Ok(()),
    }
}

/// What tells this folder, and the repository in it, from others that are put in their place: an inode is given again, a
/// time of birth is not. It tells nothing of two that lie in different places.
pub(super) fn mark_of(root: &Path) -> String {
    format!("{} {}", mark(root), mark(&root.join(".git")))
}

/// `-` for what is not there. Not every file system knows when something was made.
fn mark(path: &Path) -> String {
    let Ok(found) = std::fs::symlink_metadata(path) else { return "-".to_owned() };
    let born = found.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    format!("{}.{}", found.ino(), born.unwrap_or_default().as_nanos())
}

/// A project's name: that of its root folder.
pub(super) fn name_of(root: &Path) -> String {
    root.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy().into_owned())
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
            "user/.git",
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

    #[test]
    fn a_link_called_pu_makes_no_project() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let home = HomeLayout::new(base.join("home"));
        for path in ["real/.pu", "clone/.git", "bare"] {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        for linked in ["clone", "bare"] {
            std::os::unix::fs::symlink(base.join("real/.pu"), base.join(linked).join(".pu")).unwrap();
            assert!(!is_project(&base.join(linked)));
            assert!(matches!(check(&base.join(linked)), Err(ProjectError::NotAFolder(_))));
        }
        assert_eq!(find(&base.join("clone"), &home).unwrap(), base.join("clone"), "a repository it is");
        assert_ne!(find(&base.join("bare"), &home).ok(), Some(base.join("bare")));
        assert!(is_project(&base.join("real")) && check(&base.join("real")).is_ok() && check(&base).is_ok());
    }

    #[test]
    fn a_worktree_belongs_to_the_project_that_it_was_made_from() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        let home = HomeLayout::new(base.join("home"));
        for path in
            ["repo/.pu", "repo/tool/.pu", "repo/.git/worktrees/w", "w/.pu", "w/tool/src", "w/lone/.pu", "liar/.pu"]
        {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        let write = |path: &str, text: String| {
            pu_record::atomic::write_atomic(&base.join(path), text.as_bytes(), 0o644).unwrap();
        };
        let admin = base.join("repo/.git/worktrees/w");
        write("w/.git", format!("gitdir: {}\n", admin.display()));
        write("repo/.git/worktrees/w/gitdir", format!("{}\n", base.join("w/.git").display()));
        // Git knows of no such worktree.
        write("liar/.git", format!("gitdir: {}\n", admin.display()));
        for (from, root) in [("w", "repo"), ("w/tool/src", "repo/tool"), ("w/lone", "w/lone"), ("liar", "liar")] {
            assert_eq!(find(&base.join(from), &home).unwrap(), base.join(root), "{from}");
        }
        assert_eq!(owner(&base.join("w"), &home), Some(base.join("repo")));
        for alone in ["repo", "w/lone", "liar"] {
            assert_eq!(owner(&base.join(alone), &home), None, "{alone}");
        }
        std::fs::remove_dir(base.join("repo/.pu")).unwrap();
        assert_eq!(find(&base.join("w"), &home).unwrap(), base.join("w"), "what it was made from is no project");
    }
}
