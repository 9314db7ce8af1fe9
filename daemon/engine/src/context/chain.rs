//! Runs the assemblers of a project and gathers what they say.
//!
//! One that reads labels waits for all before it, and sees theirs; the others run at the same time as their neighbours,
//! and see none. One that fails is skipped and reported; only a `required` one refuses the whole. A panic around one call,
//! in our own code, counts as that assembler's failure.
//!
//! Invariant: what comes out does not depend on who is done first: answers are put together in the chain's order, and what
//! an assembler sees is settled before it is asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pu_protocol::context::{AssemblerError, AssemblerReport, Label};

use super::config::AssemblerConfig;
use super::error::ContextError;
use super::hard_rule::HardRule;
use super::merge::Proposal;
use super::talk::{TALK_MAX, shorten};
use crate::plugins::{self, Assembly, StateChanges, Task};

/// The chain's own codes, beside those of the plugin host.
const CHAIN_DEADLINE: &str = "chain_deadline";
const INTERNAL: &str = "internal";

/// An assembler that can be asked, from any thread.
pub(super) trait Assembler: Sync {
    fn config(&self) -> &AssemblerConfig;
    /// Whether it looks at what those before it found.
    fn reads_labels(&self) -> bool;
    /// Asks it, for `time` of a processor at most and until `latest` on the clock.
    fn ask(&self, task: &Task, config_json: &str, time: Duration, latest: Instant) -> Outcome;
}

/// What came of one call.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub version: String,
    pub elapsed: Duration,
    /// What is to be told of it that it did not say itself.
    pub notes: Vec<String>,
    /// Lines for whoever debugs the plugin.
    pub log: Vec<String>,
    /// What it changed of its state, which nobody has kept yet.
    pub changes: StateChanges,
    pub answer: Result<Answered, AssemblerError>,
}

/// What an assembler's call changed of its state: kept once the task is under way, by whoever starts it.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub assembler: String,
    pub changes: StateChanges,
}

/// An answer that passed the host's checks.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered {
    pub assembly: Assembly,
    /// What of it was dropped, and why.
    pub dropped: Vec<String>,
}

impl Default for Outcome {
    fn default() -> Self {
        let answer = Ok(Answered::default());
        let (notes, log, changes) = (Vec::new(), Vec::new(), StateChanges::default());
        Self { version: String::new(), elapsed: Duration::ZERO, notes, log, changes, answer }
    }
}

/// What all assemblers said.
#[derive(Debug, Default)]
pub(super) struct Chained {
    pub proposals: Vec<Proposal>,
    pub labels: Vec<Label>,
    pub reports: Vec<AssemblerReport>,
    pub changed: Vec<Changed>,
}

/// Asks all assemblers, at most `side_by_side` at the same time; all together in `deadline`.
pub(super) fn run<A: Assembler>(
    assemblers: &[A],
    task: &Task,
    deadline: Duration,
    side_by_side: usize,
) -> Result<Chained, ContextError> {
    let round = Round { latest: Instant::now() + deadline, deadline, side_by_side };
    let unlabelled = Task { labels: Vec::new(), ..task.clone() };
    let mut labelled = task.clone();
    let mut chained = Chained::default();
    // Each batch but the first begins with one that waits for all before it.
    for batch in assemblers.chunk_by(|_, next| !next.reads_labels()) {
        let outcomes = round.ask_all(batch, &unlabelled, &labelled);
        for (assembler, outcome) in batch.iter().zip(outcomes) {
            let config = assembler.config();
            if let (true, Err(error)) = (config.required, &outcome.answer) {
                let (code, message) = (error.code.clone(), error.message.clone());
                return Err(ContextError::RequiredAssemblerFailed { name: config.name.clone(), code, message });
            }
            if let Ok(answered) = &outcome.answer {
                answered.assembly.labels.iter().for_each(|label| add_label(&mut labelled, label));
            }
            chained.take_in(&config.name, outcome);
        }
    }
    Ok(chained)
}

