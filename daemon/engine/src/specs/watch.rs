//! Hears of changes to the spec sources through the operating system, and knows when it has heard of all of them.
//!
//! A change made just before a request may still be on its way here. To know, a marker file is made in the index folder,
//! which is watched too: events come in order, so when the marker's has come, so have all before it. That costs a fraction
//! of a millisecond whatever the number of specs. Raw events are used and not `notify`'s debouncer, which would hold the
//! marker back; changes are gathered by `Signal` instead. It never reads a spec and never refreshes the index itself.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::rule;
use super::signal::Signal;
use super::source::SourceConfig;

/// How long the marker may take before the files are looked at instead.
const MARKER_LIMIT: Duration = Duration::from_millis(100);
const MARKER: &str = ".heard-";

pub(super) struct Watch {
    signal: Arc<Signal>,
    root: PathBuf,
    index_dir: PathBuf,
    wanted: Arc<RwLock<Wanted>>,
    watcher: Mutex<Option<Watched>>,
    markers: AtomicU64,
    /// The index folder and the sources are watched, so that a marker will be heard of.
    listening: AtomicBool,
}

/// What of the project has to be heard of, besides what stands directly in its root; by real paths, so that nothing is
/// watched under two names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Everything in these folders counts.
    pub folders: BTreeSet<PathBuf>,
    /// Where links lead. On the way there nothing else counts: it may be a source tree that changes all the time.
    pub linked: BTreeSet<PathBuf>,
}

impl Wanted {
    /// Every folder to watch.
    fn watches<'a>(&'a self, root: &'a Path) -> impl Iterator<Item = &'a Path> {
        // From a place down to the root, so that a folder on the way that is renamed is heard of too.
        let above =
            move |place: &'a PathBuf| place.ancestors().skip(1).take_while(move |folder| folder.starts_with(root));
        self.folders.iter().map(PathBuf::as_path).chain(self.linked.iter().flat_map(above)).chain([root])
    }

    /// Whether a change at `path` can change what the specs are.
    fn concerns(&self, path: &Path) -> bool {
        self.folders.contains(path)
            || path.parent().is_some_and(|folder| self.folders.contains(folder))
            || self.linked.iter().any(|place| place.starts_with(path))
    }
}

struct Watched {
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    /// Begins to listen; if that cannot be, the signal says why and every use looks at the files.
    pub(super) fn start(root: &Path, index_dir: &Path, config: &SourceConfig, signal: Arc<Signal>) -> Watch {
        remove_old_markers(index_dir);
        let wanted = Arc::new(RwLock::new(Wanted::default()));
        let ears = Ears {
            signal: Arc::clone(&signal),
            root: root.to_path_buf(),
            index_dir: index_dir.to_path_buf(),
            names: config.top_names(),
            rules: config.rules,
            wanted: Arc::clone(&wanted),
        };
        let options = Config::default().with_follow_symlinks(false);
        let watcher = match RecommendedWatcher::new(move |event| ears.hear(event), options) {
            Ok(watcher) => Some(Watched { watcher, folders: BTreeSet::new() }),
            Err(error) => {
                signal.lose_hearing(format!("cannot watch the project: {error}"));
                None
            }
        };
        Watch {
            signal,
            root: root.to_path_buf(),
            index_dir: index_dir.to_path_buf(),
            wanted,
            watcher: Mutex::new(watcher),
            markers: AtomicU64::new(0),
            listening: AtomicBool::new(false),
        }
    }

