//! The registry at work: finding the project of a folder, entering one, trusting one.
//!
//! Blocking: callers are on a blocking thread. What is trusted is decided by the user's own act, never by a file of the
//! project.

use super::config::{self, Config};
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
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) home: HomeLayout,
    pub(super) events: Events,
    /// Held for look-ups and for the rare write of `projects.json`.
    state: Mutex<State>,
    /// Held while a project enters: in between, its folder is there and nobody trusts it yet.
    entering: Mutex<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) registry: Registry,
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
        Ok(Self { shared: Arc::new(Shared { home, events, state, entering: Mutex::default() }) })
    }

    pub fn count(&self) -> usize {
        self.lock().registry.projects.len()
    }

    /// The root of the project that a folder is in, if it is in one; whether it is known or trusted does not matter.
    pub fn root_of(&self, folder: &Path) -> Option<PathBuf> {
        root::find(folder, &self.shared.home).ok()
    }

    /// The project that a folder is in, for a request that acts. A repository without a `.pu/` has nothing in it that
    /// could act: it is let in, and becomes a project by [`Projects::settle`], once the request is found to be a good one.
    pub fn trusted(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        let found = root::find(folder, &self.shared.home)?;
        let entering = self.entering();
        self.check_trust(&found)?;
        // Files are read for what follows, which nobody else has to wait for.
        drop(entering);
        self.check_unchanged(&found)?;
        Ok(self.opened(&found))
    }

    /// Sees to it that a project that was let in is one, with its folder, before anything is made in it. Answers whether
    /// it became one by this.
    pub fn settle(&self, project: &Project) -> Result<bool, ProjectError> {
        self.check_unchanged(&project.root)?;
        let _entering = self.entering();
        // Its folder may have come with a checkout meanwhile.
        self.check_trust(&project.root)?;
        let becomes_one = !self.is_trusted(&project.root);
        if becomes_one || !project.layout.root().exists() {
            // Looked at before the folder is there: what comes with a checkout from now on was not there for its user to see.
            let parts = project.acting()?;
            self.make(&project.root)?;
            if becomes_one {
                self.allow(&project.root, &parts)?;
            }
        }
        Ok(becomes_one)
    }

    /// Refuses a project that brings its `.pu/` until its user has trusted it, and notes that it is there.
    fn check_trust(&self, root: &Path) -> Result<(), ProjectError> {
        let known = self.lock().registry.find(root).map(|row| row.trusted);
        match known {
            Some(true) => Ok(()),
            None if !ProjectLayout::new(root).root().exists() => Ok(()),
            None => {
                self.enter(root, false)?;
                Err(ProjectError::Untrusted(root.into()))
            }
            Some(false) => Err(ProjectError::Untrusted(root.into())),
        }
    }

    /// The project that a folder is in, for a request that only reads: nothing is written and nothing is trusted by it.
    pub fn readable(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        let found = root::find(folder, &self.shared.home)?;
        let known = self.lock().registry.find(&found).map(|row| row.trusted);
        match known {
            Some(true) => {
                self.check_unchanged(&found)?;
                Ok(self.opened(&found))
            }
            None if !ProjectLayout::new(&found).root().exists() => Ok(self.opened(&found)),
            Some(false) | None => Err(ProjectError::Untrusted(found)),
        }
    }

    /// The project that a folder is in, for a request that only looks at what it has. Trust does not matter: nothing of it
    /// runs by that and nothing of it reaches a prompt.
    pub fn known(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        Ok(self.opened(&root::find(folder, &self.shared.home)?))
    }

    /// What the user configures for all projects, as the file has it now.
    pub fn user_config(&self) -> Result<Config, ProjectError> {
        config::of_user(&self.shared.home.config())
    }

    /// The projects that the user trusts.
    pub fn trusted_roots(&self) -> Vec<PathBuf> {
        let state = self.lock();
        state.registry.projects.iter().filter(|row| row.trusted).map(|row| row.root.clone()).collect()
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
        let parts = self.opened(&root).acting()?;
        let _entering = self.entering();
        let created = self.make(&root)?;
        self.allow(&root, &parts)?;
        Ok(Initialised { project: self.opened(&root), created })
    }

    /// Completes a project's folder and trusts it; answers the files that were written.
    fn make(&self, root: &Path) -> Result<Vec<String>, ProjectError> {
        let created = folder::complete(&ProjectLayout::new(root))?;
        self.enter(root, true)?;
        Ok(created)
    }

    /// Writes a project into the registry, unless it stands there like that already.
    fn enter(&self, root: &Path, trusted: bool) -> Result<(), ProjectError> {
        let mut state = self.lock();
        let known = state.registry.find(root).cloned();
        if known.as_ref().is_some_and(|row| row.trusted == trusted) {
            return Ok(());
        }
        let mut row = known.unwrap_or_else(|| ProjectRow::seen_now(root));
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

    pub(super) fn opened(&self, root: &Path) -> Arc<Project> {
        let mut state = self.lock();
        let fresh = || Arc::new(Project::new(root.into(), &self.shared.home));
        Arc::clone(state.open.entry(root.into()).or_insert_with(fresh))
    }

    fn entering(&self) -> MutexGuard<'_, ()> {
        self.shared.entering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each change under this lock is one assignment; a panic leaves the old or the new.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home and a repository in which nobody has done anything.
    fn world() -> (tempfile::TempDir, Projects, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir_all(base.join("repo/.git")).unwrap();
        std::fs::create_dir(base.join("home")).unwrap();
        let projects = Projects::open(HomeLayout::new(base.join("home")), Events::default()).unwrap();
        (folder, projects, base.join("repo"))
    }

    #[test]
    fn a_repository_is_let_in_without_a_trace_and_becomes_a_project_when_it_settles() {
        let (_folder, projects, repo) = world();
        let project = projects.trusted(&repo).unwrap();
        assert_eq!((projects.count(), project.layout.root().exists()), (0, false));
        assert!(projects.settle(&project).unwrap());
        assert!(projects.is_trusted(&repo) && project.layout.config().exists() && project.layout.gitignore().exists());
        assert!(!projects.settle(&project).unwrap(), "it is one already");
    }

    #[test]
    fn a_folder_that_comes_in_between_is_not_trusted() {
        let (_folder, projects, repo) = world();
        let project = projects.trusted(&repo).unwrap();
        std::fs::create_dir(project.layout.root()).unwrap();
        assert!(matches!(projects.settle(&project), Err(ProjectError::Untrusted(_))));
        assert!(!projects.is_trusted(&repo));
    }

    #[test]
    fn a_trusted_project_whose_folder_was_deleted_gets_it_back() {
        let (_folder, projects, repo) = world();
        let project = projects.init(&repo).unwrap().project;
        std::fs::remove_dir_all(project.layout.root()).unwrap();
        assert!(!projects.settle(&projects.trusted(&repo).unwrap()).unwrap());
        assert!(project.layout.config().exists() && project.layout.gitignore().exists());
    }
}
