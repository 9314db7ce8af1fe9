//! One project as the daemon holds it: its configuration as it stands now, and its spec index.
//!
//! Blocking: callers are on a blocking thread.

use super::config::{Config, ConfigCache};
use super::error::ProjectError;
use super::trust::{Acting, Parts};
use crate::agents::{AgentsError, Git, Repository};
use crate::events::Events;
use crate::gates::Gate;
use crate::specs::{BuildTurns, OnProgress, SourceConfig, SpecIndex};
use pu_protocol::Event;
use pu_protocol::config::ConfigValue;
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use pu_protocol::trust::TrustState;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Project {
    pub root: PathBuf,
    /// The root folder's name.
    pub name: String,
    pub layout: ProjectLayout,
    /// Where its spec index lies, in the user's home.
    index_folder: PathBuf,
    config: ConfigCache,
    /// Why the configuration and the index could not be had when they were asked for last.
    faults: Mutex<Faults>,
    /// Places for what works in it.
    gate: Gate,
    events: Events,
    builds: BuildTurns,
    /// Held while a request changes the files that say which plugins it has.
    plugin_changes: Mutex<()>,
    acting: Acting,
    /// How it stood to what its user allowed when that was last told.
    told: Mutex<Option<TrustState>>,
    /// Opened at the first use; the lock is held while it is built, so that it is built once.
    index: Mutex<Option<(SourceConfig, Arc<SpecIndex>)>>,
    /// Set once git was told, in this daemon's life, not to list what agents are handed.
    handed_files_excluded: AtomicBool,
    /// The working trees in which files were changed when git was last asked; see [`Project::was_changed`].
    changed: Mutex<HashSet<PathBuf>>,
}

#[derive(Debug, Clone, Default)]
struct Faults {
    config: Option<String>,
    index: Option<String>,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Project {
    /// Whether the working tree at `folder` differed from the main branch when it was last looked at: a guess at how it is
    /// now.
    pub fn was_changed(&self, folder: &Path) -> bool {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).contains(folder)
    }

    pub fn note_changed(&self, folder: &Path, changed: bool) {
        let mut known = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if changed {
            known.insert(folder.to_owned());
        } else {
            known.remove(folder);
        }
    }

    pub(super) fn new(root: PathBuf, home: &HomeLayout, events: Events, gate: Gate, builds: BuildTurns) -> Self {
        let layout = ProjectLayout::new(&root);
        let name = root.file_name().map_or_else(|| "/".into(), |n| n.to_string_lossy().into_owned());
        let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
        let key: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let config = ConfigCache::of_project(home.config(), layout.config(), &root);
        let acting = Acting::new(&root, &layout);
        Self {
            index_folder: home.index().join(key),
            name,
            layout,
            config,
            faults: Mutex::default(),
            gate,
            events,
            builds,
            plugin_changes: Mutex::default(),
            acting,
            told: Mutex::default(),
            index: Mutex::default(),
            handed_files_excluded: AtomicBool::new(false),
            changed: Mutex::default(),
            root,
        }
    }

    /// The configuration in force: as the files have it now, or had it before one of them became faulty.
    pub fn config(&self) -> Result<Arc<Config>, ProjectError> {
        let config = self.config.current();
        self.faults().config = self.config.fault();
        config
    }

    /// What is wrong with the project as far as that was seen: its configuration, its index, and whether it answers. Nothing
    /// is looked at for that, so it is told of a project that hangs, too.
    pub fn condition(&self) -> Vec<String> {
        let hanging = self.gate.hanging().map(|hanging| hanging.to_string());
        let Faults { config, index } = self.faults().clone();
        // One that is being opened has nothing to say, and may be what hangs.
        let opened = self.index.try_lock().ok().and_then(|index| index.as_ref().map(|(_, index)| Arc::clone(index)));
        let fault = opened.as_ref().and_then(|index| index.fault());
        let fault = fault.map(|fault| format!("its specs are not all indexed: {fault}"));
        let deaf = opened.as_ref().and_then(|index| index.deaf());
        [hanging, config, index, fault, deaf].into_iter().flatten().collect()
    }

