//! Which points an act passes, found out by tracing it: so no list has to be kept, and a new step is failed as soon as it
//! has a point.

use crate::stage::Stage;
use e2e::wait_until;
use std::collections::HashMap;
use std::fmt;

/// The N-th time that a program comes to a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visit {
    pub(crate) program: String,
    pub(crate) point: String,
    pub(crate) number: u32,
    /// Something comes next that can fail; else it is a moment at which the program can only die.
    pub(crate) is_step: bool,
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}@{}", self.program, self.point, self.number)
    }
}

impl Visit {
    /// The rule by which `action` happens there and then, and nowhere else.
    pub(crate) fn rule(&self, action: &str) -> String {
        format!("{}@{}={action}", self.point, self.number)
    }

    pub(crate) fn is_of_daemon(&self) -> bool {
        self.program == "pu-engine"
    }

    /// Of the points that output passes again and again, the first time stands for all.
    pub(crate) fn is_worth_it(&self) -> bool {
        self.number == 1 || !self.point.ends_with(":spool")
    }

    /// A step or moment of what is done, rather than of a file that is written.
    pub(crate) fn is_named(&self) -> bool {
        !self.point.contains(':') && self.point != "create-folder"
    }
}

impl Stage<'_> {
    /// What is passed by `act`, under a daemon that was started for it. How often the daemon came somewhere before is
    /// counted.
    #[track_caller]
    pub(crate) fn visits(&self, act: impl FnOnce()) -> Vec<Visit> {
        let _ = std::fs::remove_file(&self.trace);
        self.arm("");
        let before = self.traced().len();
        act();
        let all = self.traced();
        assert!(all.len() > before, "nothing was passed: have the programs fault points? See the Makefile's `test`");
        all[before..].to_vec()
    }

    /// What is passed while a daemon starts.
    #[track_caller]
    pub(crate) fn visits_of_start(&self) -> Vec<Visit> {
        let _ = std::fs::remove_file(&self.trace);
        self.arm("");
        let all = self.traced();
        let served = all.iter().position(|visit| visit.point == "daemon.serve");
        all[..=served.expect("it serves, and has fault points")].to_vec()
    }

    /// Everything that armed programs have passed since the trace was begun anew.
    pub(crate) fn traced(&self) -> Vec<Visit> {
        let text = std::fs::read_to_string(&self.trace).unwrap_or_default();
        let mut times: HashMap<(String, String), u32> = HashMap::new();
        let mut visits = Vec::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [program, kind, point, ..] = words[..] else { continue };
            let number = times.entry((program.into(), point.into())).or_default();
            *number += 1;
            visits.push(Visit {
                program: program.into(),
                point: point.into(),
                number: *number,
                is_step: kind == "step",
            });
        }
        visits
    }

    /// Whether a rule has acted since the trace was begun anew.
    pub(crate) fn fired(&self) -> bool {
        std::fs::read_to_string(&self.trace).unwrap_or_default().lines().any(|line| line.ends_with(" fired"))
    }

    /// Waits until the rule for a visit has acted: what nobody waits for may come after the answer.
    #[track_caller]
    pub(crate) fn was_passed(&self, visit: &Visit) {
        wait_until(&format!("{visit} is passed"), || self.fired().then_some(()));
    }

    /// Begins the trace anew.
    pub(crate) fn forget_trace(&self) {
        let _ = std::fs::remove_file(&self.trace);
    }
}
