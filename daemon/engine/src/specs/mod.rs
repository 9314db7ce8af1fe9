//! The spec index of a project: which specs there are, what they say, and which of them answer a task.
//!
//! It reads spec files and writes only its own index folder. It knows nothing of plugins, budgets or agents, and nothing
//! leads from here out of the project. Calls block on disk: an async caller wraps them in `spawn_blocking`.

mod analyzer;
mod build;
mod catalog;
mod disk;
mod error;
mod file;
mod format;
mod ignores;
mod library;
mod lint;
mod native;
mod nested;
mod parse;
mod rank;
mod relative;
mod rule;
mod schema;
mod search;
mod signal;
mod snapshot;
mod source;
mod stamp;
mod text;
pub mod tokens;
mod view;
mod watch;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use analyzer::words;
pub use build::{BuildTurns, OnProgress};
pub use catalog::{SectionMeta, SpecCatalog, SpecMeta};
pub use error::SpecError;
pub use lint::{Budgets, Finding, FindingCode, Severity};
pub use rank::Evidence;
pub use rule::{Patterns, Rule, RuleFault, RuleKind, RuleMode};
pub use search::{SearchQuery, SectionHit, SpecHit};
pub use source::{SkipKind, SkippedFile, SourceConfig};
pub(crate) use stamp::Stamp;
pub use text::SpecText;
pub use view::SpecView;

use library::{Library, Refreshed};
use signal::Signal;
use snapshot::Snapshot;
use watch::{Wanted, Watch};

/// How often watching new folders may call for another look at the files.
const MAX_LOOKS: usize = 5;
/// How long the end of the thread that follows the specs is waited for: it may hang with the file system.
const END_LIMIT: Duration = Duration::from_secs(5);

/// A project's specs, kept current until it is dropped.
pub struct SpecIndex {
    shared: Arc<Shared>,
    /// Takes in changes in the background; ended by `drop`, so that nothing writes to the index folder after it.
    follower: Option<JoinHandle<()>>,
    /// Closed when the follower has ended.
    following: Mutex<Receiver<Infallible>>,
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
    /// Why the last look at the files failed.
    fault: Mutex<Option<String>>,
}

#[derive(Clone)]
struct View {
    snapshot: Arc<Snapshot>,
    skipped: Arc<[SkippedFile]>,
    notes: Arc<[String]>,
    /// When it is to be looked whether there are rule files where nothing is watched.
    due: Option<Instant>,
}

