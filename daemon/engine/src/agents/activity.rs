//! What an agent is doing: the life of its process and the last word of each source → one state with its evidence.
//!
//! Pure. One source is believed at a time: the strongest that has a word. A weaker one never overrules it, however new its
//! word is, and where none has a word the state is `unknown`. Who hears the sources is the shim's business.
//!
//! Invariant: no state but `unknown` is given without a source that says it.

use pu_protocol::activity::HeardSignal;
use pu_protocol::frame::Cue;
use pu_protocol::{Activity, AgentState, Confidence, Doing, Evidence, Source};

/// The sources that may speak of a live agent, the strongest first.
const STRENGTH: [Source; 4] = [Source::ProgramStatus, Source::Hook, Source::Title, Source::Output];

/// How far each source can be trusted.
fn confidence(source: Source) -> Confidence {
    match source {
        Source::Life | Source::ProgramStatus | Source::Hook => Confidence::High,
        Source::Title => Confidence::Medium,
        Source::Output | Source::Unknown => Confidence::Low,
    }
}

/// The last word of each source about one agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Invariant: one of each source at most, and only of those in `STRENGTH`.
    last: Vec<Cue>,
}

impl Heard {
    /// Takes in a word. One of a source that this release does not know is passed over.
    pub(super) fn take(&mut self, cue: Cue) {
        if STRENGTH.contains(&cue.source) {
            self.last.retain(|last| last.source != cue.source);
            self.last.push(cue);
        }
    }

    /// What a live and reachable agent is doing, as the strongest source that has a word says.
    fn authority(&self) -> Option<(&Cue, Doing)> {
        let of = |source: &Source| self.last.iter().find(|cue| cue.source == *source);
        STRENGTH.iter().filter_map(of).find_map(|cue| Some((cue, cue.state?)))
    }

    /// The last words as they are shown, the strongest source first; `activity` says which one is believed.
    pub fn signals(&self, activity: &Activity) -> Vec<HeardSignal> {
        let of = |source: &Source| self.last.iter().find(|cue| cue.source == *source);
        let shown = |cue: &Cue| HeardSignal {
            state: cue.state,
            why: cue.why.clone(),
            evidence: evidence(cue),
            decides: activity.evidence.source == cue.source,
        };
        STRENGTH.iter().filter_map(of).map(shown).collect()
    }
}

fn evidence(cue: &Cue) -> Evidence {
    let Cue { source, rule, at, .. } = cue;
    Evidence { source: *source, rule: rule.clone(), since: at.clone(), confidence: confidence(*source) }
}

