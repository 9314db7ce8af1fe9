//! What each plugin did since the daemon started, and which of them are set aside for failing again and again.
//!
//! Counted by project and by the digest of the component: one project's trouble silences no plugin in another, and a
//! changed file begins anew, whatever its name and place. Nothing of it is kept on disk, and nothing here calls a plugin.
//!
//! Invariant: a plugin that failed [`FAILURES_MAX`] times in a row by its own fault in a project is not asked there again
//! in this daemon's life, unless a configuration requires it or its user adds it again or switches it on.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    /// What the plugin is called in the chain.
    pub name: &'a str,
    pub elapsed: Duration,
    /// Whether the configuration required it: such a call neither lengthens nor ends a row of failures.
    pub required: bool,
    /// How many proposals passed the checks; or why there are none, and whether that is the plugin's own fault.
    pub outcome: Result<usize, (&'a AssemblerError, bool)>,
}

#[derive(Debug, Default)]
struct Tally {
    name: String,
    /// The last time.
    asked: Option<Instant>,
    calls: u64,
    failures: u64,
    in_a_row: u32,
    /// Microseconds, the latest last.
    times: VecDeque<u64>,
    picks: u64,
    last_error: Option<AssemblerError>,
}

/// The tallies of the plugins of one project, by digest.
type OfProject = HashMap<String, Tally>;

/// The tallies of all plugins.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// By the project's root. Held for a look or a count, never across a call.
    known: Mutex<HashMap<PathBuf, OfProject>>,
}

impl Tallies {
    pub(super) fn count(&self, root: &Path, digest: &str, went: Went<'_>) {
        let mut known = self.known();
        let tally = known.entry(root.to_owned()).or_default().entry(digest.to_owned()).or_default();
        tally.calls += 1;
        tally.asked = Some(Instant::now());
        if tally.name != went.name {
            went.name.clone_into(&mut tally.name);
        }
        if tally.times.len() == TIMES_MAX {
            tally.times.pop_front();
        }
        tally.times.push_back(u64::try_from(went.elapsed.as_micros()).unwrap_or(u64::MAX));
        match went.outcome {
            Ok(picks) => {
                if !went.required {
                    tally.in_a_row = 0;
                }
                tally.picks += picks as u64;
            }
            Err((error, own_fault)) => {
                tally.failures += 1;
                // What it cannot help (its configuration, the others' slowness) is no step to setting it aside.
                tally.in_a_row += u32::from(own_fault && !went.required);
                tally.last_error = Some(error.clone());
            }
        }
    }

    /// Why a plugin is not to be asked in a project, if it is set aside there.
    pub(super) fn set_aside(&self, root: &Path, digest: &str) -> Option<AssemblerError> {
        let known = self.known();
        known.get(root)?.get(digest)?.set_aside()
    }

    /// The plugins that are set aside in a project, each by its name and with the reason; one that has changed since until it
    /// is asked again.
    pub(super) fn all_set_aside(&self, root: &Path) -> Vec<(String, AssemblerError)> {
        let known = self.known();
        let all: Vec<&Tally> = known.get(root).into_iter().flat_map(HashMap::values).collect();
        // A changed file is another plugin of the same name.
        let is_last = |tally: &&Tally| all.iter().all(|other| other.name != tally.name || other.asked <= tally.asked);
        let aside = all.iter().copied().filter(is_last);
        let mut aside: Vec<(String, AssemblerError)> =
            aside.filter_map(|tally| Some((tally.name.clone(), tally.set_aside()?))).collect();
        aside.sort_by(|a, b| a.0.cmp(&b.0));
        aside
    }

    /// Begins the row of failures anew; what was counted stays.
    pub(super) fn forgive(&self, root: &Path, digest: &str) {
        if let Some(tally) = self.known().get_mut(root).and_then(|of| of.get_mut(digest)) {
            tally.in_a_row = 0;
        }
    }

    /// As it is told to people.
    pub(super) fn of(&self, root: &Path, digest: &str) -> PluginTally {
        let known = self.known();
        let Some(tally) = known.get(root).and_then(|of| of.get(digest)) else { return PluginTally::default() };
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
    fn known(&self) -> MutexGuard<'_, HashMap<PathBuf, OfProject>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Why it is not to be asked, if it is not.
    fn set_aside(&self) -> Option<AssemblerError> {
        let times = self.in_a_row;
        if times < FAILURES_MAX {
            return None;
        }
        let last = self.last_error.as_ref().map_or_else(String::new, |e| format!(", last: {}: {}", e.code, e.message));
        let message = format!(
            "failed {times} times in a row{last}; it is asked again when its file changes, when it is added or switched on \
             again, or when the daemon restarts"
        );
        Some(AssemblerError { code: SET_ASIDE.into(), message })
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
        Went { name: "rules", elapsed: Duration::from_micros(us), required: false, outcome }
    }

    fn root() -> &'static Path {
        Path::new("/project")
    }