impl View {
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }
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
        Self::open_with(project_root, index_dir, config, BuildTurns::default(), Arc::new(|_, _| {}))
    }

    /// The same, for an index whose long looks take turns with those of others and tell how far they have got.
    pub fn open_with(
        project_root: &Path,
        index_dir: &Path,
        config: SourceConfig,
        turns: BuildTurns,
        on_progress: OnProgress,
    ) -> Result<SpecIndex, SpecError> {
        let root = fs::canonicalize(project_root).map_err(SpecError::io("resolve", project_root))?;
        fs::create_dir_all(index_dir).map_err(SpecError::io("create the folder", index_dir))?;
        let index_dir = fs::canonicalize(index_dir).map_err(SpecError::io("resolve", index_dir))?;
        let max_file_bytes = config.max_file_bytes;
        let signal = Arc::new(Signal::default());
        let watch = Watch::start(&root, &index_dir, &config, Arc::clone(&signal));
        let (library, snapshot) = Library::open(root.clone(), index_dir, config, turns, on_progress)?;
        let view =
            View { snapshot: Arc::new(snapshot), skipped: Arc::new([]), notes: library.notes().into(), due: None };
        let (library, view) = (Mutex::new(library), RwLock::new(view));
        let shared = Arc::new(Shared { root, max_file_bytes, library, view, signal, watch, fault: Mutex::default() });
        shared.signal.hear(Vec::new());
        let worker = Arc::clone(&shared);
        let (follows, following) = channel();
        let follower = thread::Builder::new()
            .name("spec-index".into())
            .spawn(move || {
                let _follows = follows;
                worker.follow();
            })
            .map_err(SpecError::io("start the thread that follows", project_root))?;
        Ok(SpecIndex { shared, follower: Some(follower), following: Mutex::new(following) })
    }

    /// The folder that paths of specs count from, with links resolved.
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// Makes sure that every change to the specs made before this call is in the index.
    pub fn fresh(&self) -> Result<Freshness, SpecError> {
        let heard_all = self.shared.watch.hear_all();
        let known = || heard_all && self.shared.signal.current() && !self.shared.view().is_due();
        if known() {
            return Ok(Freshness { changed: 0, looked: false });
        }
        let mut library = self.shared.lock_library();
        // While this call waited for it, the follower may have taken in all that was heard of.
        if known() {
            return Ok(Freshness { changed: 0, looked: true });
        }
        Ok(Freshness { changed: self.shared.refresh(&mut library)?, looked: true })
    }

    /// Every spec, as of the last refresh.
    pub fn catalog(&self) -> Arc<SpecCatalog> {
        Arc::clone(&self.shared.view().snapshot.catalog)
    }

    /// The index as of the last refresh, to be held on to.
    pub fn view(&self) -> SpecView {
        SpecView { snapshot: self.shared.view().snapshot }
    }

    /// The specs that answer a query, best first; equal scores are in the order of paths.
    pub fn search(&self, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        self.shared.search(&self.shared.view().snapshot, query)
    }

    /// The same over the specs of a view. Where the index turns out to be damaged, what has changed since is not found.
    pub fn search_in(&self, view: &SpecView, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        let mut hits = self.shared.search(&view.snapshot, query)?;
        hits.retain(|hit| view.holds(&hit.spec));
        Ok(hits)
    }

    /// The text of a spec (by id or path) or of one section of it, read from the file now.
    pub fn read(&self, spec: &str, section: Option<&str>) -> Result<SpecText, SpecError> {
        let catalog = self.catalog();
        let meta = catalog.find(spec).ok_or_else(|| SpecError::UnknownSpec(spec.to_owned()))?;
        let file = self.file(meta)?;
        let Some(id) = section else { return Ok(file) };
        let unknown = || SpecError::UnknownSection { spec: meta.id.clone(), section: id.to_owned() };
        let text = file.part(meta, section).ok_or_else(unknown)?.to_owned();
        Ok(SpecText { text, ..file })
    }

    /// The whole file of a spec, front matter included, as it is now. A file that was not touched since it was indexed is
    /// not hashed for that.
    pub fn file(&self, spec: &SpecMeta) -> Result<SpecText, SpecError> {
        let Shared { root, max_file_bytes, .. } = &*self.shared;
        if let Some(text) = file::read_untouched(root, &spec.path, spec.stamp, &(0..spec.bytes)) {
            return Ok(SpecText { text, revision: spec.revision.clone(), newer_than_index: false });
        }
        let file = file::read(root, &spec.path, *max_file_bytes)
            .map_err(|reason| SpecError::Unreadable { path: spec.path.clone(), reason })?;
        let newer_than_index = file.revision != spec.revision;
        Ok(SpecText { text: file.text, revision: file.revision, newer_than_index })
    }

    /// A section of a spec, read alone; `None` where that cannot be done, which `file` then gives the reason for.
    pub fn untouched_section(&self, spec: &SpecMeta, section: &str) -> Option<String> {
        let (_, section) = spec.section(section)?;
        // The ranges are those of the decoded text.
        if spec.is_lossy() {
            return None;
        }
        let range = u64::from(section.start)..u64::from(section.end);
        file::read_untouched(&self.shared.root, &spec.path, spec.stamp, &range)
    }

    /// Files in the spec folders that are not in the index, and why.
    pub fn skipped(&self) -> Arc<[SkippedFile]> {
        self.shared.view().skipped
    }

    /// What is wrong with the specs and rule files, as of the last refresh: every file is read for that.
    pub fn lint(&self, budgets: Budgets) -> Vec<Finding> {
        let View { snapshot, skipped, .. } = self.shared.view();
        let Shared { root, max_file_bytes, .. } = &*self.shared;
        let (catalog, max_file_bytes) = (&*snapshot.catalog, *max_file_bytes);
        lint::check(&lint::Subject { root, max_file_bytes, catalog, skipped: &skipped }, budgets)
    }

    /// What is wrong with specs that are in the index (path first), with the index, or with watching it.
    pub fn warnings(&self) -> Vec<String> {
        self.first_warnings(usize::MAX).0
    }

    /// The first `limit` of them, and how many there are besides.
    pub fn first_warnings(&self, limit: usize) -> (Vec<String>, usize) {
        let view = self.shared.view();
        let of_index: Vec<String> = view.notes.iter().cloned().chain(self.shared.signal.deaf()).collect();
        let of_specs = view.snapshot.catalog.warnings();
        let all = of_index.len() + of_specs.len();
        let first: Vec<String> = of_index.into_iter().chain(of_specs.iter().cloned()).take(limit).collect();
        let more = all - first.len();
        (first, more)
    }

    /// Why the watcher cannot be relied on, if it cannot: the files are then looked at each time. It is among the warnings.
    pub fn deaf(&self) -> Option<String> {
        self.shared.signal.deaf()
    }

    /// Why the last look at the files failed, if it did: what has changed since the one before is not indexed.
    pub fn fault(&self) -> Option<String> {
        self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A digest of all that the index holds: equal for equal specs.
    pub fn revision(&self) -> String {
        self.catalog().revision().to_owned()
    }
}

