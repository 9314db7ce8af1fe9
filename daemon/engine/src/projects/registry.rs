//! The registry at work: finding the project of a folder, entering one, trusting one.
//!
//! Blocking: callers are on a blocking thread. What is trusted is decided by the user's own act, never by a file of the
//! project.

use super::error::ProjectError;
use super::project::Project;
use super::{folder, root};
use crate::events::Events;
use crate::store::{ProjectRow, Registry, StoreError};
use pu_protocol::Event;
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Handle to the projects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Projects {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    home: HomeLayout,
    events: Events,
    /// Held for look-ups and for the rare write of `projects.json`.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    registry: Registry,
    open: HashMap<PathBuf, Arc<Project>>,
}

/// What `pu init` did.
#[derive(Debug)]
pub struct Initialised {
    pub project: Arc<Project>,
    /// Files that were written, relative to the project root.
    pub created: Vec<String>,
}

impl Projects {
    pub fn open(home: HomeLayout, events: Events) -> Result<Self, StoreError> {
        let registry = Registry::read(&home.projects())?;
        let state = Mutex::new(State { registry, open: HashMap::new() });
        Ok(Self { shared: Arc::new(Shared { home, events, state }) })
    }

    pub fn count(&self) -> usize {
        self.lock().registry.projects.len()
    }

    /// The root of the project that a folder is in, if it is in one; whether it is known or trusted does not matter.
    pub fn root_of(&self, folder: &Path) -> Option<PathBuf> {
        root::find(folder, &self.shared.home).ok()
    }

    /// The trusted project that a folder is in. A repository without a `.pu/` has nothing in it that could act: the
    /// first request that names it makes it a project.
    pub fn trusted(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        let found = root::find(folder, &self.shared.home)?;
        let known = self.lock().registry.find(&found).map(|row| row.trusted);
        match known {
            Some(true) => Ok(self.opened(&found)),
            Some(false) => Err(ProjectError::Untrusted(found)),
            None if ProjectLayout::new(&found).root().exists() => {
                self.enter(&found, false)?;
                Err(ProjectError::Untrusted(found))
            }
            None => Ok(self.init(&found)?.project),
        }
    }

    /// The project that a folder is in, for a request that only reads: nothing is written and nothing is trusted by it.
    pub fn readable(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        let found = root::find(folder, &self.shared.home)?;
        let known = self.lock().registry.find(&found).map(|row| row.trusted);
        match known {
            Some(true) => Ok(self.opened(&found)),
            None if !ProjectLayout::new(&found).root().exists() => Ok(self.opened(&found)),
            Some(false) | None => Err(ProjectError::Untrusted(found)),
        }
    }

    pub fn is_trusted(&self, root: &Path) -> bool {
        self.lock().registry.find(root).is_some_and(|row| row.trusted)
    }

    /// The project of an agent that runs already: looked up by its root, wherever that is.
    pub fn by_root(&self, root: &Path) -> Arc<Project> {
        self.opened(root)
    }

    /// Makes a folder a project and trusts it.
    pub fn init(&self, folder: &Path) -> Result<Initialised, ProjectError> {
        let root = root::canonical(folder)?;
        let created = folder::complete(&ProjectLayout::new(&root))?;
        self.enter(&root, true)?;
        Ok(Initialised { project: self.opened(&root), created })
    }

    /// Writes a project into the registry, unless it stands there like that already.
    fn enter(&self, root: &Path, trusted: bool) -> Result<(), ProjectError> {
        let mut state = self.lock();
        let known = state.registry.find(root).cloned();
        if known.as_ref().is_some_and(|row| row.trusted == trusted) {
            return Ok(());
        }
        let mut row = known.unwrap_or_else(|| ProjectRow {
            root: root.into(),
            trusted,
            first_seen: jiff::Timestamp::now().to_string(),
            extra: serde_json::Map::default(),
        });
        row.trusted = trusted;
        let mut registry = state.registry.clone();
        registry.put(row);
        registry.write(&self.shared.home.projects())?;
        state.registry = registry;
        drop(state);
        let name = root.file_name().map_or_else(|| "/".into(), |n| n.to_string_lossy().into_owned());
        self.shared.events.publish(Event::ProjectAdded { root: root.into(), name, trusted });
        Ok(())
    }

    fn opened(&self, root: &Path) -> Arc<Project> {
        let mut state = self.lock();
        let fresh = || Arc::new(Project::new(root.into(), &self.shared.home));
        Arc::clone(state.open.entry(root.into()).or_insert_with(fresh))
    }

    /// Each change under this lock is one assignment; a panic leaves the old or the new.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
