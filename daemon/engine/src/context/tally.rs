//! What each plugin did since the daemon started, and which of them are set aside for failing again and again.
//!
//! Counted by the digest of the component: a changed file begins anew, whatever its name and place. Nothing of it is kept
//! on disk, and nothing here calls a plugin.
//!
//! Invariant: a plugin that failed [`FAILURES_MAX`] times in a row by its own fault is not asked again in this daemon's
//! life, unless a configuration requires it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pu_protocol::context::AssemblerError;
use pu_protocol::plugin::PluginTally;

/// So many failures in a row set a plugin aside.
const FAILURES_MAX: u32 = 5;
/// So many times are remembered of each plugin.
const TIMES_MAX: usize = 256;
const SET_ASIDE: &str = "set_aside";

/// How one call went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Went<'a> {
    pub elapsed: Duration,
    /// How many proposals passed the checks; or why there are none, and whether that is the plugin's own fault.
    pub outcome: Result<usize, (&'a AssemblerError, bool)>,
}

#[derive(Debug, Default)]
struct Tally {
    calls: u64,
    failures: u64,
    in_a_row: u32,
    /// Microseconds, the latest last.
    times: VecDeque<u64>,
    picks: u64,
    last_error: Option<AssemblerError>,
}

/// The tallies of all plugins, by digest.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// Held for a look or a count, never across a call.
    known: Mutex<HashMap<String, Tally>>,
}

impl Tallies {
    pub(super) fn count(&self, digest: &str, went: Went<'_>) {
        let mut known = self.known();
        let tally = known.entry(digest.to_owned()).or_default();
        tally.calls += 1;
        if tally.times.len() == TIMES_MAX {
            tally.times.pop_front();
        }
        tally.times.push_back(u64::try_from(went.elapsed.as_micros()).unwrap_or(u64::MAX));
        match went.outcome {
            Ok(picks) => {
                tally.in_a_row = 0;
                tally.picks += picks as u64;
            }
            Err((error, own_fault)) => {
                tally.failures += 1;
                // What it cannot help (its configuration, the others' slowness) is no step to setting it aside.
                tally.in_a_row += u32::from(own_fault);
                tally.last_error = Some(error.clone());
            }
        }
    }

    /// Why a plugin is not to be asked, if it is set aside.
    pub(super) fn set_aside(&self, digest: &str) -> Option<AssemblerError> {
        let known = self.known();
        let tally = known.get(digest).filter(|tally| tally.in_a_row >= FAILURES_MAX)?;
        let last = tally.last_error.as_ref().map_or_else(String::new, |e| format!(", last: {}: {}", e.code, e.message));
        let times = tally.in_a_row;
        let message = format!(
            "failed {times} times in a row{last}; it is asked again when its file changes or the daemon restarts"
        );
        Some(AssemblerError { code: SET_ASIDE.into(), message })
    }

    /// As it is told to people.
    pub(super) fn of(&self, digest: &str) -> PluginTally {
        let known = self.known();
        let Some(tally) = known.get(digest) else { return PluginTally::default() };
        let mut times: Vec<u64> = tally.times.iter().copied().collect();
        times.sort_unstable();
        PluginTally {
            calls: tally.calls,
            failures: tally.failures,
            failures_in_a_row: tally.in_a_row,
            p50_us: percentile(&times, 50),
            p99_us: percentile(&times, 99),
            picks: tally.picks,
            last_error: tally.last_error.clone(),
        }
    }

    /// Counts are right after every statement: a panic in between loses at most one.
    fn known(&self) -> MutexGuard<'_, HashMap<String, Tally>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The least value that so many percent of the sorted values do not exceed.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str) -> AssemblerError {
        AssemblerError { code: code.into(), message: "because".into() }
    }

    fn went(us: u64, outcome: Result<usize, (&AssemblerError, bool)>) -> Went<'_> {
        Went { elapsed: Duration::from_micros(us), outcome }
    }

    #[test]
    fn five_own_failures_in_a_row_set_a_plugin_aside_and_no_other() {
        let (tallies, trap) = (Tallies::default(), error("trap"));
        for failed in 0..5 {
            assert_eq!(tallies.set_aside("a"), None, "after {failed} failures");
            tallies.count("a", went(10, Err((&trap, true))));
        }
        let told = tallies.set_aside("a").unwrap();
        assert_eq!(told.code, "set_aside");
        assert_eq!(
            told.message,
            "failed 5 times in a row, last: trap: because; it is asked again when its file changes or the daemon restarts"
        );
        assert_eq!(tallies.set_aside("b"), None, "a changed file is another plugin");
    }

    #[test]
    fn an_answer_begins_the_row_anew_and_what_it_cannot_help_does_not_count() {
        let (tallies, trap, config) = (Tallies::default(), error("trap"), error("config_invalid"));
        for _ in 0..4 {
            tallies.count("a", went(1, Err((&trap, true))));
        }
        tallies.count("a", went(1, Err((&config, false))));
        assert_eq!((tallies.set_aside("a"), tallies.of("a").failures_in_a_row), (None, 4));
        tallies.count("a", went(1, Ok(2)));
        tallies.count("a", went(1, Err((&trap, true))));
        let told = tallies.of("a");
        assert_eq!((told.calls, told.failures, told.failures_in_a_row, told.picks), (7, 6, 1, 2));
        assert_eq!(told.last_error, Some(trap));
    }

    #[test]
    fn times_are_of_the_last_calls() {
        let tallies = Tallies::default();
        assert_eq!(tallies.of("a"), PluginTally::default());
        for us in 1..=300 {
            tallies.count("a", went(us, Ok(0)));
        }
        // 45 to 300 are remembered.
        let told = tallies.of("a");
        assert_eq!((told.p50_us, told.p99_us), (Some(172), Some(298)));
        assert_eq!(percentile(&[], 50), None);
        assert_eq!((percentile(&[7], 50), percentile(&[7], 99)), (Some(7), Some(7)));
    }
}
