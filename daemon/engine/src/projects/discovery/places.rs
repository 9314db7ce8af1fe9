//! Where folders lie: below which root, how deep, and whether anybody looks there.

use super::rules::GIT;
use super::scan::{Outcome, Place, Root, Start};
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A root that is not there, and what is watched until it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    /// As it is configured, with the home in its place.
    pub(super) given: PathBuf,
    /// The nearest folder above that is there, without links.
    pub(super) above: PathBuf,
    /// Where the root will be, by that.
    pub(super) place: PathBuf,
}

impl Awaited {
    pub(super) fn of(given: &Path) -> Option<Self> {
        given.ancestors().skip(1).find_map(|ancestor| {
            let above = std::fs::canonicalize(ancestor).ok().filter(|above| above.is_dir())?;
            let place = above.join(given.strip_prefix(ancestor).ok()?);
            Some(Self { given: given.to_owned(), above, place })
        })
    }

    /// Whether the next folder on the way to it is there by now.
    pub(super) fn is_coming(&self) -> bool {
        let next = self.place.strip_prefix(&self.above).ok().and_then(|rest| rest.components().next());
        next.is_some_and(|next| self.above.join(next).is_dir())
    }
}

/// Where to begin for a folder that is there now: nowhere if it is left out, too deep, or inside of a project or a
/// repository, whose folders are no news.
pub(super) fn start(root: &Arc<Root>, folder: &Path, depth: u32) -> Option<Start> {
    let below = folder.strip_prefix(&root.real).ok()?;
    let mut left = depth;
    let mut at = root.real.clone();
    for part in below {
        if at != root.real && is_marked(&at, root.rules.home()) {
            return None;
        }
        if root.rules.leave_out(&at, part) {
            return None;
        }
        left = left.checked_sub(1)?;
        at.push(part);
    }
    // No link is followed, to this folder neither.
    let is_folder = std::fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
    is_folder.then(|| Start { folder: folder.to_owned(), place: Place::Below(Arc::clone(root)), left })
}

/// The places at which a look began, without links: those of roots that are gone as they were known.
pub(super) fn real(starts: &[Start], outcome: &Outcome, known: &[Arc<Root>]) -> Vec<PathBuf> {
    let of = |start: &Start| match &start.place {
        Place::Below(_) => Some(start.folder.clone()),
        Place::Root => {
            let given = |root: &&Arc<Root>| root.given == start.folder;
            let gone = known.iter().filter(|_| outcome.missing.contains(&start.folder)).find(given);
            outcome.roots.iter().find(given).or(gone).map(|root| root.real.clone())
        }
    };
    starts.iter().filter_map(of).collect()
}

/// Whether a path lies in one of these folders.
pub(super) fn is_below(path: &Path, folders: &BTreeSet<PathBuf>) -> bool {
    path.ancestors().any(|folder| folders.contains(folder))
}

/// Whether a folder holds a `.pu/`. A link by that name is none: it leads to files of somebody else.
pub(super) fn holds_project(folder: &Path) -> bool {
    std::fs::symlink_metadata(folder.join(ProjectLayout::FOLDER)).is_ok_and(|found| found.is_dir())
}

/// Whether a folder is a project or a repository. The user's PurePoint folder, `home`, makes none of the one that it is in.
pub(super) fn is_marked(folder: &Path, home: &Path) -> bool {
    let marks = [GIT, ProjectLayout::FOLDER].map(|mark| folder.join(mark));
    marks.iter().any(|mark| mark != home && std::fs::symlink_metadata(mark).is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::*;

    #[test]
    fn a_root_that_is_not_there_is_awaited_where_its_path_ends() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(base.join("real")).unwrap();
        std::os::unix::fs::symlink(base.join("real"), base.join("link")).unwrap();
        let given = base.join("link/a/b");
        let awaited = Awaited::of(&given).unwrap();
        assert_eq!((&awaited.above, &awaited.place), (&base.join("real"), &base.join("real/a/b")));
        assert!(!awaited.is_coming());
        std::fs::create_dir(base.join("real/a")).unwrap();
        assert!(awaited.is_coming());
    }

    #[test]
    fn a_folder_lies_in_itself_and_in_those_above() {
        let silent = BTreeSet::from([PathBuf::from("/r/nfs")]);
        let below = ["/r/nfs", "/r/nfs/a/b", "/r/nfs-2", "/r"].map(|path| is_below(Path::new(path), &silent));
        assert_eq!(below, [true, true, false, false]);
    }

    #[test]
    fn a_new_folder_is_looked_into_where_anybody_looks() {
        let folder = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(folder.path()).unwrap();
        for path in
            [".git", "a/b/c", "repo/.git", "repo/src", "project/.pu", "project/src", "node_modules/m", "u/.pu", "u/w"]
        {
            std::fs::create_dir_all(real.join(path)).unwrap();
        }
        std::os::unix::fs::symlink(real.join("a"), real.join("link")).unwrap();
        let rules = Rules::below(&real, &[], &real.join("u/.pu")).unwrap();
        let root = Arc::new(Root { given: real.clone(), real: real.clone(), rules });
        for (path, left) in [
            ("a", Some(1)),
            ("a/b", Some(0)),
            ("a/b/c", None),
            ("repo", Some(1)),
            ("repo/src", None),
            ("project/src", None),
            ("node_modules/m", None),
            ("link", None),
            ("gone", None),
            ("u/w", Some(0)),
        ] {
            assert_eq!(start(&root, &real.join(path), 2).map(|start| start.left), left, "{path}");
        }
    }
}