/// What holds for all calls of one run.
#[derive(Clone, Copy)]
struct Round {
    latest: Instant,
    deadline: Duration,
    side_by_side: usize,
}

impl Round {
    /// Asks the assemblers of a batch, of which only the first may read labels; answers in their order. One alone is asked
    /// on this thread.
    fn ask_all<A: Assembler>(&self, batch: &[A], unlabelled: &Task, labelled: &Task) -> Vec<Outcome> {
        let outcomes: Vec<OnceLock<Outcome>> = batch.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let (Some(assembler), Some(outcome)) = (batch.get(at), outcomes.get(at)) else { return };
                let task = if assembler.reads_labels() { labelled } else { unlabelled };
                // Each place is taken once, so that it is free.
                let _ = outcome.set(self.ask(assembler, task));
            }
        };
        thread::scope(|scope| {
            for _ in 1..batch.len().min(self.side_by_side) {
                let helper = thread::Builder::new().name("assembler".to_owned()).spawn_scoped(scope, work);
                if let Err(error) = helper {
                    // This thread then asks them one after the other.
                    tracing::debug!(%error, "no thread for an assembler");
                    break;
                }
            }
            work();
        });
        let missed = || failed(INTERNAL, "it was not asked".into());
        outcomes.into_iter().map(|outcome| outcome.into_inner().unwrap_or_else(missed)).collect()
    }

    fn ask<A: Assembler>(&self, assembler: &A, task: &Task) -> Outcome {
        match self.latest.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            Some(left) => ask(assembler, task, left, self.latest),
            None => failed(CHAIN_DEADLINE, format!("the assemblers before it took {} ms", self.deadline.as_millis())),
        }
    }
}

fn ask<A: Assembler>(assembler: &A, task: &Task, left: Duration, latest: Instant) -> Outcome {
    let config = assembler.config();
    let time = config.deadline_ms.map_or(left, |own| left.min(Duration::from_millis(own)));
    let config_json = match serde_json::to_string(&config.config) {
        Ok(json) => json,
        Err(error) => return failed("config_invalid", format!("its config is no JSON: {error}")),
    };
    let asked = catch_unwind(AssertUnwindSafe(|| assembler.ask(task, &config_json, time, latest)));
    asked.unwrap_or_else(|_| {
        tracing::error!(assembler = config.name, "the plugin host panicked; the assembler is skipped");
        failed(INTERNAL, "PurePoint's plugin host failed; the daemon's log has more".into())
    })
}

fn failed(code: &str, message: String) -> Outcome {
    Outcome { answer: Err(AssemblerError { code: code.into(), message }), ..Outcome::default() }
}

impl Chained {
    /// Adds what came of one call.
    pub(super) fn take_in(&mut self, name: &str, outcome: Outcome) {
        let mut report = AssemblerReport {
            name: name.to_owned(),
            version: outcome.version,
            elapsed_us: u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
            notes: outcome.notes,
            log: outcome.log,
            ..AssemblerReport::default()
        };
        if outcome.answer.is_ok() && !outcome.changes.is_empty() {
            self.changed.push(Changed { assembler: name.to_owned(), changes: outcome.changes });
        }
        match outcome.answer {
            Err(error) => report.error = Some(error),
            Ok(Answered { assembly, dropped }) => {
                report.picks = u32::try_from(assembly.picks.len()).unwrap_or(u32::MAX);
                report.dropped = dropped;
                report.notes.extend(assembly.notes);
                self.proposals.extend(assembly.picks.into_iter().map(|pick| Proposal {
                    rule: HardRule::of(&pick.extra),
                    assembler: name.to_owned(),
                    spec: pick.spec,
                    section: pick.section,
                    score: pick.score,
                    reason: pick.reason,
                }));
                self.labels.extend(assembly.labels.into_iter().map(|label| Label {
                    name: label.name,
                    confidence: label.confidence,
                    assembler: name.to_owned(),
                }));
            }
        }
        shorten(&mut report, TALK_MAX);
        self.reports.push(report);
    }
}

