//! What the watcher's thread tells the others: that something changed, how far it has heard, and that it can no longer tell.
//!
//! Pure bookkeeping under one lock; it touches no file and starts no thread.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Changes that follow each other within this time are taken in together.
const QUIET: Duration = Duration::from_millis(50);
/// A stream of changes is taken in at least this often.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Counts changes that were heard of.
    heard: u64,
    /// The value of `heard` that the index contains.
    taken_in: u64,
    /// The newest marker file that was heard of.
    marker: u64,
    /// Folders that were removed or renamed, so that their watches are void.
    void: Vec<PathBuf>,
    /// There may be rule files where none were.
    search: bool,
    /// Why the watcher cannot be relied on.
    deaf: Option<String>,
    stopped: bool,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    pub(super) fn hear(&self, void: Vec<PathBuf>) {
        self.update(|state| {
            state.heard += 1;
            state.void.extend(void);
        });
    }

    /// Rule files may have come or gone below the root: to be followed by `hear`.
    pub(super) fn search(&self) {
        self.update(|state| state.search = true);
    }

    pub(super) fn take_search(&self) -> bool {
        std::mem::take(&mut self.lock().search)
    }

    pub(super) fn hear_marker(&self, marker: u64) {
        self.update(|state| state.marker = state.marker.max(marker));
    }

    pub(super) fn lose_hearing(&self, reason: String) {
        self.update(|state| {
            state.heard += 1;
            state.deaf.get_or_insert(reason);
        });
    }

    pub(super) fn deaf(&self) -> Option<String> {
        self.lock().deaf.clone()
    }

    pub(super) fn stop(&self) {
        self.update(|state| state.stopped = true);
    }

    pub(super) fn stopped(&self) -> bool {
        self.lock().stopped
    }

    /// What has been heard so far: to be taken before a scan and given to `take_in` after it.
    pub(super) fn heard(&self) -> u64 {
        self.lock().heard
    }

    pub(super) fn take_in(&self, heard: u64) {
        self.update(|state| state.taken_in = state.taken_in.max(heard));
    }

    pub(super) fn current(&self) -> bool {
        let state = self.lock();
        state.heard == state.taken_in
    }

    pub(super) fn take_void(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.lock().void)
    }

    /// Waits until the watcher has reported a marker, and with it all that happened before; false if it does not in time.
    pub(super) fn wait_for_marker(&self, marker: u64, limit: Duration) -> bool {
        let waiting = |state: &mut State| state.marker < marker && state.deaf.is_none();
        let (state, _) =
            self.changed.wait_timeout_while(self.lock(), limit, waiting).unwrap_or_else(PoisonError::into_inner);
        state.marker >= marker
    }

    /// Waits for changes that are not taken in and for the quiet after them; false when it is time to stop.
    pub(super) fn wait_for_change(&self) -> bool {
        let idle = |state: &mut State| !state.stopped && state.heard == state.taken_in;
        let mut state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + PATIENCE;
        while !state.stopped && Instant::now() < until {
            let heard = state.heard;
            let same = |state: &mut State| !state.stopped && state.heard == heard;
            let (now, timeout) =
                self.changed.wait_timeout_while(state, QUIET, same).unwrap_or_else(PoisonError::into_inner);
            state = now;
            if timeout.timed_out() {
                break;
            }
        }
        !state.stopped
    }
}