    /// Watches exactly what is wanted, the root and the index folder; says whether more is heard now, so that a change to
    /// that before now may have gone unheard.
    pub(super) fn watch(&self, wanted: Wanted) -> bool {
        let mut guard = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watched) = guard.as_mut() else { return false };
        let void = self.signal.take_void();
        let folders: BTreeSet<PathBuf> =
            wanted.watches(&self.root).chain([self.index_dir.as_path()]).map(Path::to_path_buf).collect();
        let turned = self.listen_for(wanted);
        let stale = |folder: &PathBuf| !folders.contains(folder) || void.iter().any(|v| folder.starts_with(v));
        let (gone, kept): (BTreeSet<PathBuf>, _) = std::mem::take(&mut watched.folders).into_iter().partition(stale);
        for folder in gone {
            // The system has often dropped it already, together with the folder.
            if let Err(error) = watched.watcher.unwatch(&folder) {
                tracing::trace!(folder = %folder.display(), %error, "no watch to remove");
            }
        }
        watched.folders = kept;
        let new: Vec<PathBuf> = folders.difference(&watched.folders).cloned().collect();
        match add(&mut watched.watcher, &new) {
            Ok(()) => {
                watched.folders.extend(new.iter().cloned());
                self.listening.store(true, Ordering::Release);
            }
            Err(error) => self.signal.lose_hearing(format!("cannot watch every spec folder: {error}")),
        }
        turned || !new.is_empty()
    }

    /// Sorts events by `wanted` from now on, before anything is watched for it; says whether that is another sorting. The
    /// lock is not held while folders are added, since the watcher's thread needs it.
    fn listen_for(&self, wanted: Wanted) -> bool {
        let mut current = self.wanted.write().unwrap_or_else(PoisonError::into_inner);
        let turned = *current != wanted;
        *current = wanted;
        turned
    }

    /// Waits (not long) until everything that happened before this call has been heard of; false if that is not known.
    pub(super) fn hear_all(&self) -> bool {
        if !self.listening.load(Ordering::Acquire) || self.signal.deaf().is_some() {
            return false;
        }
        let number = self.markers.fetch_add(1, Ordering::Relaxed) + 1;
        let marker = self.index_dir.join(format!("{MARKER}{number}"));
        if let Err(error) = OpenOptions::new().write(true).create(true).truncate(true).open(&marker) {
            tracing::warn!(path = %marker.display(), %error, "cannot make a marker");
            return false;
        }
        let heard = self.signal.wait_for_marker(number, MARKER_LIMIT);
        if let Err(error) = fs::remove_file(&marker) {
            tracing::debug!(path = %marker.display(), %error, "cannot remove a marker");
        }
        heard
    }
}

fn add(watcher: &mut RecommendedWatcher, folders: &[PathBuf]) -> notify::Result<()> {
    if folders.is_empty() {
        return Ok(());
    }
    // One change for all: on macOS each change restarts the stream of events.
    let mut paths = watcher.paths_mut();
    for folder in folders {
        // Folder by folder, since whole trees would take in ignored ones such as `node_modules`.
        match paths.add(folder, RecursiveMode::NonRecursive) {
            Err(error) if folder.exists() => return Err(error),
            _ => {}
        }
    }
    paths.commit()
}

/// Markers of a process that ended while it waited.
fn remove_old_markers(index_dir: &Path) {
    for entry in fs::read_dir(index_dir).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(MARKER)
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::debug!(path = %entry.path().display(), %error, "cannot remove an old marker");
        }
    }
}

/// Sorts events into those that matter.
struct Ears {
    signal: Arc<Signal>,
    root: PathBuf,
    index_dir: PathBuf,
    /// What matters directly in the project's root, in lower case.
    names: Vec<String>,
    /// Rule files matter, wherever they are heard of.
    rules: bool,
    wanted: Arc<RwLock<Wanted>>,
}

impl Ears {
    fn hear(&self, event: notify::Result<Event>) {
        match event {
            Ok(event) if event.need_rescan() => self.signal.hear(Vec::new()),
            Ok(event) => self.sort(&event),
            Err(error) => self.signal.lose_hearing(format!("lost sight of the spec folders: {error}")),
        }
    }

    fn sort(&self, event: &Event) {
        let written = matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
        if event.kind.is_access() && !written {
            return;
        }
        let (markers, others): (Vec<&PathBuf>, _) =
            event.paths.iter().partition(|p| p.parent() == Some(&self.index_dir));
        for number in markers.iter().filter_map(|p| p.file_name()?.to_str()?.strip_prefix(MARKER)?.parse().ok()) {
            self.signal.hear_marker(number);
        }
        if others.iter().any(|path| self.matters(path)) {
            let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
            if moved || others.iter().any(|path| self.is_rule_file(path)) {
                self.signal.search();
            }
            self.signal.hear(if moved { others.into_iter().cloned().collect() } else { Vec::new() });
        }
    }

    /// Not every folder is watched, but in those that are, a new one of these is seen at once.
    fn is_rule_file(&self, path: &Path) -> bool {
        self.rules && path.file_name().and_then(OsStr::to_str).is_some_and(rule::counts_anywhere)
    }

    fn matters(&self, path: &Path) -> bool {
        let named = |name: &OsStr| self.names.contains(&name.to_string_lossy().to_ascii_lowercase());
        let at_top = path.parent() == Some(&self.root) && path.file_name().is_some_and(named);
        let is_base = path == self.root || path == self.index_dir;
        at_top
            || is_base
            || self.is_rule_file(path)
            || self.wanted.read().unwrap_or_else(PoisonError::into_inner).concerns(path)
    }
}
