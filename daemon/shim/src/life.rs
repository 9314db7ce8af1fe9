//! The stages of a shim's life once the agent runs, each with what is true only then, and their deadlines.

use std::time::{Duration, Instant};

use pu_protocol::frame::{ExitRecord, Exited};

/// Output of an agent that has ended is complete when the terminal was quiet for this long.
const QUIET: Duration = Duration::from_millis(100);
/// Processes that the agent left behind may go on writing; they are not waited for longer than this.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// How soon a record that cannot be written is tried again: at first, and at last.
const RECORD_PAUSE: Duration = Duration::from_millis(50);
const RECORD_PAUSE_MAX: Duration = Duration::from_secs(30);
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
    /// All is known; it must reach the disk before anybody is told, however long the disk refuses.
    Recording {
        exit: Box<ExitRecord>,
        next_try: Instant,
        pause: Duration,
    },
    /// The record is on the disk, or given up by request; clients get their last bytes.
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
        Self::Recording { exit: Box::new(exit), next_try: now, pause: RECORD_PAUSE }
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

    /// Nobody is left to write, so what is in the terminal now is the last: it may take its time, however long the
    /// processes have taken theirs.
    pub(crate) fn last_words(&mut self, now: Instant) {
        if let Self::Draining { until, .. } = self {
            *until = now + DRAIN_MAX;
        }
    }

    /// Whether no more output is worth waiting for.
    pub(crate) fn is_drained(&self, now: Instant, terminal_closed: bool) -> bool {
        match self {
            Self::Draining { quiet_at, until } => terminal_closed || now >= *quiet_at || now >= *until,
            _ => false,
        }
    }

    /// The record could not be written; it is tried again, ever more slowly. True the first time.
    pub(crate) fn try_again(&mut self, now: Instant) -> bool {
        let Self::Recording { next_try, pause, .. } = self else { return false };
        let first = *pause == RECORD_PAUSE;
        *next_try = now + *pause;
        *pause = (*pause * 2).min(RECORD_PAUSE_MAX);
        first
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
    fn last_words_are_heard_out_after_a_long_drain_too() {
        let start = Instant::now();
        let late = start + DRAIN_MAX * 3;
        let mut life = Life::draining(start);
        life.last_words(late);
        assert!(life.is_drained(late, false), "there are none");
        life.heard(late);
        assert!(!life.is_drained(late, false));
        assert!(life.is_drained(late + QUIET, false));
        life.heard(late + DRAIN_MAX);
        assert!(life.is_drained(late + DRAIN_MAX, false), "and not for ever");
    }

    #[test]
    fn a_record_is_tried_again_ever_more_slowly_and_for_ever() {
        let start = Instant::now();
        let mut life = Life::recording(ExitRecord::default(), start);
        assert_eq!(life.deadline(), Some(start), "the first try is now");
        let (mut now, mut pause) = (start, Duration::ZERO);
        for tries in 0..100 {
            assert_eq!(life.try_again(now), tries == 0);
            let next = life.deadline().unwrap();
            assert!(next - now > pause || pause == RECORD_PAUSE_MAX, "{tries} tries");
            pause = next - now;
            now = next;
        }
        assert_eq!(pause, RECORD_PAUSE_MAX);
        assert!(matches!(life, Life::Recording { .. }));
    }
}
