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
/// How long a client waits after its bytes could not be read.
const READ_PAUSE: Duration = Duration::from_millis(200);
/// How many reads in a row must fail before the bytes are given up: less than a second in all, so that this comes to an
/// end before a farewell does.
const READ_TRIES: u32 = 5;

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
    /// How many reads of the spool in a row have failed.
    failed_reads: u32,
    /// It gets nothing before then, since the last read failed.
    rests_until: Option<Instant>,
}

impl Delivery {
    pub(crate) fn new(mode: Mode, cursor: u64, lossless: bool) -> Self {
        Self {
            mode,
            cursor,
            lossless: lossless && mode == Mode::Follow,
            held_since: None,
            hold_spent: false,
            failed_reads: 0,
            rests_until: None,
        }
    }

    /// What to queue, given how much is `queued`, and that the spool holds `start..end`.
    pub(crate) fn next(&self, queued: usize, start: u64, end: u64) -> Next {
        if self.mode == Mode::Control || self.cursor >= end || queued >= QUEUE_FULL || self.rests_until.is_some() {
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

    pub(crate) fn read_worked(&mut self) {
        self.failed_reads = 0;
    }

    /// The bytes at the cursor could not be read. True if that has happened often enough to give them up.
    pub(crate) fn read_failed(&mut self, now: Instant) -> bool {
        self.failed_reads += 1;
        let give_up = self.failed_reads >= READ_TRIES;
        if give_up {
            self.failed_reads = 0;
        } else {
            self.rests_until = Some(now + READ_PAUSE);
        }
        give_up
    }

    /// Ends a rest whose time is over.
    pub(crate) fn wake(&mut self, now: Instant) {
        self.rests_until = self.rests_until.filter(|at| *at > now);
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

    /// When something changes by itself: the hold ends, or the rest.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let hold = self.held_since.filter(|_| !self.hold_spent).map(|since| since + HOLD_MAX);
        [hold, self.rests_until].into_iter().flatten().min()
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
    fn bytes_that_cannot_be_read_are_waited_for_before_they_are_given_up() {
        let mut now = Instant::now();
        let mut follower = Delivery::new(Mode::Follow, 3, false);
        for round in 0..2 {
            for _ in 1..READ_TRIES {
                assert!(!follower.read_failed(now));
                assert_eq!(follower.next(0, 0, 9), Next::Nothing, "it rests");
                assert_eq!(follower.deadline(), Some(now + READ_PAUSE));
                follower.wake(now);
                assert_eq!(follower.next(0, 0, 9), Next::Nothing, "its time is not over");
                now += READ_PAUSE;
                follower.wake(now);
                assert_eq!((follower.next(0, 0, 9), follower.cursor), (Next::Spool, 3));
            }
            if round == 0 {
                follower.read_worked();
            }
        }
        assert!(follower.read_failed(now), "only failures in a row count");
        assert_eq!(follower.deadline(), None);
    }

    #[test]
    fn a_lossless_follower_holds_the_agent_only_for_a_time() {
        let start = Instant::now();
        let mut follower = Delivery::new(Mode::Follow, 10, true);
        assert!(!follower.holds(start, 10, 50), "nothing of its is in danger");
        assert!(follower.holds(start, 11, 50));
        assert!(follower.holds(start + HOLD_MAX / 2, 11, 50));
        assert_eq!(follower.deadline(), Some(start + HOLD_MAX));
        assert!(!follower.holds(start + HOLD_MAX, 11, 50), "the time is up");
        assert!(!follower.holds(start + HOLD_MAX * 3, 11, 50), "and does not begin anew");
        follower.cursor = 90;
        assert!(!follower.holds(start, 80, 90));
        assert!(follower.holds(start, 91, 100), "until it has caught up");
        assert!(!Delivery::new(Mode::Follow, 0, false).holds(start, 9, 10));
        assert!(!Delivery::new(Mode::Attach, 0, true).holds(start, 9, 10));
    }
}