/// What an agent is doing, given where it stands in its life. `now` dates what only the life tells; what goes on as it was
/// `before` keeps its date.
pub(super) fn activity(life: &AgentState, heard: &Heard, before: &Activity, now: &str) -> Activity {
    let by_life = |state: Doing, rule: &str, why: Option<&str>| {
        let since = life.exit().map_or(now, |exit| exit.ended_at.as_str()).to_owned();
        let confidence = if state == Doing::Unknown { Confidence::Low } else { confidence(Source::Life) };
        let evidence = Evidence { source: Source::Life, rule: rule.to_owned(), since, confidence };
        Activity { state, why: why.map(str::to_owned), evidence }
    };
    let next = match life {
        AgentState::Starting => by_life(Doing::Starting, "no word from it yet", None),
        AgentState::Running { .. } => match heard.authority() {
            Some((cue, state)) => Activity { state, why: cue.why.clone(), evidence: evidence(cue) },
            None => by_life(Doing::Unknown, "it runs, and nothing tells what it is doing", None),
        },
        AgentState::LinkLost { reason, .. } => by_life(Doing::Unknown, "its shim cannot be asked", Some(reason)),
        AgentState::Exited { exit } if exit.code == Some(0) => by_life(Doing::Done, "it ended with exit code 0", None),
        AgentState::Exited { exit } => match (&exit.signal, exit.code) {
            (Some(signal), _) => by_life(Doing::Failed, &format!("it ended by {signal}"), None),
            (None, code) => {
                let code = code.map_or_else(String::new, |code| format!(" {code}"));
                by_life(Doing::Failed, &format!("it ended with exit code{code}"), None)
            }
        },
        AgentState::Killed { .. } => by_life(Doing::Killed, "it was ended by request", None),
        AgentState::ExitUnknown { reason } => by_life(Doing::Unknown, "it is gone", Some(reason)),
        AgentState::Lost { reason } => by_life(Doing::Lost, "it did not end by itself", Some(reason)),
    };
    let same = next.state == before.state && next.why == before.why && next.evidence.source == before.evidence.source;
    if same { before.clone() } else { next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::Exit;

    const NOW: &str = "2026-01-01T00:00:09.000Z";

    fn cue(source: Source, state: Option<Doing>) -> Cue {
        Cue { source, state, rule: "r".into(), at: "2026-01-01T00:00:01.000Z".into(), ..Cue::default() }
    }

    fn heard(cues: &[(Source, Option<Doing>)]) -> Heard {
        let mut heard = Heard::default();
        cues.iter().for_each(|(source, state)| heard.take(cue(*source, *state)));
        heard
    }

    fn exited(code: Option<i32>, signal: Option<&str>) -> AgentState {
        let (signal, ended_at) = (signal.map(str::to_owned), "2026-01-01T00:00:05Z".to_owned());
        AgentState::Exited { exit: Exit { code, signal, ended_at, left_running: vec![] } }
    }

    #[test]
    fn of_a_live_agent_the_strongest_source_that_has_a_word_is_believed() {
        use Doing::{Blocked, Done, Idle, Unknown, Working};
        use Source::{Hook, Life, Output, ProgramStatus, Title};
        type Case<'a> = (&'a [(Source, Option<Doing>)], Doing, Source);
        let cases: &[Case<'_>] = &[
            (&[], Unknown, Life),
            (&[(Output, Some(Idle))], Idle, Output),
            (&[(Output, Some(Idle)), (Title, Some(Working))], Working, Title),
            (&[(Title, Some(Working)), (Hook, Some(Done))], Done, Hook),
            // However new a weaker word is.
            (&[(ProgramStatus, Some(Blocked)), (Hook, Some(Done)), (Output, Some(Working))], Blocked, ProgramStatus),
            // A title that cannot tell is not asked over the head of a weaker source.
            (&[(Title, Some(Unknown)), (Output, Some(Idle))], Unknown, Title),
            // What was taken back says nothing.
            (&[(ProgramStatus, Some(Working)), (Title, Some(Idle)), (ProgramStatus, None)], Idle, Title),
            (&[(ProgramStatus, None)], Unknown, Life),
            (&[(ProgramStatus, None), (ProgramStatus, Some(Idle))], Idle, ProgramStatus),
            // Nobody but the daemon speaks for the life, and a source of a later release is passed over.
            (&[(Life, Some(Done)), (Source::Unknown, Some(Done))], Unknown, Life),
        ];
        for (said, state, source) in cases {
            let found = activity(&AgentState::Running { pid: 7 }, &heard(said), &Activity::default(), NOW);
            assert_eq!((found.state, found.evidence.source), (*state, *source), "{said:?}");
        }
    }

    #[test]
    fn where_its_process_does_not_run_only_the_life_tells() {
        let said = heard(&[(Source::ProgramStatus, Some(Doing::Idle))]);
        let cases = [
            (AgentState::Starting, Doing::Starting, None),
            (AgentState::LinkLost { pid: 7, reason: "gone".into() }, Doing::Unknown, Some("gone")),
            (exited(Some(0), None), Doing::Done, None),
            (exited(Some(3), None), Doing::Failed, None),
            (exited(None, Some("SIGSEGV")), Doing::Failed, None),
            (AgentState::Killed { exit: exited(Some(0), None).exit().unwrap().clone() }, Doing::Killed, None),
            (AgentState::ExitUnknown { reason: "gone".into() }, Doing::Unknown, Some("gone")),
            (AgentState::Lost { reason: "reboot".into() }, Doing::Lost, Some("reboot")),
        ];
        for (life, state, why) in cases {
            let found = activity(&life, &said, &Activity::default(), NOW);
            assert_eq!(
                (found.state, found.why.as_deref(), found.evidence.source),
                (state, why, Source::Life),
                "{life:?}"
            );
            let since = if life.exit().is_some() { "2026-01-01T00:00:05Z" } else { NOW };
            assert_eq!(found.evidence.since, since, "{life:?}");
            assert_eq!(found.evidence.confidence == Confidence::Low, state == Doing::Unknown, "{life:?}");
        }
        let signalled = activity(&exited(None, Some("SIGSEGV")), &said, &Activity::default(), NOW);
        assert_eq!(signalled.evidence.rule, "it ended by SIGSEGV");
    }

    #[test]
    fn what_goes_on_keeps_its_date() {
        let (running, nothing) = (AgentState::Running { pid: 7 }, Heard::default());
        let first = activity(&running, &nothing, &Activity::default(), "2026-01-01T00:00:00.000Z");
        assert_eq!(activity(&running, &nothing, &first, NOW), first);
        let working = activity(&running, &heard(&[(Source::Hook, Some(Doing::Working))]), &first, NOW);
        assert_eq!(working.evidence.since, "2026-01-01T00:00:01.000Z");
        assert_ne!(activity(&running, &nothing, &working, NOW), first, "unknown anew");
    }

    #[test]
    fn the_last_words_are_shown_with_the_one_that_is_believed() {
        let said =
            heard(&[(Source::Output, Some(Doing::Working)), (Source::Hook, Some(Doing::Done)), (Source::Title, None)]);
        let shown = said.signals(&activity(&AgentState::Running { pid: 7 }, &said, &Activity::default(), NOW));
        let shown: Vec<_> = shown.iter().map(|one| (one.evidence.source, one.state, one.decides)).collect();
        assert_eq!(
            shown,
            [
                (Source::Hook, Some(Doing::Done), true),
                (Source::Title, None, false),
                (Source::Output, Some(Doing::Working), false)
            ]
        );
    }
}
