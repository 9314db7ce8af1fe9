//! The spec index of a project: which specs there are, what they say, and which of them answer a task.
//!
//! It reads spec files and writes only its own index folder. It knows nothing of plugins, budgets or agents, and nothing
//! leads from here out of the project. Calls block on disk: an async caller wraps them in `spawn_blocking`.

mod analyzer;
mod catalog;
mod disk;
mod error;
mod file;
mod library;
mod parse;
mod rank;
mod schema;
mod search;
mod signal;
mod snapshot;
mod source;
mod stamp;
pub mod tokens;
mod watch;

#[cfg(test)]
mod tests;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

pub use catalog::{SectionMeta, SpecCatalog, SpecMeta};
pub use error::SpecError;
pub use search::{SearchQuery, SectionHit, SpecHit};
pub use source::{SkippedFile, SourceConfig};

use library::{Library, Refreshed};
use signal::Signal;
use snapshot::Snapshot;
use watch::Watch;

/// How often watching new folders may call for another look at the files.
const MAX_LOOKS: usize = 5;

/// A project's specs, kept current until it is dropped.
pub struct SpecIndex {
    shared: Arc<Shared>,
    /// Takes in changes in the background; ended by `drop`, so that nothing writes to the index folder after it.
    follower: Option<JoinHandle<()>>,
}

struct Shared {
    root: PathBuf,
    max_file_bytes: u64,
    /// One refresh at a time. Searches never wait for it.
    library: Mutex<Library>,
    /// Replaced as a whole; readers keep the one that they began with.
    view: RwLock<View>,
    signal: Arc<Signal>,
    watch: Watch,
}

#[derive(Clone)]
struct View {
    snapshot: Arc<Snapshot>,
    skipped: Arc<[SkippedFile]>,
    notes: Arc<[String]>,
}

/// A spec or a section of it, as it is on disk now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecText {
    pub text: String,
    /// The revision of the file that the text is from.
    pub revision: String,
    /// The file is not (or not yet) in the index as it was read here.
    pub newer_than_index: bool,
}

/// What `fresh` found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Specs that this call wrote to the index or removed from it.
    pub changed: usize,
    /// The files were looked at; otherwise the watcher knew that nothing had changed.
    pub looked: bool,
}

impl SpecIndex {
    /// Opens the index as an earlier run left it (empty the first time) and begins to bring it up to date in the
    /// background; `fresh` waits for that.
    pub fn open(project_root: &Path, index_dir: &Path, config: SourceConfig) -> Result<SpecIndex, SpecError> {
        let root = fs::canonicalize(project_root).map_err(SpecError::io("resolve", project_root))?;
        fs::create_dir_all(index_dir).map_err(SpecError::io("create the folder", index_dir))?;
        let index_dir = fs::canonicalize(index_dir).map_err(SpecError::io("resolve", index_dir))?;
        let max_file_bytes = config.max_file_bytes;
        let signal = Arc::new(Signal::default());
        let watch = Watch::start(&root, &index_dir, &config, Arc::clone(&signal));
        let (library, snapshot) = Library::open(root.clone(), index_dir, config)?;
        let view = View { snapshot: Arc::new(snapshot), skipped: Arc::new([]), notes: library.notes().into() };
        let (library, view) = (Mutex::new(library), RwLock::new(view));
        let shared = Arc::new(Shared { root, max_file_bytes, library, view, signal, watch });
        shared.signal.hear(Vec::new());
        let worker = Arc::clone(&shared);
        let follower = thread::Builder::new()
            .name("spec-index".into())
            .spawn(move || worker.follow())
            .map_err(SpecError::io("start the thread that follows", project_root))?;
        Ok(SpecIndex { shared, follower: Some(follower) })
    }

    /// Makes sure that every change to the specs made before this call is in the index.
    pub fn fresh(&self) -> Result<Freshness, SpecError> {
        let heard_all = self.shared.watch.hear_all();
        if heard_all && self.shared.signal.current() {
            return Ok(Freshness { changed: 0, looked: false });
        }
        let mut library = self.shared.lock_library();
        // While this call waited for it, the follower may have taken in all that was heard of.
        if heard_all && self.shared.signal.current() {
            return Ok(Freshness { changed: 0, looked: true });
        }
        Ok(Freshness { changed: self.shared.refresh(&mut library)?, looked: true })
    }

    /// Every spec, as of the last refresh.
    pub fn catalog(&self) -> Arc<SpecCatalog> {
        Arc::clone(&self.shared.view().snapshot.catalog)
    }