impl Drop for SpecIndex {
    fn drop(&mut self) {
        self.shared.signal.stop();
        let following = self.following.get_mut().unwrap_or_else(PoisonError::into_inner);
        if following.recv_timeout(END_LIMIT) == Err(RecvTimeoutError::Timeout) {
            // It gives up, and writes nothing, as soon as the file that it reads comes or fails.
            let project = self.shared.root.display();
            return tracing::warn!(%project, "the thread that follows the specs hangs in reading one, and is left alone");
        }
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

    /// Searches a snapshot; an index that turns out to be damaged is built anew, and what it then is is searched instead.
    fn search(&self, snapshot: &Snapshot, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        // Files that changed behind tantivy's back can make it panic deep inside; that must not end a daemon's task.
        let attempt = panic::catch_unwind(AssertUnwindSafe(|| search::search(snapshot, query)));
        let error = match attempt {
            Ok(Err(error)) if error.is_damage() => error,
            Ok(done) => return done,
            Err(_) => SpecError::Damaged { path: self.root.clone(), detail: "a search in it panicked".into() },
        };
        let current = self.view().snapshot;
        if !std::ptr::eq(Arc::as_ptr(&current), snapshot) {
            // Only the current one is worth building anew, and it may be whole.
            return self.search(&current, query);
        }
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
        let done = match self.refresh_once(library) {
            Err(error) if error.is_damage() => library.rebuild(&error).and_then(|()| self.refresh_once(library)),
            done => done,
        };
        let fault = done.as_ref().err().filter(|error| !matches!(error, SpecError::Closed)).map(ToString::to_string);
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        done
    }

    fn refresh_once(&self, library: &mut Library) -> Result<usize, SpecError> {
        let mut changed = 0;
        for _ in 0..MAX_LOOKS {
            let heard = self.signal.heard();
            let refreshed = library.refresh(self.signal.take_search(), || self.signal.stopped())?;
            changed += refreshed.changed;
            let outlooks = library.config().outlooks(&self.root);
            let unheard = self.watch.watch(Wanted {
                folders: refreshed.folders.iter().cloned().chain(outlooks).collect(),
                linked: refreshed.linked.iter().cloned().collect(),
            });
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
        let notes = library.notes().into();
        let next = View { snapshot, skipped: refreshed.skipped.into(), notes, due: refreshed.due };
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        hex
    })
}
