//! Waiting for facts.
//!
//! Nothing here waits for a time to pass in the hope that something has happened by then.

use std::time::{Duration, Instant};

/// How long anything may take. Far more than it does: a loaded machine is no failure.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Asks until there is an answer. Panics, naming what was waited for, when there is none within [`LIMIT`].
#[track_caller]
pub fn wait_until<T>(what: &str, found: impl FnMut() -> Option<T>) -> T {
    wait_within(LIMIT, what, found)
}

/// As [`wait_until`], with a limit of its own.
#[track_caller]
pub(crate) fn wait_within<T>(limit: Duration, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = found() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain until {what}");
        pause(Duration::from_millis(5));
    }
}

/// Lets a time pass: between two looks at a fact, or up to a moment that is random on purpose.
pub fn pause(time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}
