//! How many of the daemon's threads one project may have: each project has a few places for work that blocks.
//!
//! A file system that hangs keeps the threads that wait for it, and no time limit gets one back. Without places, the
//! requests of one such project would soon have all threads, and every other project would wait with it. Nothing here
//! touches a disk, and whoever waits for a place waits on no thread.
//!
//! Invariant: no work that has a place waits for another place of the same project.

use pu_protocol::{ErrorBody, ErrorCode};
use pu_record::fault;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many requests of a project are at work on threads at a time.
const REQUESTS: usize = 4;
/// As many things that nobody asked for and that have to be done all the same: ends of agents, recovery, undoing.
const RECORDS: usize = 4;
/// Work that takes longer may hang, and a request for which nothing comes to an end for so long is refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// The gates of all projects. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    /// Held for a look.
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    roots: HashMap<PathBuf, Gate>,
    /// Of folders of which it is not known yet which project they are in: to find out may be what hangs.
    elsewhere: HashMap<PathBuf, Weak<Shared>>,
}

/// The gate of one project. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    requests: Arc<Semaphore>,
    records: Arc<Semaphore>,
    /// Held for a look or a change.
    at_work: Mutex<AtWork>,
}

#[derive(Debug)]
struct AtWork {
    /// How many there were until now.
    number: u64,
    /// When each that has a place got it, or up to when it may take without being thought to hang.
    since: BTreeMap<u64, Instant>,
    /// When one last got a place, gave it back or said that it goes on.
    moved: Instant,
    /// When one last said that.
    went_on: Instant,
}

impl AtWork {
    /// Up to when it is known that nothing hangs.
    fn is_well_until(&self) -> Instant {
        self.since.values().copied().fold(self.moved, Instant::max)
    }
}

/// A place on a thread, for as long as it lives: it belongs into the work itself, which may outlive whoever waits for it.
#[derive(Debug)]
pub struct Place {
    gate: Gate,
    number: u64,
    _permit: OwnedSemaphorePermit,
}

/// Work that has taken longer than work should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hanging {
    pub works: usize,
    pub longest: Duration,
}

impl fmt::Display for Hanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, seconds) = (if self.works == 1 { "task has" } else { "tasks have" }, self.longest.as_secs());
        write!(
            f,
            "{} {what} been at work in it for up to {seconds} s: its file system, or git in it, may hang",
            self.works
        )
    }
}

/// All places of a project are taken, and nothing comes to an end there.
#[derive(Debug, thiserror::Error)]
#[error(
    "the project {} does not answer: {works} requests are at work in it, for {} s the longest; its file system, or git in \
     it, may hang",
    folder.display(),
    longest.as_secs()
)]
pub struct Busy {
    folder: PathBuf,
    works: usize,
    longest: Duration,
}

impl Busy {
    pub fn body(&self) -> ErrorBody {
        ErrorBody::new(ErrorCode::Busy, self.to_string()).with_hint(
            "other projects go on; `pu doctor` tells which one hangs, and `pu attach` still reaches its agents",
        )
    }
}

impl Gates {
    /// The gate of the project at `root`.
    pub fn of_root(&self, root: &Path) -> Gate {
        self.lock().roots.entry(root.to_owned()).or_insert_with(|| Gate::new(root)).clone()
    }

    /// The gate for work that begins at `folder`: that of the nearest project around it, as far as paths alone tell.
    pub fn of(&self, folder: &Path) -> Gate {
        let mut known = self.lock();
        if let Some(gate) = folder.ancestors().find_map(|above| known.roots.get(above)) {
            return gate.clone();
        }
        if let Some(shared) = known.elsewhere.get(folder).and_then(Weak::upgrade) {
            return Gate { shared };
        }
        known.elsewhere.retain(|_, gate| gate.strong_count() > 0);
        let gate = Gate::new(folder);
        known.elsewhere.insert(folder.to_owned(), Arc::downgrade(&gate.shared));
        gate
    }