    #[test]
    fn five_own_failures_in_a_row_set_a_plugin_aside_and_no_other() {
        let (tallies, trap) = (Tallies::default(), error("trap"));
        for failed in 0..5 {
            assert_eq!(tallies.set_aside(root(), "a"), None, "after {failed} failures");
            tallies.count(root(), "a", went(10, Err((&trap, true))));
        }
        let told = tallies.set_aside(root(), "a").unwrap();
        assert_eq!(told.code, "set_aside");
        assert_eq!(
            told.message,
            "failed 5 times in a row, last: trap: because; it is asked again when its file changes, when it is added or \
             switched on again, or when the daemon restarts"
        );
        assert_eq!(tallies.all_set_aside(root()), [("rules".to_owned(), told)]);
        assert_eq!(tallies.set_aside(root(), "b"), None, "a changed file is another plugin");
        tallies.count(root(), "b", went(10, Ok(1)));
        assert_eq!(tallies.all_set_aside(root()), []);
        assert_eq!(tallies.all_set_aside(Path::new("/other")), []);
        tallies.forgive(Path::new("/other"), "a");
        assert!(tallies.set_aside(root(), "a").is_some(), "what is forgiven in one project is in no other");
        assert_eq!(tallies.set_aside(Path::new("/other"), "a"), None, "another project has troubles of its own");
    }

    #[test]
    fn what_is_forgiven_is_asked_again_and_keeps_its_counts() {
        let (tallies, trap) = (Tallies::default(), error("trap"));
        for _ in 0..5 {
            tallies.count(root(), "a", went(10, Err((&trap, true))));
        }
        tallies.forgive(root(), "a");
        assert_eq!(tallies.set_aside(root(), "a"), None);
        let told = tallies.of(root(), "a");
        assert_eq!((told.calls, told.failures, told.failures_in_a_row, told.last_error), (5, 5, 0, Some(trap)));
    }

    #[test]
    fn an_answer_begins_the_row_anew_and_what_it_cannot_help_does_not_count() {
        let (tallies, trap, config) = (Tallies::default(), error("trap"), error("config_invalid"));
        for _ in 0..4 {
            tallies.count(root(), "a", went(1, Err((&trap, true))));
        }
        tallies.count(root(), "a", went(1, Err((&config, false))));
        assert_eq!((tallies.set_aside(root(), "a"), tallies.of(root(), "a").failures_in_a_row), (None, 4));
        tallies.count(root(), "a", went(1, Ok(2)));
        tallies.count(root(), "a", went(1, Err((&trap, true))));
        let told = tallies.of(root(), "a");
        assert_eq!((told.calls, told.failures, told.failures_in_a_row, told.picks), (7, 6, 1, 2));
        assert_eq!(told.last_error, Some(trap));
    }

    #[test]
    fn a_call_that_was_required_neither_lengthens_nor_ends_a_row() {
        let (tallies, trap) = (Tallies::default(), error("trap"));
        for _ in 0..4 {
            tallies.count(root(), "a", went(1, Err((&trap, true))));
        }
        for outcome in [Err((&trap, true)), Ok(2), Err((&trap, true))] {
            tallies.count(root(), "a", Went { required: true, ..went(1, outcome) });
        }
        let told = tallies.of(root(), "a");
        assert_eq!((told.calls, told.failures, told.failures_in_a_row, told.picks), (7, 6, 4, 2));
        assert_eq!(tallies.set_aside(root(), "a"), None);
    }

    #[test]
    fn times_are_of_the_last_calls() {
        let tallies = Tallies::default();
        assert_eq!(tallies.of(root(), "a"), PluginTally::default());
        for us in 1..=300 {
            tallies.count(root(), "a", went(us, Ok(0)));
        }
        // 45 to 300 are remembered.
        let told = tallies.of(root(), "a");
        assert_eq!((told.p50_us, told.p99_us), (Some(172), Some(298)));
        assert_eq!(percentile(&[], 50), None);
        assert_eq!((percentile(&[7], 50), percentile(&[7], 99)), (Some(7), Some(7)));
    }
}
