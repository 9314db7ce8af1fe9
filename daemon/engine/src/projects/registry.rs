//! The registry at work: finding the project of a folder, entering one, trusting one. What is seen of projects without
//! anybody's asking for them is in `found`, what is told of them in `listed`.
//!
//! Blocking: callers are on a blocking thread. What is trusted is decided by the user's own act, never by a file of the
//! project.

use super::config::{Config, ConfigCache};
use super::error::ProjectError;
use super::project::Project;
use super::{folder, root};
use crate::agents::Roster;
use crate::events::Events;
use crate::gates::Gates;
use crate::specs::BuildTurns;
use crate::store::{ProjectRow, Registry, StoreError, read_identity};
use pu_protocol::Event;
use pu_protocol::config::ConfigValue;
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use std::collections::{HashMap, HashSet};
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
    /// Agents have their project's root on record, and go with it where it is moved.
    pub(super) roster: Roster,
    /// What the user configures for all projects.
    user_config: ConfigCache,
    /// Held for look-ups and for the rare write of `projects.json`.
    state: Mutex<State>,
    /// By root, held while a project enters: in between, its folder is there and nobody trusts it yet. One whose file system
    /// hangs keeps no other project waiting.
    entering: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
    gates: Gates,
    builds: BuildTurns,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) registry: Registry,
    pub(super) open: HashMap<PathBuf, Arc<Project>>,
    /// The roots that were found to be gone and not to be back since.
    pub(super) missing: HashSet<PathBuf>,
}

/// What `pu init` did.
#[derive(Debug)]
pub struct Initialised {
    pub project: Arc<Project>,
    /// Files that were written, relative to the project root.
    pub created: Vec<String>,
}

impl Projects {
    /// Projects without agents.
    pub fn open(home: HomeLayout, events: Events) -> Result<Self, StoreError> {
        Self::with_agents(home, events, Roster::default())
    }

    /// Projects whose agents stand in this table.
    pub fn with_agents(home: HomeLayout, events: Events, roster: Roster) -> Result<Self, StoreError> {
        let registry = Registry::read(&home.projects())?;
        let state = Mutex::new(State { registry, ..State::default() });
        let user_config = ConfigCache::of_user(home.config());
        let (entering, gates, builds) = (Mutex::default(), Gates::default(), BuildTurns::default());
        let shared = Shared { home, events, roster, user_config, state, entering, gates, builds };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The gates of the projects.
    pub fn gates(&self) -> &Gates {
        &self.shared.gates
    }

    /// The turns of those who index specs.
    pub fn builds(&self) -> &BuildTurns {
        &self.shared.builds
    }

    pub fn count(&self) -> usize {
        self.lock().registry.projects.len()
    }

    /// The root of the project that a folder is in, if it is in one; whether it is known or trusted does not matter.
    pub fn root_of(&self, folder: &Path) -> Option<PathBuf> {
        let found = root::find(folder, &self.shared.home).ok()?;
        if let Err(error) = self.recognise(&found) {
            tracing::warn!(project = %found.display(), %error, "whether this is a project that was moved is not known");
        }
        Some(found)
    }

    /// The project that a folder is in, wherever it lay before.
    pub(super) fn find(&self, folder: &Path) -> Result<PathBuf, ProjectError> {
        let found = root::find(folder, &self.shared.home)?;
        root::check(&found)?;
        self.recognise(&found)?;
        Ok(found)
    }

    /// The project that a folder is in, for a request that acts. A repository without a `.pu/` has nothing in it that
    /// could act: it is let in, and becomes a project by [`Projects::settle`], once the request is found to be a good one.
    pub fn trusted(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        let found = self.find(folder)?;
        let turn = self.turn_to_enter(&found);
        let entering = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_trust(&found)?;
        // Files are read for what follows, which nobody else has to wait for.
        drop(entering);
        self.check_unchanged(&found)?;
        Ok(self.opened(&found))
    }

    /// Sees to it that a project that was let in is one, with its folder, before anything is made in it. Answers whether
    /// it became one by this.
    pub fn settle(&self, project: &Project) -> Result<bool, ProjectError> {
        self.recognise(&project.root)?;
        self.check_unchanged(&project.root)?;
        let turn = self.turn_to_enter(&project.root);
        let _entering = turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Its folder may have come with a checkout meanwhile.
        root::check(&project.root)?;
        self.check_trust(&project.root)?;
        let becomes_one = !self.is_trusted(&project.root);
        if becomes_one || !self.has_its_identity(project) {
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
                self.found(root)?;
                Err(ProjectError::Untrusted(root.into()))
            }
            Some(false) => Err(ProjectError::Untrusted(root.into())),
        }
    }

