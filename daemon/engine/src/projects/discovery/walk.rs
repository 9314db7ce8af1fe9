//! The threads that look: as many as there is work for, and none of them waited for that a file system keeps.
//!
//! A disk that does not answer holds a thread for as long as it likes, and nobody can take that thread back. So each
//! thread shows that it gets on; one that does not is left where it is, its folder is told as silent, and another one goes
//! on with the rest. It knows nothing of what is looked for.

use super::scan::{Found, Job, Outcome};
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A folder that has shown nothing new for so long is silent.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at whether the threads get on: so many in that time.
const LOOKS: u32 = 10;
/// A disk answers more than one at a time; beyond that they stand in each other's way.
const THREADS_MAX: usize = 8;
/// With more work than this for each thread another one is worth its start.
const SHARE: usize = 8;
/// As many threads as may hang at a time, in the whole daemon.
const HANGING_MAX: usize = 16;

static HANGING: AtomicUsize = AtomicUsize::new(0);

/// What is done at each folder.
pub(super) trait Visit: Send + Sync {
    /// Looks at a folder, for as long as the file system takes. `beats` is to count up as that answers.
    fn look(&self, job: &Job, beats: &AtomicU64) -> Found;
    /// A folder that was given up answers after all; what was found there is not known.
    fn late(&self, folder: PathBuf);
}

/// Looks at everything from these folders on.
pub(super) fn walk(visit: Arc<dyn Visit>, starts: impl Iterator<Item = Job>, patience: Duration) -> Outcome {
    let state = Mutex::new(State { outside: starts.collect(), ..State::default() });
    // Asked once: the system's answer costs as much as looking at a folder.
    let threads = thread::available_parallelism().map_or(1, usize::from).clamp(2, THREADS_MAX);
    let walk = Arc::new(Walk { visit, patience, threads, state, work: Condvar::new(), end: Condvar::new() });
    walk.staff(&mut walk.lock());
    walk.wait()
}

struct Walk {
    visit: Arc<dyn Visit>,
    patience: Duration,
    /// As many threads as look at most.
    threads: usize,
    state: Mutex<State>,
    /// Told when there is something to do, or never will be.
    work: Condvar,
    /// Told when a thread ends.
    end: Condvar,
}

#[derive(Default)]
struct State {
    /// What may have to be watched: the uppermost folders first, since with too few watches those are worth most.
    outside: VecDeque<Job>,
    /// What is only looked at: the deepest first, so that little waits at a time.
    inside: Vec<Job>,
    /// Those that look, by number; one that was given up is not among them.
    workers: HashMap<u64, Worker>,
    last: u64,
    /// How many of them are at a folder.
    busy: usize,
    /// How many of them wait for one.
    idle: usize,
    outcome: Outcome,
}

/// A thread that looks.
struct Worker {
    /// The folder that it is at.
    at: Option<PathBuf>,
    /// Counts up while it gets on.
    beats: Arc<AtomicU64>,
    /// Where that stood when it was last seen to have counted, and when.
    seen: (u64, Instant),
}

impl State {
    fn next(&mut self) -> Option<Job> {
        self.inside.pop().or_else(|| self.outside.pop_front())
    }

    fn waiting(&self) -> usize {
        self.inside.len() + self.outside.len()
    }

    fn add(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            if job.inside {
                self.inside.push(job);
            } else {
                self.outside.push_back(job);
            }
        }
    }
}