    /// The specs that answer a query, best first; equal scores are in the order of paths.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        self.shared.search(query)
    }

    /// The text of a spec (by id or path) or of one section of it, read from the file now.
    pub fn read(&self, spec: &str, section: Option<&str>) -> Result<SpecText, SpecError> {
        let catalog = self.catalog();
        let meta = catalog.find(spec).ok_or_else(|| SpecError::UnknownSpec(spec.to_owned()))?;
        let file = file::read(&self.shared.root, &meta.path, self.shared.max_file_bytes)
            .map_err(|reason| SpecError::Unreadable { path: meta.path.clone(), reason })?;
        let newer_than_index = file.revision != meta.revision;
        let text = match section {
            None => file.text,
            Some(id) => section_text(meta, id, &file.text, newer_than_index)
                .ok_or_else(|| SpecError::UnknownSection { spec: meta.id.clone(), section: id.to_owned() })?,
        };
        Ok(SpecText { text, revision: file.revision, newer_than_index })
    }

    /// Files in the spec folders that are not in the index, and why.
    pub fn skipped(&self) -> Arc<[SkippedFile]> {
        self.shared.view().skipped
    }

    /// What is wrong with specs that are in the index (path first), with the index, or with watching it.
    pub fn warnings(&self) -> Vec<String> {
        let view = self.shared.view();
        let specs = view.snapshot.catalog.specs().iter();
        let of_specs = specs.flat_map(|spec| spec.warnings.iter().map(move |w| format!("{}: {w}", spec.path)));
        let of_index = view.notes.iter().cloned().chain(self.shared.signal.deaf());
        of_index.chain(of_specs).collect()
    }

    /// A digest of all that the index holds: equal for equal specs.
    pub fn revision(&self) -> String {
        self.catalog().revision().to_owned()
    }
}

impl Drop for SpecIndex {
    fn drop(&mut self) {
        self.shared.signal.stop();
        if self.follower.take().is_some_and(|follower| follower.join().is_err()) {
            tracing::error!(project = %self.shared.root.display(), "the thread that follows the specs panicked");
        }
    }
}

impl Shared {
    fn view(&self) -> View {
        self.view.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in changes as they are heard of, until the index is dropped.
    fn follow(&self) {
        while self.signal.wait_for_change() {
            let mut library = self.lock_library();
            if self.signal.current() {
                continue;
            }
            let heard = self.signal.heard();
            if let Err(error) = self.refresh(&mut library) {
                tracing::warn!(project = %self.root.display(), %error, "cannot bring the spec index up to date");
                // Tried again at the next change or use, not in a loop.
                self.signal.take_in(heard);
            }
        }
    }

    /// Searches; an index that turns out to be damaged is built anew and searched again.
    fn search(&self, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        let snapshot = self.view().snapshot;
        // Files that changed behind tantivy's back can make it panic deep inside; that must not end a daemon's task.
        let attempt = panic::catch_unwind(AssertUnwindSafe(|| search::search(&snapshot, query)));
        let error = match attempt {
            Ok(Err(error)) if error.is_damage() => error,
            Ok(done) => return done,
            Err(_) => SpecError::Damaged { path: self.root.clone(), detail: "a search in it panicked".into() },
        };
        let mut library = self.lock_library();
        library.rebuild(&error)?;
        self.refresh_once(&mut library)?;
        drop(library);
        search::search(&self.view().snapshot, query)
    }

    fn lock_library(&self) -> MutexGuard<'_, Library> {
        self.library.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the files and takes in what changed; a damaged index is built anew, once.
    fn refresh(&self, library: &mut Library) -> Result<usize, SpecError> {
        match self.refresh_once(library) {
            Err(error) if error.is_damage() => {
                library.rebuild(&error)?;
                self.refresh_once(library)
            }
            done => done,
        }
    }

    fn refresh_once(&self, library: &mut Library) -> Result<usize, SpecError> {
        let mut changed = 0;
        for _ in 0..MAX_LOOKS {
            let heard = self.signal.heard();
            let refreshed = library.refresh(|| self.signal.stopped())?;
            changed += refreshed.changed;
            let outlooks = library.config().outlooks(&self.root);
            let unheard = self.watch.watch(refreshed.folders.iter().cloned().chain(outlooks));
            self.publish(library, refreshed)?;
            self.signal.take_in(heard);
            if !unheard {
                break;
            }
        }
        Ok(changed)
    }

    fn publish(&self, library: &Library, refreshed: Refreshed) -> Result<(), SpecError> {
        let current = self.view().snapshot;
        let same = refreshed.changed == 0 && current.catalog.specs().len() == library.len();
        let snapshot = if same { current } else { Arc::new(library.snapshot()?) };
        let next = View { snapshot, skipped: refreshed.skipped.into(), notes: library.notes().into() };
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

/// A section by the ranges of the index, or by those of the file as it is now if it has changed.
fn section_text(meta: &SpecMeta, id: &str, text: &str, changed: bool) -> Option<String> {
    if changed {
        let parsed = parse::parse(&meta.path, text);
        return parsed.sections.iter().find(|s| s.id == id).map(|s| parsed.slice(s).to_owned());
    }
    let (_, section) = meta.section(id)?;
    text.get(section.start as usize..section.end as usize).map(str::to_owned)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        hex
    })
}
