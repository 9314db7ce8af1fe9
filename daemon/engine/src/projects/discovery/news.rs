//! What a handful of changes comes to: which folders are to be looked at, and which projects may have come or gone.
//!
//! It sorts and remembers, and looks at nothing. Order matters not once it is sorted: whoever acts looks at the disk again,
//! at what has come before what has gone, so that a project that was moved is met at its new place first.

use super::rules::GIT;
use super::watch::Change;
use pu_protocol::layout::ProjectLayout;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Folders that are there now, with all that they hold.
    pub(super) appeared: BTreeSet<PathBuf>,
    /// What is there no longer, with all that it held.
    pub(super) vanished: BTreeSet<PathBuf>,
    /// Folders in which a `.pu/` is there now.
    pub(super) became_projects: BTreeSet<PathBuf>,
    /// Folders in which git's folder is there now.
    pub(super) became_repositories: BTreeSet<PathBuf>,
    /// Folders that hold one of the two no longer.
    pub(super) opened: BTreeSet<PathBuf>,
    /// Folders whose disk was taken away.
    pub(super) unmounted: BTreeSet<PathBuf>,
    /// The user's configuration may be another one.
    pub(super) configured: bool,
    /// Some changes were not told.
    pub(super) missed: bool,
    /// Nothing more will be.
    pub(super) deaf: Option<String>,
}

impl News {
    /// `config` is the user's configuration file.
    pub(super) fn add(&mut self, change: Change, config: &Path) {
        match change {
            Change::Written(path) => self.configured |= path == config,
            Change::Missed => self.missed = true,
            Change::Deaf(why) => self.deaf = Some(why),
            Change::Unmounted(folder) => {
                self.unmounted.insert(folder.clone());
                self.vanished.insert(folder);
            }
            Change::Appeared(path) => {
                let (set, path) = match marked(&path) {
                    Some((folder, Mark::Project)) => (&mut self.became_projects, folder),
                    Some((folder, Mark::Repository)) => (&mut self.became_repositories, folder),
                    None => (&mut self.appeared, path),
                };
                set.insert(path);
            }
            Change::Vanished(path) => {
                let (set, path) = match marked(&path) {
                    Some((folder, _)) => (&mut self.opened, folder),
                    None => (&mut self.vanished, path),
                };
                set.insert(path);
            }
        }
    }
}

enum Mark {
    Project,
    Repository,
}

/// The folder that a path marks, if it is a mark.
fn marked(path: &Path) -> Option<(PathBuf, Mark)> {
    let (folder, name) = (path.parent()?, path.file_name()?);
    let mark = if name == ProjectLayout::FOLDER {
        Mark::Project
    } else if name == GIT {
        Mark::Repository
    } else {
        return None;
    };
    Some((folder.to_owned(), mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_sorted_by_what_it_is_about() {
        let mut news = News::default();
        let set = |path: &str| BTreeSet::from([PathBuf::from(path)]);
        for change in [
            Change::Appeared("/r/a/.pu".into()),
            Change::Appeared("/r/b/.git".into()),
            Change::Appeared("/r/c".into()),
            Change::Vanished("/r/d/.pu".into()),
            Change::Vanished("/r/e".into()),
            Change::Written("/home/daemon.log".into()),
        ] {
            news.add(change, Path::new("/home/config.toml"));
        }
        let expected = News {
            became_projects: set("/r/a"),
            became_repositories: set("/r/b"),
            appeared: set("/r/c"),
            opened: set("/r/d"),
            vanished: set("/r/e"),
            ..News::default()
        };
        assert_eq!(news, expected);
        news.add(Change::Written("/home/config.toml".into()), Path::new("/home/config.toml"));
        news.add(Change::Unmounted("/r/m".into()), Path::new("/home/config.toml"));
        assert!(news.configured && news.vanished.contains(Path::new("/r/m")) && news.unmounted == set("/r/m"));
    }
}
