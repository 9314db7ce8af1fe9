//! What an agent is doing, and how that is known.
//!
//! Words and evidence only: which signal is believed is the daemon's business, and no state stands here without the source
//! that says so.

use crate::AgentInfo;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an agent is doing. What nothing tells is `unknown`, and never anything else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// No word from it yet.
    Starting,
    Working,
    /// It waits for somebody: `why` says for what.
    Blocked,
    /// It waits for a task.
    Idle,
    /// It has done what it was told, or it ended with exit code 0.
    Done,
    /// It ended with another exit code, or by a signal that nobody here sent.
    Failed,
    /// It was ended by somebody who asked PurePoint for it.
    Killed,
    /// The machine was restarted under it.
    Lost,
    /// Nothing tells. A word of a later release is read as this one.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Doing {
    /// The word as it stands on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Working => "working",
            Self::Blocked => "blocked",
            Self::Idle => "idle",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Killed => "killed",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        }
    }
}

/// Who says what an agent is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The life of its process: started, ended, and how.
    Life,
    /// The program itself, by a program status (OSC 7501) in its output.
    ProgramStatus,
    /// The program itself, by a command that it runs when something happens.
    Hook,
    /// The title that it gives its terminal, by a rule of its definition.
    Title,
    /// Whether it writes at all: the weakest of them.
    Output,
    /// A source of a later release.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Source {
    /// The word as it stands on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Life => "life",
            Self::ProgramStatus => "program_status",
            Self::Hook => "hook",
            Self::Title => "title",
            Self::Output => "output",
            Self::Unknown => "unknown",
        }
    }
}

/// How far a source can be trusted with what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It was said outright, or seen.
    High,
    /// It was read from something that is meant for people.
    Medium,
    /// It is a guess.
    #[default]
    #[serde(other)]
    Low,
}

impl Confidence {
    /// The word as it stands on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// How it is known what an agent is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Evidence {
    pub source: Source,
    /// What exactly was seen, or by which rule it was read.
    pub rule: String,
    /// Since when it is so, RFC 3339, UTC.
    pub since: String,
    pub confidence: Confidence,
}

/// What an agent is doing, why, and how that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Activity {
    pub state: Doing,
    /// What a blocked agent waits for, as far as it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub evidence: Evidence,
}

/// What one source said last about an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HeardSignal {
    /// Absent where it took back what it had said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Doing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub evidence: Evidence,
    /// Whether this is the one that is believed.
    pub decides: bool,
}

/// Why an agent stands as it does: everything that was heard of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentExplanation {
    pub agent: AgentInfo,
    /// The last word of each source, the strongest source first.
    #[serde(default)]
    pub signals: Vec<HeardSignal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_later_release_are_unknown_and_names_are_those_of_the_wire() {
        let read = |text: &str| serde_json::from_str::<Activity>(text).unwrap();
        let later =
            read(r#"{"state":"dreaming","evidence":{"source":"telepathy","confidence":"total"},"of_next_year":1}"#);
        assert_eq!(later, Activity::default());
        for doing in [Doing::Starting, Doing::Working, Doing::Blocked, Doing::Idle, Doing::Done, Doing::Unknown] {
            assert_eq!(serde_json::to_value(doing).unwrap(), doing.name());
        }
        for source in [Source::Life, Source::ProgramStatus, Source::Hook, Source::Title, Source::Output] {
            assert_eq!(serde_json::to_value(source).unwrap(), source.name());
        }
        for confidence in [Confidence::High, Confidence::Medium, Confidence::Low] {
            assert_eq!(serde_json::to_value(confidence).unwrap(), confidence.name());
        }
    }
}
