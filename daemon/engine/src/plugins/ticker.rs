//! Advances the engine's epoch every millisecond while at least one call runs, so that a running plugin looks at its
//! deadline. While none runs the thread is parked: an idle host takes no CPU.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

const TICK: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
struct Turns {
    running: usize,
    closing: bool,
}

#[derive(Debug, Default)]
struct Shared {
    turns: Mutex<Turns>,
    changed: Condvar,
}

impl Shared {
    /// A poisoned lock holds a count that is still right: nothing panics between two changes of it.
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Owns the thread, and ends it when dropped.
#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (engine, theirs) = (engine.clone(), Arc::clone(&shared));
        let thread =
            std::thread::Builder::new().name("plugin-ticker".to_owned()).spawn(move || tick(&theirs, &engine))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The epoch advances for as long as the answer lives.
    pub(super) fn run(&self) -> Running<'_> {
        let mut turns = self.shared.turns();
        turns.running += 1;
        if turns.running == 1 {
            self.shared.changed.notify_all();
        }
        Running { shared: &self.shared }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.turns().closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One call that runs.
pub(super) struct Running<'a> {
    shared: &'a Shared,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.shared.turns().running -= 1;
    }
}

fn tick(shared: &Shared, engine: &Engine) {
    let mut turns = shared.turns();
    while !turns.closing {
        turns = if turns.running == 0 {
            shared.changed.wait(turns).unwrap_or_else(PoisonError::into_inner)
        } else {
            engine.increment_epoch();
            shared.changed.wait_timeout(turns, TICK).unwrap_or_else(PoisonError::into_inner).0
        };
    }
}
