//! When a call must have ended: counted in the processor time of the thread that runs it, so that a sound plugin is not
//! skipped because the machine is busy; and, as a backstop, in time on the clock, which the whole chain shares.
//!
//! Only tells; stopping the call is done where the epoch and the host calls look here.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// The end of one call, on the thread that made it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    /// Processor time of this thread; `None` where the system does not tell.
    processor: Option<Duration>,
    clock: Instant,
}

impl Deadline {
    /// Begins now, for the calling thread; `latest` is when the clock ends it, however little it used.
    pub(super) fn after(allowed: Duration, latest: Instant) -> Self {
        match processor_time() {
            Some(used) => Self { processor: Some(used + allowed), clock: latest },
            None => Self { processor: None, clock: latest.min(Instant::now() + allowed) },
        }
    }

    /// To be asked by the thread that called [`Deadline::after`].
    pub(super) fn has_passed(&self) -> bool {
        let used_up = self.processor.is_some_and(|until| processor_time().is_some_and(|used| used >= until));
        used_up || Instant::now() >= self.clock
    }
}

fn processor_time() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok().map(Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn much_later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn waiting_does_not_use_the_deadline_up_and_working_does() {
        let deadline = Deadline::after(Duration::from_millis(20), much_later());
        std::thread::park_timeout(Duration::from_millis(40));
        assert!(!deadline.has_passed(), "40 ms of waiting are no processor time");
        let begun = Instant::now();
        while !deadline.has_passed() {
            assert!(begun.elapsed() < Duration::from_secs(50), "never passed");
        }
        assert!(processor_time().is_some_and(|used| used >= Duration::from_millis(20)));
    }

    #[test]
    fn the_clock_ends_a_call_that_only_waits() {
        let begun = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(60), begun + Duration::from_millis(1));
        while !deadline.has_passed() {
            std::thread::park_timeout(Duration::from_millis(1));
            assert!(begun.elapsed() < Duration::from_secs(50), "never passed");
        }
    }
}
