//! Whole trees, by FSEvents through `notify`.
//!
//! There is no limit on folders: a root is watched with all that lies below it, and watching a folder costs nothing more.

use super::{Change, Refused};
use crate::projects::discovery::rules::GIT;
use notify::event::{EventKind, ModifyKind, RemoveKind};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher as _};
use pu_protocol::layout::HomeLayout;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One event as the system tells it.
pub(in crate::projects::discovery) type Told = notify::Result<notify::Event>;

/// All watches of discovery.
#[derive(Debug)]
pub(in crate::projects::discovery) struct Watches {
    state: Mutex<State>,
    home: PathBuf,
}

#[derive(Debug)]
struct State {
    /// Or why there is none.
    watcher: Result<RecommendedWatcher, String>,
    /// What is watched: whole trees, and folders alone.
    trees: BTreeMap<PathBuf, RecursiveMode>,
}

impl Watches {
    /// Begins to listen. Without the means everything can be asked all the same, and every watch is refused.
    pub(in crate::projects::discovery) fn start(
        home: &HomeLayout,
        tell: impl Fn(Told) -> bool + Send + 'static,
    ) -> Self {
        let options = Config::default().with_follow_symlinks(false);
        let hear = move |told| {
            // Nobody takes it any more only when the daemon ends.
            tell(told);
        };
        let watcher =
            RecommendedWatcher::new(hear, options).map_err(|error| format!("nothing can be watched: {error}"));
        Self { state: Mutex::new(State { watcher, trees: BTreeMap::new() }), home: home.root().to_owned() }
    }

    /// Watches the user's PurePoint folder for changes to files.
    pub(in crate::projects::discovery) fn add_home(&self) -> Result<(), Refused> {
        self.watch(&self.home, RecursiveMode::NonRecursive)
    }

    /// Watches a root with all that lies below it.
    pub(in crate::projects::discovery) fn add_root(&self, folder: &Path) -> Result<(), Refused> {
        self.add_as(folder, RecursiveMode::Recursive)
    }

    /// Below a root it is watched already; elsewhere it is watched alone.
    pub(in crate::projects::discovery) fn add(&self, folder: &Path) -> Result<(), Refused> {
        self.add_as(folder, RecursiveMode::NonRecursive)
    }

    fn add_as(&self, folder: &Path, mode: RecursiveMode) -> Result<(), Refused> {
        let covers = |(tree, how): (&PathBuf, &RecursiveMode)| match how {
            RecursiveMode::Recursive => folder.starts_with(tree),
            RecursiveMode::NonRecursive => mode == *how && folder == tree,
        };
        if self.lock().trees.iter().any(covers) {
            return Ok(());
        }
        self.watch(folder, mode)?;
        self.lock().trees.insert(folder.to_owned(), mode);
        Ok(())
    }

    fn watch(&self, folder: &Path, mode: RecursiveMode) -> Result<(), Refused> {
        let mut state = self.lock();
        let watcher = state.watcher.as_mut().map_err(|why| Refused::Full(why.clone()))?;
        watcher
            .watch(folder, mode)
            .map_err(|error| if folder.is_dir() { Refused::Failed(error.to_string()) } else { Refused::Gone })
    }

    /// Watches the trees no longer that begin at `folder` or below it, but for what is to stay.
    pub(in crate::projects::discovery) fn forget(&self, folder: &Path, stays: impl Fn(&Path) -> bool) {
        let mut state = self.lock();
        let State { watcher, trees } = &mut *state;
        let Ok(watcher) = watcher else { return };
        trees.retain(|tree, _| {
            let is_kept = !tree.starts_with(folder) || *tree == self.home || stays(tree);
            if !is_kept && let Err(error) = watcher.unwatch(tree) {
                tracing::trace!(folder = %tree.display(), %error, "no watch to remove");
            }
            is_kept
        });
    }

    /// A tree is watched by its path, whatever becomes of it.
    pub(in crate::projects::discovery) fn forget_dead(&self) {}

    /// How many trees are watched.
    pub(in crate::projects::discovery) fn count(&self) -> usize {
        self.lock().trees.len()
    }

    /// What an event means. Several changes of one path may come as one event, so what is there now decides.
    pub(in crate::projects::discovery) fn understand(&self, told: Told) -> Vec<Change> {
        let event = match told {
            Ok(event) if event.need_rescan() => return vec![Change::Missed],
            Ok(event) => event,
            Err(error) => return vec![Change::Deaf(error.to_string())],
        };
        if event.kind == EventKind::Remove(RemoveKind::Other) {
            return event.paths.into_iter().map(Change::Unmounted).collect();
        }
        let comes_or_goes = matches!(
            event.kind,
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) | EventKind::Any
        );
        let all = event.paths.into_iter().filter_map(|path| self.change(path, comes_or_goes));
        all.collect()
    }

    fn change(&self, path: PathBuf, comes_or_goes: bool) -> Option<Change> {
        if path.parent() == Some(&self.home) {
            return Some(Change::Written(path));
        }
        if !comes_or_goes {
            return None;
        }
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() || path.file_name().is_some_and(|name| name == GIT) => {
                Some(Change::Appeared(path))
            }
            Ok(_) => None,
            Err(_) => Some(Change::Vanished(path)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