impl Walk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts one more thread where there is work for it.
    fn staff(self: &Arc<Self>, state: &mut State) {
        let count = state.workers.len();
        if state.waiting() == 0 || count >= self.threads || state.waiting() < count * SHARE {
            return;
        }
        state.last += 1;
        let (number, beats) = (state.last, Arc::new(AtomicU64::new(0)));
        let worker = Worker { at: None, beats: Arc::clone(&beats), seen: (0, Instant::now()) };
        state.workers.insert(number, worker);
        let walk = Arc::clone(self);
        let work = move || walk.run(number, &beats);
        // With none at all nobody goes on, and whoever waits is told so.
        if let Err(error) = thread::Builder::new().name("discovery-walk".into()).spawn(work) {
            tracing::warn!(%error, "no thread to look for projects");
            state.workers.remove(&number);
        }
    }

    /// One thread's life: as long as there is, or may come, something to do.
    fn run(self: &Arc<Self>, number: u64, beats: &AtomicU64) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.next() {
                state.busy += 1;
                if let Some(worker) = state.workers.get_mut(&number) {
                    worker.at = Some(job.folder.clone());
                }
                drop(state);
                beats.fetch_add(1, Ordering::Relaxed);
                let found = self.visit.look(&job, beats);
                state = self.lock();
                if !self.take(&mut state, number, found) {
                    drop(state);
                    HANGING.fetch_sub(1, Ordering::Relaxed);
                    return self.visit.late(job.folder);
                }
            } else if state.busy > 0 {
                state.idle += 1;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            } else {
                break;
            }
        }
        state.workers.remove(&number);
        drop(state);
        self.work.notify_all();
        self.end.notify_all();
    }

    /// Takes in what one folder came to; false if the thread had been given up.
    fn take(self: &Arc<Self>, state: &mut State, number: u64, mut found: Found) -> bool {
        let Some(worker) = state.workers.get_mut(&number) else { return false };
        worker.at = None;
        state.busy -= 1;
        state.add(std::mem::take(&mut found.below));
        state.outcome.take(found);
        self.staff(state);
        // One folder this thread takes itself.
        if state.idle > 0 && (state.waiting() > 1 || state.busy == 0) {
            self.work.notify_all();
        }
        true
    }

    /// Waits for the end, and leaves behind whoever hangs.
    fn wait(self: &Arc<Self>) -> Outcome {
        let mut state = self.lock();
        while state.busy > 0 || (state.waiting() > 0 && !state.workers.is_empty()) {
            let (locked, waited) =
                self.end.wait_timeout(state, self.patience / LOOKS).unwrap_or_else(PoisonError::into_inner);
            state = locked;
            if waited.timed_out() {
                self.give_up(&mut state);
            }
        }
        let mut outcome = std::mem::take(&mut state.outcome);
        outcome.is_cut = state.waiting() > 0;
        state.inside.clear();
        state.outside.clear();
        self.work.notify_all();
        outcome
    }

    /// Leaves those threads where they are that have not got on for too long, and lets others go on with the rest.
    fn give_up(self: &Arc<Self>, state: &mut State) {
        let now = Instant::now();
        let mut hanging = Vec::new();
        for (number, worker) in &mut state.workers {
            let beats = worker.beats.load(Ordering::Relaxed);
            if worker.at.is_none() || beats != worker.seen.0 {
                worker.seen = (beats, now);
            } else if now.duration_since(worker.seen.1) >= self.patience {
                hanging.push(*number);
            }
        }
        for number in hanging {
            let Some(folder) = state.workers.remove(&number).and_then(|worker| worker.at) else { continue };
            state.busy -= 1;
            state.outcome.silent.push(folder);
            if HANGING.fetch_add(1, Ordering::Relaxed) < HANGING_MAX {
                self.staff(state);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Place, Start};
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// Looks at folders of which one answers only when it is let go.
    struct Hanging {
        folder: PathBuf,
        let_go: Mutex<Receiver<()>>,
        late: Mutex<Sender<PathBuf>>,
    }

    impl Visit for Hanging {
        fn look(&self, job: &Job, _beats: &AtomicU64) -> Found {
            if job.folder == self.folder {
                self.let_go.lock().unwrap().recv().unwrap();
            }
            Found::default()
        }

        fn late(&self, folder: PathBuf) {
            self.late.lock().unwrap().send(folder).unwrap();
        }
    }

    fn jobs(count: usize) -> impl Iterator<Item = Job> {
        (0..count).map(|number| Job::of(Start { folder: number.to_string().into(), place: Place::Root, left: 0 }))
    }

    #[test]
    fn a_folder_that_hangs_holds_nobody_up_and_is_told_when_it_answers() {
        let ((let_go, waits), (late, told)) = (channel(), channel());
        let visit = Hanging { folder: "3".into(), let_go: Mutex::new(waits), late: Mutex::new(late) };
        let outcome = walk(Arc::new(visit), jobs(40), Duration::from_millis(500));
        assert_eq!((outcome.silent, outcome.folders, outcome.is_cut), (vec![PathBuf::from("3")], 39, false));
        let_go.send(()).unwrap();
        assert_eq!(told.recv_timeout(Duration::from_secs(10)).unwrap(), PathBuf::from("3"));
    }
}