    /// The project that a folder is in, for a request that only reads: nothing is written and nothing is trusted by it.
    pub fn readable(&self, folder: &Path) -> Result<Arc<Project>, ProjectError> {
        let found = self.find(folder)?;
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
        Ok(self.opened(&self.find(folder)?))
    }

    /// What the user configures for all projects: as the file has it now, or had it before it became faulty.
    pub fn user_config(&self) -> Result<Config, ProjectError> {
        Ok(Arc::unwrap_or_clone(self.shared.user_config.current()?))
    }

    /// What is wrong with the user's file now, and that what it said before is in force, where it is.
    pub fn user_config_fault(&self) -> Option<String> {
        self.shared.user_config.fault()
    }

    /// Each value that the user configures for all projects, and where it was said.
    pub fn user_config_values(&self) -> Result<Vec<ConfigValue>, ProjectError> {
        self.shared.user_config.values()
    }

    /// The projects that the user trusts.
    pub fn trusted_roots(&self) -> Vec<PathBuf> {
        let state = self.lock();
        state.registry.projects.iter().filter(|row| row.trusted).map(|row| row.root.clone()).collect()
    }

    /// Those that an older release trusted, of which nobody has noted yet what may act in them.
    pub fn trusted_unseen(&self) -> Vec<PathBuf> {
        let state = self.lock();
        let unseen = state.registry.projects.iter().filter(|row| row.trusted && row.trust.is_none());
        unseen.map(|row| row.root.clone()).collect()
    }

    /// The root of the known project that a folder is in, going by the paths alone: the file system is not asked.
    pub fn known_around(&self, folder: &Path) -> Option<PathBuf> {
        let state = self.lock();
        let rows = state.registry.projects.iter().map(|row| &row.root);
        let around = rows.chain(state.open.keys()).filter(|root| folder.starts_with(root));
        around.max_by_key(|root| root.components().count()).cloned()
    }

    /// The projects that were used since the daemon started, in the order of their roots.
    pub fn used(&self) -> Vec<Arc<Project>> {
        let mut used: Vec<Arc<Project>> = self.lock().open.values().cloned().collect();
        used.sort_by(|a, b| a.root.cmp(&b.root));
        used
    }

    pub fn is_trusted(&self, root: &Path) -> bool {
        self.lock().registry.find(root).is_some_and(|row| row.trusted)
    }

    /// The project of an agent that runs already: looked up by its root, wherever that is.
    pub fn by_root(&self, root: &Path) -> Arc<Project> {
        self.opened(root)
    }

    /// Makes a folder a project and trusts it. A worktree of a project is that project.
    pub fn init(&self, folder: &Path) -> Result<Initialised, ProjectError> {
        let folder = root::canonical(folder)?;
        let root = root::owner(&folder, &self.shared.home).unwrap_or(folder);
        root::check(&root)?;
        if root::holds_home(&root, &self.shared.home) {
            return Err(ProjectError::HoldsHome(root));
        }
        self.recognise(&root)?;
        let project = self.opened(&root);
        // What a faulty file says is not seen, and nothing is allowed that cannot be told.
        project.sound_config()?;
        let parts = project.acting()?;
        let turn = self.turn_to_enter(&root);
        let _entering = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let created = self.make(&root)?;
        self.allow(&root, &parts)?;
        Ok(Initialised { project: self.opened(&root), created })
    }

    /// Completes a project's folder and trusts it; answers the files that were written.
    fn make(&self, root: &Path) -> Result<Vec<String>, ProjectError> {
        let layout = ProjectLayout::new(root);
        let id = self.identity_for(root, read_identity(&layout))?;
        let created = folder::complete(&layout, &id)?;
        self.enter(root, id)?;
        Ok(created)
    }