    /// The turn to change the files that say which plugins the project has.
    pub fn plugins_change(&self) -> MutexGuard<'_, ()> {
        self.plugin_changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with the configuration files now, and that what they said before is in force, where it is.
    pub fn config_fault(&self) -> Option<String> {
        self.config.fault()
    }

    /// The configuration as the files have it now, for whoever is about to change one.
    pub fn sound_config(&self) -> Result<Arc<Config>, ProjectError> {
        self.config.sound()
    }

    /// The project's own configuration file, to be edited; empty where there is none.
    pub fn config_text(&self) -> Result<String, ProjectError> {
        self.config.own_text()
    }

    /// Each value in force, and where it was said.
    pub fn config_values(&self) -> Result<Vec<ConfigValue>, ProjectError> {
        self.config.values()
    }

    /// What of it can act, as it is now: of the configuration that is what is in force, be its file faulty by now.
    pub(super) fn acting(&self) -> Result<Parts, ProjectError> {
        self.acting.parts(&self.config.texts())
    }

    /// The configuration in force, and what can act with that very one.
    pub(super) fn config_and_acting(&self) -> Result<(Arc<Config>, Parts), ProjectError> {
        let read = self.config.current_with_texts();
        self.faults().config = self.config.fault();
        let (config, texts) = read?;
        Ok((config, self.acting.parts(&texts)?))
    }

    /// Notes how it stands to what its user allowed; answers whether that is news. That it is trusted as ever is none.
    pub(super) fn note_state(&self, now: TrustState) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.replace(now);
        before != Some(now) && (before.is_some() || now != TrustState::Trusted)
    }

    /// The spec index, opened (and, the first time, built) if it is not yet.
    pub fn index(&self) -> Result<Arc<SpecIndex>, ProjectError> {
        let index = self.opened_index();
        self.faults().index = match &index {
            Err(error @ ProjectError::Index { .. }) => Some(error.to_string()),
            // That is the configuration's, or nothing.
            Err(_) | Ok(_) => None,
        };
        index
    }

    fn opened_index(&self) -> Result<Arc<SpecIndex>, ProjectError> {
        let sources = self.config()?.specs.sources();
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((with, index)) = &*index
            && *with == sources
        {
            return Ok(Arc::clone(index));
        }
        // The old one lets go of its files before the new one takes them.
        *index = None;
        let (turns, on_progress) = (self.builds.clone(), self.on_progress());
        let opened = SpecIndex::open_with(&self.root, &self.index_folder, sources.clone(), turns, on_progress)
            .map_err(|source| ProjectError::Index { root: self.root.clone(), source })?;
        let opened = Arc::new(opened);
        *index = Some((sources, Arc::clone(&opened)));
        Ok(opened)
    }

    /// Tells subscribers how far a long look at the specs has got.
    fn on_progress(&self) -> OnProgress {
        let (root, events, gate) = (self.root.clone(), self.events.clone(), self.gate.clone());
        Arc::new(move |done, total| {
            // Who waits for the index hangs in nothing.
            gate.goes_on();
            events.publish(Event::IndexProgress { root: root.clone(), done, total });
        })
    }

    /// Each change under this lock is one assignment.
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that git lists nothing of what agents are handed, in the root and in all worktrees.
    pub fn keep_handed_files_out_of_git(&self) -> Result<(), AgentsError> {
        if self.handed_files_excluded.load(Ordering::Relaxed) {
            return Ok(());
        }
        let excluded = Git::in_environment(std::env::vars_os())
            .and_then(|git| Repository::open(git, &self.root))
            .and_then(|repository| repository.exclude_local_files());
        match excluded {
            // Without git, or around a bare repository, there is no list to keep them from.
            Ok(_)
            | Err(AgentsError::NotARepository { .. } | AgentsError::BareRepository { .. } | AgentsError::GitMissing) => {
                self.handed_files_excluded.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}
