//! What changed, told to whoever subscribed.
//!
//! Every room writes here; this room reads from none and keeps no event once it is sent.

use pu_protocol::{Event, EventLine};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// How many events a slow subscriber may be behind before it misses some (and is told how many).
const BACKLOG: usize = 1024;

/// The place where events are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<EventLine>,
    /// The number of the last event; held while one is sent, so that events come in the order of their numbers.
    last: Arc<Mutex<u64>>,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG), last: Arc::default() }
    }
}

/// A subscriber's end: the events that come after `since`.
#[derive(Debug)]
pub struct Subscription {
    pub since: u64,
    pub events: broadcast::Receiver<EventLine>,
}

impl Events {
    /// Tells everybody. With no subscriber this costs a lock and a comparison.
    pub fn publish(&self, event: Event) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last += 1;
        if self.sender.receiver_count() == 0 {
            return;
        }
        let at = jiff::Timestamp::now().to_string();
        // Nobody listening any more is no failure: events are told, not stored.
        let _ = self.sender.send(EventLine { seq: *last, at, event });
    }

    pub fn subscribe(&self) -> Subscription {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Subscription { since: *last, events: self.sender.subscribe() }
    }
}
