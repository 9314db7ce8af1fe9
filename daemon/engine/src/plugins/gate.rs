//! Lets as many calls run at once as the pool has room for; the others wait, and their time does not count meanwhile.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Gate {
    free: Mutex<u32>,
    left: Condvar,
}

impl Gate {
    pub(super) fn new(places: u32) -> Self {
        Self { free: Mutex::new(places), left: Condvar::new() }
    }

    /// Waits for a place, and holds it for as long as the answer lives. The wait is bounded by the deadlines of the
    /// calls inside.
    pub(super) fn enter(&self) -> Place<'_> {
        let mut free = self.left.wait_while(self.free(), |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place { gate: self }
    }

    fn free(&self) -> MutexGuard<'_, u32> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Place<'a> {
    gate: &'a Gate,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.gate.free() += 1;
        self.gate.left.notify_one();
    }
}
