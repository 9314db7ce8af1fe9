//! Runs the assemblers of a project one after the other and gathers what they say.
//!
//! One that fails is skipped and reported; only a `required` one refuses the whole. Labels accumulate: an assembler sees
//! those of all before it. A panic around one call, in our own code, counts as that assembler's failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use pu_protocol::context::{AssemblerError, AssemblerReport, Label};

use super::config::AssemblerConfig;
use super::error::ContextError;
use super::merge::Proposal;
use crate::plugins::{self, Assembly, Task};

/// The chain's own codes, beside those of the plugin host.
const CHAIN_DEADLINE: &str = "chain_deadline";
const INTERNAL: &str = "internal";

/// An assembler that can be asked.
pub(super) trait Assembler {
    fn config(&self) -> &AssemblerConfig;
    /// Asks it, for `time` of a processor at most and until `latest` on the clock.
    fn ask(&self, task: &Task, config_json: &str, time: Duration, latest: Instant) -> Outcome;
}

/// What came of one call.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub version: String,
    pub elapsed: Duration,
    /// Lines for whoever debugs the plugin.
    pub log: Vec<String>,
    pub answer: Result<Answered, AssemblerError>,
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
        Self { version: String::new(), elapsed: Duration::ZERO, log: Vec::new(), answer }
    }
}

/// What all assemblers said.
#[derive(Debug, Default)]
pub(super) struct Chained {
    pub proposals: Vec<Proposal>,
    pub labels: Vec<Label>,
    pub reports: Vec<AssemblerReport>,
}

/// Asks each assembler in turn; all together in `deadline`.
pub(super) fn run<A: Assembler>(assemblers: &[A], task: &Task, deadline: Duration) -> Result<Chained, ContextError> {
    let latest = Instant::now() + deadline;
    let mut task = task.clone();
    let mut chained = Chained::default();
    for assembler in assemblers {
        let config = assembler.config();
        let outcome = match latest.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            Some(left) => ask(assembler, &task, left, latest),
            None => failed(CHAIN_DEADLINE, format!("the assemblers before it took {} ms", deadline.as_millis())),
        };
        if let (true, Err(error)) = (config.required, &outcome.answer) {
            let (code, message) = (error.code.clone(), error.message.clone());
            return Err(ContextError::RequiredAssemblerFailed { name: config.name.clone(), code, message });
        }
        take_in(&mut chained, &mut task, &config.name, outcome);
    }
    Ok(chained)
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

fn take_in(chained: &mut Chained, task: &mut Task, name: &str, outcome: Outcome) {
    let mut report = AssemblerReport {
        name: name.to_owned(),
        version: outcome.version,
        elapsed_us: u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
        log: outcome.log,
        ..AssemblerReport::default()
    };
    match outcome.answer {
        Err(error) => report.error = Some(error),
        Ok(Answered { assembly, dropped }) => {
            report.picks = u32::try_from(assembly.picks.len()).unwrap_or(u32::MAX);
            report.dropped = dropped;
            report.notes = assembly.notes;
            chained.proposals.extend(assembly.picks.into_iter().map(|pick| Proposal {
                assembler: name.to_owned(),
                spec: pick.spec,
                section: pick.section,
                score: pick.score,
                reason: pick.reason,
            }));
            for label in assembly.labels {
                add_label(task, &label);
                let plugins::Label { name: label, confidence } = label;
                chained.labels.push(Label { name: label, confidence, assembler: name.to_owned() });
            }
        }
    }
    chained.reports.push(report);
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

    type Answer = Box<dyn Fn(&Task, &str, Duration) -> Outcome>;

    struct Fake {
        config: AssemblerConfig,
        answer: Answer,
    }

    impl Assembler for Fake {
        fn config(&self) -> &AssemblerConfig {
            &self.config
        }
        fn ask(&self, task: &Task, config_json: &str, time: Duration, _: Instant) -> Outcome {
            (self.answer)(task, config_json, time)
        }
    }

    fn fake(name: &str, answer: impl Fn(&Task, &str, Duration) -> Outcome + 'static) -> Fake {
        Fake { config: AssemblerConfig::plain(name), answer: Box::new(answer) }
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

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn labels_accumulate_and_later_assemblers_see_them() {
        let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
        let record = std::sync::Arc::clone(&seen);
        let chain = [
            fake("one", |_, _, _| labels(&[("fix", 0.4)])),
            fake("two", |_, _, _| labels(&[("fix", 0.9), ("auth", 0.5)])),
            fake("three", move |task, _, _| {
                *record.lock().unwrap() = task.labels.clone();
                labels(&[("fix", 0.1)])
            }),
        ];
        let chained = run(&chain, &Task::default(), SECOND).unwrap();
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
        let chained = run(&chain, &Task::default(), SECOND).unwrap();
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
        let error = run(&[bad], &Task::default(), SECOND).unwrap_err();
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
        run(&[short, long], &Task::default(), SECOND).unwrap();
        let times = times.lock().unwrap();
        assert!(times[0] == Duration::from_millis(40) && times[1] > times[0] && times[1] <= SECOND, "{times:?}");

        let never = [fake("late", |_, _, _| panic!("asked behind the deadline"))];
        let chained = run(&never, &Task::default(), Duration::ZERO).unwrap();
        assert_eq!(chained.reports[0].error.as_ref().unwrap().code, "chain_deadline");
    }
}
