//! What changed, told to whoever subscribed.
//!
//! Every room writes here; this room reads from none and keeps no event once it is sent.

use pu_protocol::{Event, EventLine};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// How many events a slow subscriber may be behind before it misses some (and is told how many).
const BACKLOG: usize = 1024;

/// The place where events are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    /// One lock over number and channel, so that events come in the order of their numbers.
    channel: Arc<Mutex<Channel>>,
}

#[derive(Debug)]
struct Channel {
    /// The number of the last event.
    last: u64,
    /// `None` once the last event is told.
    sender: Option<broadcast::Sender<EventLine>>,
}

impl Default for Events {
    fn default() -> Self {
        let channel = Channel { last: 0, sender: Some(broadcast::Sender::new(BACKLOG)) };
        Self { channel: Arc::new(Mutex::new(channel)) }
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
        let mut channel = self.channel();
        channel.last += 1;
        let seq = channel.last;
        let Some(sender) = channel.sender.as_ref().filter(|sender| sender.receiver_count() > 0) else { return };
        let at = jiff::Timestamp::now().to_string();
        // Nobody listening any more is no failure: events are told, not stored.
        let _ = sender.send(EventLine { seq, at, event });
    }

    /// After `close` the subscription is one that ends at once.
    pub fn subscribe(&self) -> Subscription {
        let channel = self.channel();
        let events = match &channel.sender {
            Some(sender) => sender.subscribe(),
            None => broadcast::channel(1).1,
        };
        Subscription { since: channel.last, events }
    }

    /// Tells nothing more. Subscribers still get what was published, and then the end.
    pub fn close(&self) {
        self.channel().sender = None;
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::broadcast::error::TryRecvError;

    #[test]
    fn what_was_published_is_heard_before_the_end() {
        let events = Events::default();
        let mut early = events.subscribe();
        events.publish(Event::DaemonStopping);
        events.close();
        events.publish(Event::DaemonStopping);
        assert_eq!(early.events.try_recv().map(|line| line.seq), Ok(1));
        assert_eq!(early.events.try_recv().map(|line| line.seq), Err(TryRecvError::Closed));
        let mut late = events.subscribe();
        assert_eq!(late.events.try_recv().map(|line| line.seq), Err(TryRecvError::Closed));
    }
}
