//! What an agent is doing: in a word, in a sentence, and with everything that tells so.

use super::agents::ending;
use super::{View, state};
use crate::text::{brief, printable};
use pu_protocol::activity::{AgentExplanation, HeardSignal};
use pu_protocol::{Activity, AgentInfo, AgentState, Confidence, Doing, Source};

const WHY_MAX: usize = 60;

/// How an agent stands: what it is doing while it runs, as far as that is known, else where it stands in its life. A guess
/// has a question mark.
pub(crate) fn standing(agent: &AgentInfo) -> String {
    match (&agent.state, agent.activity.state) {
        (AgentState::Running { .. }, Doing::Unknown) => state(&agent.state),
        (AgentState::Running { .. }, _) => doing(&agent.activity),
        _ => state(&agent.state),
    }
}

/// What it is doing, and why: `blocked: approve Bash`.
fn doing(activity: &Activity) -> String {
    let guess = if activity.evidence.confidence == Confidence::Low { "?" } else { "" };
    let why = activity.why.as_ref().map(|why| format!(": {}", brief(why, WHY_MAX)));
    format!("{}{guess}{}", activity.state.name(), why.unwrap_or_default())
}

/// One agent in a sentence: `fix-auth is blocked: approve Bash`, `docs exited 0, 3m ago`.
pub(crate) fn sentence(agent: &AgentInfo, view: &View) -> String {
    if !agent.state.is_live() {
        return ending(agent, view);
    }
    format!("{} is {}", printable(&agent.name), standing(agent))
}

pub(crate) fn explanation(explanation: &AgentExplanation, view: &View) -> String {
    let AgentExplanation { agent, signals } = explanation;
    let evidence = &agent.activity.evidence;
    let mut out = view.style.bold(&sentence(agent, view));
    out.push_str(&format!(
        "\nwhat it is doing: {}, since {}, by {} ({} confidence): {}",
        agent.activity.state.name(),
        view.age(&evidence.since),
        in_words(evidence.source),
        evidence.confidence.name(),
        printable(&evidence.rule),
    ));
    if signals.is_empty() {
        out.push_str("\nno signal of its has been heard");
    } else {
        let headings = ["", "SOURCE", "SAYS", "SINCE", "CONFIDENCE", "RULE"];
        out.push_str(&format!("\n\n{}", view.table(headings, signals.iter().map(|signal| row(signal, view)))));
    }
    out
}

fn row(signal: &HeardSignal, view: &View) -> [String; 6] {
    let evidence = &signal.evidence;
    let says = signal.state.map_or("nothing any more", Doing::name);
    let why = signal.why.as_ref().map(|why| format!(": {}", brief(why, WHY_MAX)));
    [
        if signal.decides { "*" } else { "" }.to_owned(),
        in_words(evidence.source).to_owned(),
        format!("{says}{}", why.unwrap_or_default()),
        view.age(&evidence.since),
        evidence.confidence.name().to_owned(),
        evidence.rule.clone(),
    ]
}

fn in_words(source: Source) -> &'static str {
    match source {
        Source::Life => "its life",
        Source::ProgramStatus => "program status",
        Source::Hook => "hook",
        Source::Title => "title",
        Source::Output => "output",
        Source::Unknown => "a newer source",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{agent, ended};
    use crate::render::tests::view;
    use pu_protocol::Evidence;

    fn activity(state: Doing, source: Source, confidence: Confidence, why: Option<&str>) -> Activity {
        let (rule, since) = ("OSC 7501: state=\u{1b}".to_owned(), "2026-01-02T03:05:05Z".to_owned());
        Activity { state, why: why.map(str::to_owned), evidence: Evidence { source, rule, since, confidence } }
    }

    fn running(activity: Activity) -> AgentInfo {
        AgentInfo { activity, ..agent("aaaa1111", "fix-auth", AgentState::Running { pid: 7 }) }
    }

    #[test]
    fn what_is_not_known_is_not_said_and_a_guess_is_marked() {
        let blocked = activity(Doing::Blocked, Source::Hook, Confidence::High, Some("Bash: rm\x1b[2J"));
        let cases = [
            (running(Activity::default()), "running"),
            (running(activity(Doing::Working, Source::Hook, Confidence::High, None)), "working"),
            (running(activity(Doing::Idle, Source::Output, Confidence::Low, None)), "idle?"),
            (running(activity(Doing::Unknown, Source::Title, Confidence::Medium, None)), "running"),
            (running(blocked.clone()), "blocked: Bash: rm\\u{1b}[2J"),
            (AgentInfo { activity: blocked, ..agent("b", "docs", ended(Some(3), None)) }, "exited 3"),
        ];
        for (agent, expected) in cases {
            assert_eq!(standing(&agent), expected);
        }
    }

    #[test]
    fn an_explanation_shows_who_is_believed_and_who_is_not() {
        let believed = activity(Doing::Blocked, Source::ProgramStatus, Confidence::High, Some("permission"));
        let signal = |state, source, confidence, decides| HeardSignal {
            state,
            why: None,
            evidence: activity(Doing::Done, source, confidence, None).evidence,
            decides,
        };
        let signals = vec![
            signal(Some(Doing::Blocked), Source::ProgramStatus, Confidence::High, true),
            signal(None, Source::Title, Confidence::Medium, false),
        ];
        let text = explanation(&AgentExplanation { agent: running(believed), signals }, &view());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "fix-auth is blocked: permission");
        assert_eq!(
            lines[1],
            "what it is doing: blocked, since 1m, by program status (high confidence): OSC 7501: state=\\u{1b}"
        );
        assert!(lines[3].contains("SOURCE") && lines[4].starts_with('*'), "{text}");
        assert!(lines[4].contains("program status") && lines[5].contains("nothing any more"), "{text}");
        let silent = AgentExplanation { agent: running(Activity::default()), signals: vec![] };
        assert!(explanation(&silent, &view()).ends_with("no signal of its has been heard"));
    }
}
