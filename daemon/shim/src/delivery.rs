//! How a client is kept up with the output: straight through, from the spool, by a redraw, or with a gap.
//!
//! A pure policy. Each client has a cursor, the offset behind the last byte that was queued for it; the spool is its
//! buffer, so that the queue itself stays small and a slow client costs no memory.

use std::time::{Duration, Instant};

use pu_protocol::frame::Mode;

/// A queue this long gets nothing more until it shrinks.
pub(crate) const QUEUE_FULL: usize = 256 * 1024;
/// An attached terminal further behind than this gets the screen as it is instead of the bytes that led there.
pub(crate) const TERMINAL_BEHIND: u64 = 1024 * 1024;
/// How long a lossless follower may hold the agent back.
pub(crate) const HOLD_MAX: Duration = Duration::from_secs(5);

/// What one client must get next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Nothing,
    /// Bytes from the spool, from the cursor on.
    Spool,
    /// The screen as it is.
    Redraw,
    /// Word that the bytes from the cursor up to here are gone.
    Gap {
        to: u64,
    },
}

/// One client's place in the output.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) mode: Mode,
    pub(crate) cursor: u64,
    /// The client asked that the agent be held back for it.
    lossless: bool,
    /// Since when the agent is held back for it.
    held_since: Option<Instant>,
    /// It used up its time; it gets another chance when it has caught up.
    hold_spent: bool,
}

impl Delivery {
    pub(crate) fn new(mode: Mode, cursor: u64, lossless: bool) -> Self {
        Self { mode, cursor, lossless: lossless && mode == Mode::Follow, held_since: None, hold_spent: false }
    }

    /// What to queue, given how much is `queued`, and that the spool holds `start..end`.
    pub(crate) fn next(&self, queued: usize, start: u64, end: u64) -> Next {
        if self.mode == Mode::Control || self.cursor >= end || queued >= QUEUE_FULL {
            return Next::Nothing;
        }
        let lost = self.cursor < start;
        match self.mode {
            // A redraw waits until the queue is empty: by then a slow client needs one screen and not ten.
            Mode::Attach if lost || end - self.cursor > TERMINAL_BEHIND => {
                if queued == 0 {
                    Next::Redraw
                } else {
                    Next::Nothing
                }
            }
            _ if lost => Next::Gap { to: start },
            _ => Next::Spool,
        }
    }

    /// Whether bytes that begin at `offset` may go straight to the client.
    pub(crate) fn takes_live(&self, queued: usize, offset: u64) -> bool {
        self.mode != Mode::Control && self.cursor == offset && queued < QUEUE_FULL
    }

    /// Whether the agent must wait: this client would lose bytes if the spool began at `start_soon`.
    pub(crate) fn holds(&mut self, now: Instant, start_soon: u64, end: u64) -> bool {
        if self.cursor >= end {
            self.hold_spent = false;
        }
        if !self.lossless || self.hold_spent || self.cursor >= start_soon {
            self.held_since = None;
            return false;
        }
        let since = *self.held_since.get_or_insert(now);
        self.hold_spent = now >= since + HOLD_MAX;
        !self.hold_spent
    }

    /// When the hold ends by itself.
    pub(crate) fn hold_deadline(&self) -> Option<Instant> {
        self.held_since.filter(|_| !self.hold_spent).map(|since| since + HOLD_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_next_follows_from_mode_distance_and_queue() {
        let far = TERMINAL_BEHIND + 1;
        let table = [
            // mode, cursor, queued, start, end
            (Mode::Attach, 10, 0, 0, 10, Next::Nothing),
            (Mode::Attach, 10, 0, 0, 20, Next::Spool),
            (Mode::Attach, 10, QUEUE_FULL, 0, 20, Next::Nothing),
            (Mode::Attach, 0, 0, 0, far, Next::Redraw),
            (Mode::Attach, 0, 1, 0, far, Next::Nothing),
            (Mode::Attach, 0, 0, 5, 20, Next::Redraw),
            (Mode::Follow, 0, 0, 0, far, Next::Spool),
            (Mode::Follow, 0, 0, 5, 20, Next::Gap { to: 5 }),
            (Mode::Follow, 20, 0, 5, 20, Next::Nothing),
            (Mode::Control, 0, 0, 0, 20, Next::Nothing),
        ];
        for (mode, cursor, queued, start, end, expected) in table {
            let next = Delivery::new(mode, cursor, false).next(queued, start, end);
            assert_eq!(next, expected, "{mode:?} at {cursor}, {queued} queued, spool {start}..{end}");
        }
    }

    #[test]
    fn only_a_client_that_is_up_to_date_takes_live_bytes() {
        let follower = Delivery::new(Mode::Follow, 7, false);
        assert!(follower.takes_live(0, 7));
        assert!(!follower.takes_live(0, 8), "it is behind");
        assert!(!follower.takes_live(QUEUE_FULL, 7), "it is slow");
        assert!(!Delivery::new(Mode::Control, 7, false).takes_live(0, 7));
    }

    #[test]
    fn a_lossless_follower_holds_the_agent_only_for_a_time() {
        let start = Instant::now();
        let mut follower = Delivery::new(Mode::Follow, 10, true);
        assert!(!follower.holds(start, 10, 50), "nothing of its is in danger");
        assert!(follower.holds(start, 11, 50));
        assert!(follower.holds(start + HOLD_MAX / 2, 11, 50));
        assert_eq!(follower.hold_deadline(), Some(start + HOLD_MAX));
        assert!(!follower.holds(start + HOLD_MAX, 11, 50), "the time is up");
        assert!(!follower.holds(start + HOLD_MAX * 3, 11, 50), "and does not begin anew");
        follower.cursor = 90;
        assert!(!follower.holds(start, 80, 90));
        assert!(follower.holds(start, 91, 100), "until it has caught up");
        assert!(!Delivery::new(Mode::Follow, 0, false).holds(start, 9, 10));
        assert!(!Delivery::new(Mode::Attach, 0, true).holds(start, 9, 10));
    }
}
