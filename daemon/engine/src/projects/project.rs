//! One project as the daemon holds it: its configuration as it stands now, and its spec index.
//!
//! Blocking: callers are on a blocking thread.

use super::config::{Config, ConfigCache};
use super::error::ProjectError;
use super::trust::{Acting, Parts};
use crate::agents::{AgentsError, Git, Repository};
use crate::specs::{SourceConfig, SpecIndex};
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use pu_protocol::trust::TrustState;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub struct Project {
    pub root: PathBuf,
    /// The root folder's name.
    pub name: String,
    pub layout: ProjectLayout,
    /// Where its spec index lies, in the user's home.
    index_folder: PathBuf,
    config: ConfigCache,
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

    pub(super) fn new(root: PathBuf, home: &HomeLayout) -> Self {
        let layout = ProjectLayout::new(&root);
        let name = root.file_name().map_or_else(|| "/".into(), |n| n.to_string_lossy().into_owned());
        let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
        let key: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let config = ConfigCache::new(home.config(), layout.config());
        let acting = Acting::new(&root, &layout, home);
        Self {
            index_folder: home.index().join(key),
            name,
            layout,
            config,
            acting,
            told: Mutex::default(),
            index: Mutex::default(),
            handed_files_excluded: AtomicBool::new(false),
            changed: Mutex::default(),
            root,
        }
    }

    /// What of it can act, as it is now.
    pub(super) fn acting(&self) -> Result<Parts, ProjectError> {
        self.acting.parts()
    }

    /// Notes how it stands to what its user allowed; answers whether that is news. That it is trusted as ever is none.
    pub(super) fn note_state(&self, now: TrustState) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.replace(now);
        before != Some(now) && (before.is_some() || now != TrustState::Trusted)
    }

    /// The configuration as the files have it now.
    pub fn config(&self) -> Result<Arc<Config>, ProjectError> {
        self.acting.note_config();
        self.config.current()
    }

    /// The spec index, opened (and, the first time, built) if it is not yet.
    pub fn index(&self) -> Result<Arc<SpecIndex>, ProjectError> {
        let sources = self.config()?.specs.sources();
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((with, index)) = &*index
            && *with == sources
        {
            return Ok(Arc::clone(index));
        }
        // The old one lets go of its files before the new one takes them.
        *index = None;
        let opened = SpecIndex::open(&self.root, &self.index_folder, sources.clone())
            .map_err(|source| ProjectError::Index { root: self.root.clone(), source })?;
        let opened = Arc::new(opened);
        *index = Some((sources, Arc::clone(&opened)));
        Ok(opened)
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
