//! Folders of specs that are no project: indexed when a request names one, and kept a while for the next that does.
//!
//! The folder itself is only read: its index lies in the user's home and goes with its last user. Blocking: callers are
//! on a blocking thread.

use super::failure::Failure;
use super::plugin::check_absolute;
use super::state::Engine;
use crate::context::{ContextError, ProjectSpecs};
use crate::projects::{Config, Project};
use crate::specs::{BuildTurns, SourceConfig, SpecIndex};
use pu_protocol::ErrorCode;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How long an index waits for the next request: an evaluation sends one for each task.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// What the folders of such indexes are called, before the daemon's pid and a number.
const PREFIX: &str = "run-";

/// The indexes that somebody uses or that are kept.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Held for a look.
    open: Mutex<Opened>,
    builds: BuildTurns,
}

#[derive(Debug, Default)]
struct Opened {
    by_folder: HashMap<PathBuf, Slot>,
    /// How many there were; zero until what an earlier daemon left behind is removed.
    number: u64,
}

/// The index of one folder. Held while it is opened: whoever asks for the same folder then finds it, and who asks for
/// another one does not wait for a file system that hangs.
type Slot = Arc<Mutex<Weak<ScratchIndex>>>;

/// The index of a folder, which is gone with its last holder.
pub(super) struct ScratchIndex {
    // Dropped first: it lets go of its files before they are removed.
    index: Arc<SpecIndex>,
    place: Place,
}

impl std::fmt::Debug for ScratchIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScratchIndex").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Where an index lies for as long as it is used.
#[derive(Debug)]
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(path = %self.0.display(), %error, "an index that was needed for a while is left");
        }
    }
}

impl Engine {
    /// A folder's specs, all of it specs, for the plugins and the configuration of a project. They can be searched for as
    /// long as the index is held, which is to be let go of last.
    pub(super) fn specs_in(
        &self,
        folder: &Path,
        project: &Project,
        config: &Config,
    ) -> Result<(Arc<ScratchIndex>, ProjectSpecs), Failure> {
        check_absolute(folder, "the folder of specs")?;
        if !folder.is_dir() {
            let message = format!("there is no folder of specs at {}", folder.display());
            return Err(Failure::new(ErrorCode::InvalidRequest, message));
        }
        let scratch = self.scratch.of(folder, &self.options.home.index())?;
        let specs = ProjectSpecs {
            root: project.root.clone(),
            index: Arc::clone(&scratch.index),
            plugins: project.layout.plugins(),
            config: config.context.clone(),
        };
        Ok((scratch, specs))
    }

    /// Keeps an index for a while; must be called where tasks can be started.
    pub(super) fn keep(scratch: Arc<ScratchIndex>) {
        tokio::spawn(async move {
            tokio::time::sleep(KEPT_FOR).await;
            // The last one to go removes files.
            let _ = tokio::task::spawn_blocking(move || drop(scratch)).await;
        });
    }
}

impl Scratch {
    /// Indexes of folders take turns with those of projects.
    pub(super) fn new(builds: BuildTurns) -> Self {
        Self { open: Mutex::default(), builds }
    }

    /// The index of a folder, as it is there or newly opened below `indexes`.
    fn of(&self, folder: &Path, indexes: &Path) -> Result<Arc<ScratchIndex>, ContextError> {
        let (slot, number) = self.slot(folder, indexes);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.upgrade() {
            return Ok(known);
        }
        let place = Place(indexes.join(format!("{PREFIX}{}-{number}", std::process::id())));
        let sources = SourceConfig { folders: vec![".".to_owned()], ..SourceConfig::default() };
        let index = SpecIndex::open_with(folder, &place.0, sources, self.builds.clone(), Arc::new(|_, _| {}))
            .map_err(|source| ContextError::Specs { root: folder.to_owned(), source })?;
        let scratch = Arc::new(ScratchIndex { index: Arc::new(index), place });
        *slot = Arc::downgrade(&scratch);
        Ok(scratch)
    }

    /// Where the index of a folder is to be found, and a number for it if there is none.
    fn slot(&self, folder: &Path, indexes: &Path) -> (Slot, u64) {
        let mut opened = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // One that somebody else has is being opened.
        let is_used = |slot: &Slot| {
            Arc::strong_count(slot) > 1 || slot.lock().unwrap_or_else(PoisonError::into_inner).strong_count() > 0
        };
        opened.by_folder.retain(|_, slot| is_used(slot));
        if opened.number == 0 {
            remove_leftovers(indexes);
        }
        opened.number += 1;
        (Arc::clone(opened.by_folder.entry(folder.to_owned()).or_default()), opened.number)
    }
}

/// Removes what daemons that died have left: only one runs at a time.
fn remove_leftovers(indexes: &Path) {
    for entry in std::fs::read_dir(indexes).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_has_one_index_which_goes_with_its_last_user_and_what_others_left_goes_too() {
        let world = tempfile::tempdir().unwrap();
        let (specs, indexes) = (world.path().join("specs"), world.path().join("index"));
        for folder in [&specs, &indexes.join("run-1-1"), &indexes.join("0123456789abcdef")] {
            std::fs::create_dir_all(folder).unwrap();
        }
        pu_record::atomic::write_atomic(&specs.join("a.md"), b"# A\n\nText.\n", 0o644).unwrap();
        let scratch = Scratch::default();
        let first = scratch.of(&specs, &indexes).unwrap();
        let again = scratch.of(&specs, &indexes).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        first.index.fresh().unwrap();
        assert_eq!(first.index.catalog().specs()[0].path, "a.md");
        assert_eq!(entries(&indexes).len(), 2, "{:?}", entries(&indexes));
        drop((first, again));
        assert_eq!(entries(&indexes), ["0123456789abcdef"]);
        let anew = scratch.of(&specs, &indexes).unwrap();
        anew.index.fresh().unwrap();
        assert_eq!(anew.index.catalog().specs().len(), 1);
    }
}
