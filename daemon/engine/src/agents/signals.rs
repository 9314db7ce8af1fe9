//! What a definition says of the signals that its program gives: how hooks are handed to it, how its titles are read.
//!
//! Pure data. Hearing the signals is the shim's business, believing them that of `activity`.

use super::template::Template;
use pu_protocol::Doing;
use pu_record::launch::TitleRule;
use serde::{Deserialize, Serialize};

/// The `signals` of a definition, as written and as meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signals {
    /// Arguments that make the program run `"$PU_HOOK" _hook …` when something happens.
    pub args: Vec<Template>,
    /// Arguments of the user's with which those are left out.
    pub args_unless: Vec<String>,
    /// Rules by which its terminal's title says what it is doing: the first that fits counts.
    pub titles: Vec<TitleSign>,
    /// After how long without output it counts as idle. Only for a program that tells nothing better.
    pub quiet_ms: Option<u64>,
}

/// A rule for titles.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TitleSign {
    pub state: Word,
    /// The title begins with one of these characters; with any if there are none.
    #[serde(default)]
    pub first: String,
    /// And has this in it.
    #[serde(default)]
    pub contains: String,
}

/// What a rule can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Working,
    Blocked,
    Idle,
    Done,
    /// The title means more than one thing.
    Unknown,
}

impl From<&TitleSign> for TitleRule {
    fn from(sign: &TitleSign) -> Self {
        let state = match sign.state {
            Word::Working => Doing::Working,
            Word::Blocked => Doing::Blocked,
            Word::Idle => Doing::Idle,
            Word::Done => Doing::Done,
            Word::Unknown => Doing::Unknown,
        };
        Self { state, first: sign.first.clone(), contains: sign.contains.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Definitions;

    /// Titles as they were seen, of claude 2.1.330, codex 0.169.0 and gemini 0.61.0.
    #[test]
    fn the_titles_of_known_agents_say_what_they_said_when_they_were_seen() {
        let definitions = Definitions::built_in().unwrap();
        let said = |agent: &str, title: &str| {
            let rules = &definitions.get(agent).unwrap().signals.titles;
            let rules: Vec<TitleRule> = rules.iter().map(Into::into).collect();
            rules.into_iter().find(|rule| rule.fits(title)).map(|rule| rule.state)
        };
        let table = [
            ("claude", "◐ Claude Code", Some(Doing::Working)),
            ("claude", "◑ Claude Code", Some(Doing::Working)),
            // The same while it waits for a permission and while it waits for a task.
            ("claude", "✳ Claude Code", Some(Doing::Unknown)),
            ("claude", "Claude Code", None),
            ("codex", "⠋ repo", Some(Doing::Working)),
            ("codex", "[ ! ] Action Required | repo", Some(Doing::Blocked)),
            ("codex", "[ . ] Action Required | repo", Some(Doing::Blocked)),
            ("codex", "repo", Some(Doing::Idle)),
            ("gemini", "✦  Working… (repo)", Some(Doing::Working)),
            ("gemini", "✋  Action Required (repo)", Some(Doing::Blocked)),
            ("gemini", "◇  Ready (repo)", Some(Doing::Idle)),
            ("opencode", "a session", None),
        ];
        for (agent, title, expected) in table {
            assert_eq!(said(agent, title), expected, "{agent}: {title}");
        }
    }

    #[test]
    fn no_built_in_agent_takes_silence_for_idleness() {
        let definitions = Definitions::built_in().unwrap();
        for name in definitions.names() {
            assert_eq!(definitions.get(name).unwrap().signals.quiet_ms, None, "{name}");
        }
    }
}
