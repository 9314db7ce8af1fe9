//! Long looks at specs: those of all projects take turns, so that many first builds at once need the memory of one, and each
//! tells how far it has got.
//!
//! It knows neither files nor the index, nor who listens. A look that gets no further, since its file system hangs, say, loses
//! its turn, so that it keeps no other project waiting.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Is told how many files of how many were looked at.
pub type OnProgress = Arc<dyn Fn(u32, u32) + Send + Sync>;

/// After so many files were read a look is a long one.
pub(super) const LONG: usize = 200;
/// One that has got no further for so long has lost its turn.
const STALLED: Duration = Duration::from_secs(5);
/// Between two words of progress, and between two looks of one that waits for its turn.
const EVERY: Duration = Duration::from_millis(100);

/// Whose turn it is. Cheap to clone: all clones are about the same turns.
#[derive(Debug, Clone, Default)]
pub struct BuildTurns {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    given_back: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the turns.
    number: u64,
    /// Whose it is, and when it last got on.
    holder: Option<(u64, Instant)>,
}

/// A turn, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: BuildTurns,
    number: u64,
}

impl BuildTurns {
    /// Waits for a turn; `None` once `gives_up` says so, which is asked again and again meanwhile.
    pub(super) fn take(&self, gives_up: impl FnMut() -> bool) -> Option<Turn> {
        let number = self.wait(gives_up)?;
        Some(Turn { turns: self.clone(), number })
    }

    fn wait(&self, mut gives_up: impl FnMut() -> bool) -> Option<u64> {
        let mut state = self.lock();
        while let Some((_, got_on)) = state.holder {
            let left = STALLED.saturating_sub(got_on.elapsed());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.given_back.wait_timeout(state, left.min(EVERY));
            // It is asked without the lock: it may talk to others.
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            if gives_up() {
                return None;
            }
            state = self.lock();
        }
        state.number += 1;
        let number = state.number;
        state.holder = Some((number, Instant::now()));
        Some(number)
    }

    /// Each change under this lock is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Says that it goes on; one that lost its turn waits for another. False if it gave up.
    pub(super) fn go_on(&mut self, gives_up: impl FnMut() -> bool) -> bool {
        if let Some((number, got_on)) = &mut self.turns.lock().holder
            && *number == self.number
        {
            *got_on = Instant::now();
            return true;
        }
        match self.turns.wait(gives_up) {
            Some(number) => self.number = number,
            None => return false,
        }
        true
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        if state.holder.is_some_and(|(number, _)| number == self.number) {
            state.holder = None;
            self.turns.shared.given_back.notify_one();
        }
    }
}

/// Who is told of a look, at most every [`EVERY`] and at its end; of one that takes no longer nobody is.
pub(super) struct Telling<'a> {
    to: &'a OnProgress,
    total: u32,
    next: Instant,
    has_told: bool,
}

impl<'a> Telling<'a> {
    pub(super) fn of(total: usize, to: &'a OnProgress) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        Self { to, total, next: Instant::now() + EVERY, has_told: false }
    }

    /// So many were looked at, and there is at least one more.
    pub(super) fn at(&mut self, done: usize) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + EVERY;
            self.has_told = true;
            (self.to)(u32::try_from(done).unwrap_or(u32::MAX), self.total);
        }
    }

    /// All that was found is indexed.
    pub(super) fn end(self) {
        if self.has_told {
            (self.to)(self.total, self.total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_waited_for_until_it_is_given_back() {
        let turns = BuildTurns::default();
        let first = turns.take(|| false).unwrap();
        assert!(turns.take(|| true).is_none(), "it is taken");
        let waiting = std::thread::spawn({
            let turns = turns.clone();
            move || turns.take(|| false).map(|turn| turn.number)
        });
        drop(first);
        assert_eq!(waiting.join().unwrap(), Some(2));
        assert!(turns.lock().holder.is_none());
    }

    #[test]
    fn one_that_gets_no_further_loses_its_turn_and_waits_for_the_next() {
        let turns = BuildTurns::default();
        let mut stuck = turns.take(|| false).unwrap();
        assert!(stuck.go_on(|| true), "it is its turn");
        turns.lock().holder = Some((1, Instant::now().checked_sub(STALLED).unwrap()));
        let next = turns.take(|| true).unwrap();
        assert!(!stuck.go_on(|| true), "it is another one's");
        drop(next);
        assert!(stuck.go_on(|| true));
        assert_eq!(stuck.number, 3);
    }

    #[test]
    fn what_is_soon_done_is_told_to_nobody_and_the_rest_ends_whole() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let to: OnProgress = Arc::new(move |done, total| heard.lock().unwrap().push((done, total)));
        let mut short = Telling::of(9, &to);
        short.at(5);
        short.end();
        assert!(told.lock().unwrap().is_empty());
        let mut long = Telling::of(9, &to);
        for done in [3, 4] {
            long.next = long.next.min(Instant::now());
            long.at(done);
            long.at(done);
        }
        long.end();
        assert_eq!(*told.lock().unwrap(), [(3, 9), (4, 9), (9, 9)]);
    }
}