    /// The folders in which something seems to hang, in the order of their paths.
    pub fn hanging(&self) -> Vec<(PathBuf, Hanging)> {
        let gates: Vec<Gate> = {
            let known = self.lock();
            let elsewhere = known.elsewhere.values().filter_map(Weak::upgrade).map(|shared| Gate { shared });
            known.roots.values().cloned().chain(elsewhere).collect()
        };
        let hanging = gates.iter().filter_map(|gate| Some((gate.shared.folder.clone(), gate.hanging()?)));
        let mut hanging: Vec<(PathBuf, Hanging)> = hanging.collect();
        hanging.sort_by(|a, b| a.0.cmp(&b.0));
        hanging
    }

    /// Each change under this lock is one statement.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    fn new(folder: &Path) -> Self {
        let now = Instant::now();
        let at_work = AtWork { number: 0, since: BTreeMap::new(), moved: now, went_on: now };
        Self {
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                requests: Arc::new(Semaphore::new(REQUESTS)),
                records: Arc::new(Semaphore::new(RECORDS)),
                at_work: Mutex::new(at_work),
            }),
        }
    }

    /// A place for a request, in the order of asking. Where nothing comes to an end meanwhile, the wait does.
    pub async fn enter(&self) -> Result<Place, Busy> {
        let requests = &self.shared.requests;
        if let Ok(permit) = Arc::clone(requests).try_acquire_owned() {
            return Ok(self.take(permit));
        }
        // Where a test says so it has been waited for in vain.
        if fault::io("project.wait").is_err() {
            return Err(self.busy());
        }
        let begun = Instant::now();
        let mut turn = pin!(Arc::clone(requests).acquire_owned());
        loop {
            let left = PATIENCE.saturating_sub(self.lock().is_well_until().max(begun).elapsed());
            if left.is_zero() {
                return Err(self.busy());
            }
            match tokio::time::timeout(left, turn.as_mut()).await {
                Ok(Ok(permit)) => return Ok(self.take(permit)),
                // It is never closed.
                Ok(Err(_)) => return Err(self.busy()),
                // One may have come to an end meanwhile.
                Err(_) => {}
            }
        }
    }

    /// A place for what has to be done however long it takes. `None` never comes: the places are not closed.
    pub async fn enter_for_records(&self) -> Option<Place> {
        let permit = Arc::clone(&self.shared.records).acquire_owned().await.ok()?;
        Some(self.take(permit))
    }

    /// Says that work that takes long in the project gets on: it does not hang, nor do those that wait for it.
    pub fn goes_on(&self) {
        let (mut at_work, now) = (self.lock(), Instant::now());
        (at_work.moved, at_work.went_on) = (now, now);
    }

    /// What has been at work for longer than work should be.
    pub fn hanging(&self) -> Option<Hanging> {
        let at_work = self.lock();
        let ages =
            at_work.since.values().map(|since| (*since).max(at_work.went_on).elapsed()).filter(|age| *age >= PATIENCE);
        let (works, longest) = ages.fold((0, Duration::ZERO), |(works, longest), age| (works + 1, longest.max(age)));
        (works > 0).then_some(Hanging { works, longest })
    }

    fn take(&self, permit: OwnedSemaphorePermit) -> Place {
        let mut at_work = self.lock();
        at_work.number += 1;
        let (number, now) = (at_work.number, Instant::now());
        at_work.since.insert(number, now);
        at_work.moved = now;
        drop(at_work);
        Place { gate: self.clone(), number, _permit: permit }
    }

    fn busy(&self) -> Busy {
        let at_work = self.lock();
        let longest = at_work.since.values().map(Instant::elapsed).max().unwrap_or_default();
        Busy { folder: self.shared.folder.clone(), works: at_work.since.len(), longest }
    }

    /// Whatever a panic leaves here costs a wrong figure in a message.
    fn lock(&self) -> MutexGuard<'_, AtWork> {
        self.shared.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Says that its work begins only now, having waited for something that is not the project's, and may well take so long:
    /// meanwhile neither it nor those that wait for its place hang.
    pub fn may_take(&self, long: Duration) {
        let (mut at_work, now) = (self.gate.lock(), Instant::now());
        at_work.since.insert(self.number, now + long);
        at_work.moved = now;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut at_work = self.gate.lock();
        at_work.since.remove(&self.number);
        at_work.moved = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn a_folder_has_the_gate_of_the_nearest_project_around_it() {
        let gates = Gates::default();
        let same = |one: &Gate, other: &Gate| Arc::ptr_eq(&one.shared, &other.shared);
        let unknown = gates.of(Path::new("/code/shop/src"));
        assert!(same(&unknown, &gates.of(Path::new("/code/shop/src"))), "while somebody has it");
        assert!(!same(&unknown, &gates.of(Path::new("/code/shop"))));
        let shop = gates.of_root(Path::new("/code/shop"));
        let tool = gates.of_root(Path::new("/code/shop/tool"));
        assert!(same(&shop, &gates.of(Path::new("/code/shop/src"))));
        assert!(same(&tool, &gates.of(Path::new("/code/shop/tool/src"))));
        assert!(!same(&shop, &gates.of(Path::new("/code/shop-2"))));
        drop(unknown);
        drop(gates.of(Path::new("/elsewhere")));
        assert_eq!(gates.lock().elsewhere.len(), 1, "those that nobody has are forgotten");
    }

    #[test]
    fn who_waits_gets_the_place_that_is_given_back() {
        runtime().block_on(async {
            let gate = Gate::new(Path::new("/p"));
            let mut places = Vec::new();
            for _ in 0..REQUESTS {
                places.push(gate.enter().await.unwrap());
            }
            let mut waiting = pin!(gate.enter());
            let soon = Duration::from_millis(20);
            assert!(tokio::time::timeout(soon, waiting.as_mut()).await.is_err(), "there is none");
            // What has to be done has places of its own, and another project has nothing to do with it.
            assert!(gate.enter_for_records().await.is_some());
            assert!(Gate::new(Path::new("/q")).enter().await.is_ok());
            places.pop();
            assert!(tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().is_ok());
        });
    }

    /// As with many agents at once in a repository that git needs long to check out.
    #[test]
    fn work_that_may_well_take_long_is_waited_for() {
        let gate = Gate::new(Path::new("/p"));
        let long_ago = Instant::now().checked_sub(PATIENCE * 2).unwrap();
        runtime().block_on(async {
            let mut places = Vec::new();
            for _ in 0..REQUESTS {
                places.push(gate.enter().await.unwrap());
            }
            places[0].may_take(PATIENCE * 6);
            for place in &places[1..] {
                gate.lock().since.insert(place.number, long_ago);
            }
            gate.lock().moved = long_ago;
            let left = gate.lock().is_well_until().saturating_duration_since(Instant::now());
            assert!(left > PATIENCE * 5, "{left:?}");
            places[0].may_take(Duration::ZERO);
            assert!(gate.lock().is_well_until() <= Instant::now(), "that is over");
        });
    }

    #[test]
    fn where_nothing_comes_to_an_end_a_request_is_refused_and_told_of() {
        let gate = Gate::new(Path::new("/p"));
        let long_ago = Instant::now().checked_sub(PATIENCE * 2).unwrap();
        let busy = runtime().block_on(async {
            let mut places = Vec::new();
            for _ in 0..REQUESTS {
                places.push(gate.enter().await.unwrap());
            }
            assert_eq!(gate.hanging(), None);
            gate.lock().went_on = long_ago;
            gate.lock().since.values_mut().for_each(|since| *since = long_ago);
            let hanging = gate.hanging().unwrap();
            assert!(hanging.works == REQUESTS && hanging.longest >= PATIENCE * 2, "{hanging:?}");
            gate.goes_on();
            assert_eq!(gate.hanging(), None, "it gets on");
            gate.busy()
        });
        let body = busy.body();
        assert_eq!(body.code, ErrorCode::Busy);
        assert!(body.message.contains("/p does not answer: 4 requests") && body.hint.is_some(), "{body:?}");
        assert_eq!(gate.hanging(), None, "they have ended");
    }
}
