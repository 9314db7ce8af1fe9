//! Lets as many calls run at once as the pool has room for; the others wait, and their time does not count meanwhile.
//!
//! A call is as long as the host's own answers to it are, and one that reads from a file system that hangs has no end: so
//! those who read from one place are never in all of the room.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(super) struct Gate {
    room: Mutex<Room>,
    /// As many places as those have together who read from one place.
    share: u32,
    left: Condvar,
}

#[derive(Debug)]
struct Room {
    free: u32,
    /// Places by whose they are.
    taken: HashMap<usize, u32>,
}

impl Gate {
    pub(super) fn new(places: u32) -> Self {
        let room = Room { free: places, taken: HashMap::new() };
        Self { room: Mutex::new(room), share: places - places / 4, left: Condvar::new() }
    }

    /// Waits for a place, and holds it for as long as the answer lives. The wait is bounded by the deadlines of the calls
    /// inside. `whose` tells those apart who read from different places.
    pub(super) fn enter(&self, whose: Option<usize>) -> Place<'_> {
        let is_full = |room: &mut Room| {
            let taken = whose.and_then(|whose| room.taken.get(&whose)).copied().unwrap_or(0);
            room.free == 0 || taken >= self.share
        };
        let mut room = self.left.wait_while(self.room(), is_full).unwrap_or_else(PoisonError::into_inner);
        room.free -= 1;
        if let Some(whose) = whose {
            *room.taken.entry(whose).or_default() += 1;
        }
        Place { gate: self, whose }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Place<'a> {
    gate: &'a Gate,
    whose: Option<usize>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut room = self.gate.room();
        room.free += 1;
        if let Some(whose) = self.whose
            && let Some(taken) = room.taken.get_mut(&whose)
        {
            *taken -= 1;
            if *taken == 0 {
                room.taken.remove(&whose);
            }
        }
        drop(room);
        // Not each that waits may take any place.
        self.gate.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_from_one_place_leaves_room_for_others() {
        let gate = Gate::new(4);
        let three: Vec<Place<'_>> = (0..3).map(|_| gate.enter(Some(1))).collect();
        std::thread::scope(|scope| {
            let fourth = scope.spawn(|| drop(gate.enter(Some(1))));
            // There is room, and not for that one.
            drop(gate.enter(Some(2)));
            drop(gate.enter(None));
            assert!(!fourth.is_finished());
            drop(three);
            fourth.join().unwrap();
        });
        let room = gate.room();
        assert!(room.free == 4 && room.taken.is_empty(), "{room:?}");
    }
}
