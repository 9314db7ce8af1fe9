//! The stages of a shim's life once the agent runs, each with what is true only then, and their deadlines.

use std::time::{Duration, Instant};

use pu_protocol::frame::{ExitRecord, Exited};

/// Output of an agent that has ended is complete when the terminal was quiet for this long.
const QUIET: Duration = Duration::from_millis(100);
/// Processes that the agent left behind may go on writing; they are not waited for longer than this.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// How long a record that cannot be written is tried again.
const RECORD_MAX: Duration = Duration::from_secs(60);
const RECORD_PAUSE: Duration = Duration::from_millis(50);
const RECORD_PAUSE_MAX: Duration = Duration::from_secs(2);
/// How long clients have to take the last bytes.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) enum Life {
    Running,
    /// The agent has ended; what it wrote last is on its way through the terminal.
    Draining {
        quiet_at: Instant,
        until: Instant,
    },
    /// All is known; it must reach the disk before anybody is told.
    Recording {
        exit: Box<ExitRecord>,
        next_try: Instant,
        pause: Duration,
        give_up_at: Instant,
    },
    /// The record is on the disk, or given up; clients get their last bytes.
    Farewell {
        exited: Box<Exited>,
        until: Instant,
    },
}

impl Life {
    pub(crate) fn draining(now: Instant) -> Self {
        Self::Draining { quiet_at: now + QUIET, until: now + DRAIN_MAX }
    }

    pub(crate) fn recording(exit: ExitRecord, now: Instant) -> Self {
        let give_up_at = now + RECORD_MAX;
        Self::Recording { exit: Box::new(exit), next_try: now, pause: RECORD_PAUSE, give_up_at }
    }

    pub(crate) fn farewell(exit: ExitRecord, record_error: Option<String>, now: Instant) -> Self {
        Self::Farewell { exited: Box::new(Exited { exit, record_error }), until: now + FAREWELL_MAX }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    /// The agent's terminal said something.
    pub(crate) fn heard(&mut self, now: Instant) {
        if let Self::Draining { quiet_at, .. } = self {
            *quiet_at = now + QUIET;
        }
    }

    /// Whether no more output is worth waiting for.
    pub(crate) fn is_drained(&self, now: Instant, terminal_closed: bool) -> bool {
        match self {
            Self::Draining { quiet_at, until } => terminal_closed || now >= *quiet_at || now >= *until,
            _ => false,
        }
    }

    /// The record could not be written. False if it is time to give up.
    pub(crate) fn try_again(&mut self, now: Instant) -> bool {
        let Self::Recording { next_try, pause, give_up_at, .. } = self else { return false };
        *next_try = now + *pause;
        *pause = (*pause * 2).min(RECORD_PAUSE_MAX);
        now < *give_up_at
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Running => None,
            Self::Draining { quiet_at, until } => Some(*quiet_at.min(until)),
            Self::Recording { next_try, .. } => Some(*next_try),
            Self::Farewell { until, .. } => Some(*until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draining_ends_when_quiet_when_closed_or_at_last_anyway() {
        let start = Instant::now();
        let mut life = Life::draining(start);
        assert!(!life.is_drained(start, false));
        assert!(life.is_drained(start, true));
        assert!(life.is_drained(start + QUIET, false));
        life.heard(start + QUIET / 2);
        assert!(!life.is_drained(start + QUIET, false));
        life.heard(start + DRAIN_MAX);
        assert!(life.is_drained(start + DRAIN_MAX, false));
        assert!(!Life::Running.is_drained(start, true));
    }

    #[test]
    fn a_record_is_tried_again_ever_more_slowly_for_a_time() {
        let start = Instant::now();
        let mut life = Life::recording(ExitRecord::default(), start);
        let (mut now, mut tries) = (start, 0);
        while life.try_again(now) {
            let next = life.deadline().unwrap();
            assert!(next > now && next - now <= RECORD_PAUSE_MAX);
            now = next;
            tries += 1;
        }
        assert!(now >= start + RECORD_MAX && (10..100).contains(&tries), "{tries} tries");
    }
}