    /// Whether a trusted project has its folder, and in it what it is known by. One of an older release has not.
    fn has_its_identity(&self, project: &Project) -> bool {
        let known = self.lock().registry.find(&project.root).and_then(|row| row.id.clone());
        known.is_some() && known == read_identity(&project.layout)
    }

    /// What a project is to be known by: what it is known by already, or what lies `there`, unless that is another
    /// project's, of which it is a copy.
    fn identity_for(&self, root: &Path, there: Option<String>) -> Result<String, ProjectError> {
        let state = self.lock();
        let known = state.registry.find(root).and_then(|row| row.id.clone());
        let its_own = there.filter(|id| state.registry.find_by_id(id).is_none());
        drop(state);
        known.or(its_own).map_or_else(|| fresh_identity(root), Ok)
    }

    /// Writes a project that its user trusts into the registry, unless it stands there like that already.
    fn enter(&self, root: &Path, id: String) -> Result<(), ProjectError> {
        let mut state = self.lock();
        let known = state.registry.find(root).cloned();
        if known.as_ref().is_some_and(|row| row.trusted && row.id.as_ref() == Some(&id)) {
            return Ok(());
        }
        let was_trusted = known.as_ref().is_some_and(|row| row.trusted);
        let mut row = known.unwrap_or_else(|| ProjectRow::seen_now(root));
        (row.trusted, row.id, row.last_seen) = (true, Some(id), Some(jiff::Timestamp::now().to_string()));
        let mut registry = state.registry.clone();
        registry.put(row);
        registry.write(&self.shared.home.projects())?;
        state.registry = registry;
        state.missing.remove(root);
        drop(state);
        if !was_trusted {
            let (root, name) = (root.to_owned(), root::name_of(root));
            self.shared.events.publish(Event::ProjectAdded { root, name, trusted: true });
        }
        Ok(())
    }

    pub(super) fn opened(&self, root: &Path) -> Arc<Project> {
        let mut state = self.lock();
        let fresh = || {
            let Shared { home, events, gates, builds, .. } = &*self.shared;
            Arc::new(Project::new(root.into(), home, events.clone(), gates.of_root(root), builds.clone()))
        };
        Arc::clone(state.open.entry(root.into()).or_insert_with(fresh))
    }

    fn turn_to_enter(&self, root: &Path) -> Arc<Mutex<()>> {
        let mut turns = self.shared.entering.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(root.to_owned()).or_default())
    }

    /// Each change under this lock is one assignment; a panic leaves the old or the new.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 128 random bits.
fn fresh_identity(root: &Path) -> Result<String, ProjectError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| ProjectError::Io {
        act: "find random numbers for",
        path: root.into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
    fn the_project_around_a_folder_is_known_without_a_look() {
        let (_folder, projects, repo) = world();
        assert_eq!(projects.known_around(&repo), None);
        projects.init(&repo).unwrap();
        projects.trusted(&repo).unwrap();
        assert_eq!(projects.known_around(&repo.join("no/such/folder")), Some(repo.clone()));
        assert_eq!(projects.known_around(repo.parent().unwrap()), None);
        assert_eq!(projects.used().len(), 1);
    }

    /// One that hangs while it enters keeps no other waiting.
    #[test]
    fn projects_enter_side_by_side() {
        let (_folder, projects, repo) = world();
        let other = repo.join("../other/.git");
        std::fs::create_dir_all(&other).unwrap();
        let turn = projects.turn_to_enter(&repo);
        let _hangs = turn.lock().unwrap();
        projects.init(other.parent().unwrap()).unwrap();
        assert_eq!(projects.count(), 1);
    }

    #[test]
    fn the_folder_around_the_users_own_is_no_project_and_nothing_is_written_there() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir_all(base.join(".pu")).unwrap();
        std::fs::create_dir(base.join(".git")).unwrap();
        let projects = Projects::open(HomeLayout::new(base.join(".pu")), Events::default()).unwrap();
        assert!(matches!(projects.init(&base), Err(ProjectError::HoldsHome(_))));
        assert_ne!(projects.root_of(&base), Some(base.clone()), "a repository of settings is none either");
        assert_eq!((projects.count(), std::fs::read_dir(base.join(".pu")).unwrap().count()), (0, 0));
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