/// The task keeps each label once, with the most confidence that any assembler had.
fn add_label(task: &mut Task, label: &plugins::Label) {
    match task.labels.iter_mut().find(|l| l.name == label.name) {
        Some(known) => known.confidence = known.confidence.max(label.confidence),
        None => task.labels.push(label.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    type Answer = Box<dyn Fn(&Task, &str, Duration) -> Outcome + Send + Sync>;

    struct Fake {
        config: AssemblerConfig,
        reads_labels: bool,
        answer: Answer,
    }

    impl Assembler for Fake {
        fn config(&self) -> &AssemblerConfig {
            &self.config
        }
        fn reads_labels(&self) -> bool {
            self.reads_labels
        }
        fn ask(&self, task: &Task, config_json: &str, time: Duration, _: Instant) -> Outcome {
            (self.answer)(task, config_json, time)
        }
    }

    fn fake(name: &str, answer: impl Fn(&Task, &str, Duration) -> Outcome + Send + Sync + 'static) -> Fake {
        Fake { config: AssemblerConfig::plain(name), reads_labels: false, answer: Box::new(answer) }
    }

    fn reader(name: &str, answer: impl Fn(&Task, &str, Duration) -> Outcome + Send + Sync + 'static) -> Fake {
        Fake { reads_labels: true, ..fake(name, answer) }
    }

    fn labels(names: &[(&str, f32)]) -> Outcome {
        let labels = names.iter().map(|(n, c)| plugins::Label { name: (*n).into(), confidence: *c }).collect();
        let assembly = Assembly { labels, ..Assembly::default() };
        Outcome { answer: Ok(Answered { assembly, dropped: Vec::new() }), ..Outcome::default() }
    }

    fn picks(spec: &str) -> Outcome {
        let pick = plugins::Pick { spec: spec.into(), score: 0.5, reason: "r".into(), ..plugins::Pick::default() };
        let assembly = Assembly { picks: vec![pick], notes: vec!["n".into()], ..Assembly::default() };
        Outcome {
            version: "1".into(),
            answer: Ok(Answered { assembly, dropped: vec!["d".into()] }),
            ..Outcome::default()
        }
    }

    /// For where the deadline is beside the point: no machine is so loaded that it passes.
    const LONG: Duration = Duration::from_secs(60);
    const PLACES: usize = 8;

    #[test]
    fn labels_accumulate_and_later_assemblers_see_them() {
        let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
        let record = std::sync::Arc::clone(&seen);
        let chain = [
            fake("one", |_, _, _| labels(&[("fix", 0.4)])),
            fake("two", |_, _, _| labels(&[("fix", 0.9), ("auth", 0.5)])),
            reader("three", move |task, _, _| {
                *record.lock().unwrap() = task.labels.clone();
                labels(&[("fix", 0.1)])
            }),
        ];
        let chained = run(&chain, &Task::default(), LONG, PLACES).unwrap();
        let label = |name: &str, confidence| plugins::Label { name: name.into(), confidence };
        assert_eq!(*seen.lock().unwrap(), [label("fix", 0.9), label("auth", 0.5)]);
        assert_eq!(chained.labels.len(), 4);
        assert_eq!(chained.labels[3].assembler, "three");
    }

    #[test]
    fn one_that_fails_or_panics_is_skipped_and_reported() {
        let chain = [
            fake("bad", |_, _, _| failed("trap", "unreachable".into())),
            fake("worse", |_, _, _| panic!("in our own code")),
            fake("good", |_, _, _| picks("a")),
        ];
        let chained = run(&chain, &Task::default(), LONG, PLACES).unwrap();
        let codes: Vec<Option<&str>> =
            chained.reports.iter().map(|r| r.error.as_ref().map(|e| e.code.as_str())).collect();
        assert_eq!(codes, [Some("trap"), Some("internal"), None]);
        assert_eq!((chained.proposals.len(), chained.proposals[0].assembler.as_str()), (1, "good"));
        let good = &chained.reports[2];
        assert_eq!(
            (good.picks, good.version.as_str(), &good.notes[0], &good.dropped[0]),
            (1, "1", &"n".to_owned(), &"d".to_owned())
        );
    }

    #[test]
    fn a_required_one_that_fails_refuses_the_whole() {
        let mut bad = fake("ledger", |_, _, _| failed("deadline", "no answer within 50 ms".into()));
        bad.config.required = true;
        let error = run(&[bad], &Task::default(), LONG, PLACES).unwrap_err();
        assert_eq!(error.to_string(), "the required assembler `ledger` failed (deadline): no answer within 50 ms");
    }

    #[test]
    fn each_has_its_own_time_within_the_chain_s_and_behind_it_none_is_asked() {
        let times = std::sync::Arc::new(Mutex::new(Vec::new()));
        let (first, second) = (std::sync::Arc::clone(&times), std::sync::Arc::clone(&times));
        let mut short = fake("short", move |_, config, time| {
            first.lock().unwrap().push(time);
            assert_eq!(config, r#"{"k":1}"#);
            picks("a")
        });
        short.config.deadline_ms = Some(40);
        short.config.config.insert("k".into(), toml::Value::Integer(1));
        let long = fake("long", move |_, _, time| {
            second.lock().unwrap().push(time);
            picks("b")
        });
        // One after the other: which of two neighbours is asked first is not settled.
        run(&[short, long], &Task::default(), LONG, 1).unwrap();
        let times = times.lock().unwrap();
        assert!(times[0] == Duration::from_millis(40) && times[1] > times[0] && times[1] <= LONG, "{times:?}");

        let never = [fake("late", |_, _, _| panic!("asked behind the deadline"))];
        let chained = run(&never, &Task::default(), Duration::ZERO, PLACES).unwrap();
        assert_eq!(chained.reports[0].error.as_ref().unwrap().code, "chain_deadline");
    }

    #[test]
    fn those_that_read_no_labels_run_at_the_same_time_and_are_told_in_the_chain_s_order() {
        let both = std::sync::Arc::new(std::sync::Barrier::new(2));
        let (one, two) = (std::sync::Arc::clone(&both), both);
        // The second is done first: it passes the barrier and the first still waits for its answer.
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let (done, wait) = (Mutex::new(done), Mutex::new(wait));
        let chain = [
            fake("one", move |_, _, _| {
                one.wait();
                wait.lock().unwrap().recv().unwrap();
                picks("a")
            }),
            fake("two", move |_, _, _| {
                two.wait();
                done.lock().unwrap().send(()).unwrap();
                picks("b")
            }),
        ];
        let chained = run(&chain, &Task::default(), LONG, PLACES).unwrap();
        assert_eq!(chained.reports.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(chained.proposals.iter().map(|p| p.spec.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn one_that_does_not_read_labels_never_sees_any() {
        let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
        let record = |name: &'static str| {
            let seen = std::sync::Arc::clone(&seen);
            move |task: &Task, _: &str, _: Duration| {
                seen.lock().unwrap().push((name, task.labels.len()));
                labels(&[(name, 0.5)])
            }
        };
        let chain =
            [fake("a", record("a")), reader("b", record("b")), fake("c", record("c")), reader("d", record("d"))];
        for places in [1, PLACES] {
            seen.lock().unwrap().clear();
            let chained = run(&chain, &Task::default(), LONG, places).unwrap();
            let mut seen = seen.lock().unwrap().clone();
            seen.sort_unstable();
            assert_eq!(seen, [("a", 0), ("b", 1), ("c", 0), ("d", 3)]);
            let order: Vec<&str> = chained.labels.iter().map(|l| l.name.as_str()).collect();
            assert_eq!(order, ["a", "b", "c", "d"]);
        }
    }

    #[test]
    fn one_alone_is_asked_on_the_calling_thread() {
        let here = thread::current().id();
        let alone = fake("alone", move |_, _, _| {
            assert_eq!(thread::current().id(), here);
            picks("a")
        });
        assert_eq!(run(&[alone], &Task::default(), LONG, PLACES).unwrap().proposals.len(), 1);
    }
}
