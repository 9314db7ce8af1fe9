//! What of a project can act, and what of that its user allowed: the words of `pu trust`.
//!
//! A part is told with its digest and with all that can be shown of it; what allows it is the digest of all of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What of a project can act, what of that its user allowed, and what changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrustReport {
    pub root: PathBuf,
    pub name: String,
    pub state: TrustState,
    /// Of all parts together: what `trust` takes, so that it allows what was shown and nothing else.
    pub digest: String,
    pub parts: Vec<TrustPart>,
    /// Parts that were allowed and are not there any more; they are not asked for again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// Where the specs lie that agents would be given, by path; edits of specs ask for nothing.
    pub sources: Vec<SpecSource>,
    /// What could not be looked at, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// When it was trusted, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_at: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrustState {
    /// Nobody allowed it anything.
    #[default]
    Known,
    /// All that can act was allowed.
    Trusted,
    /// It is trusted, and something that can act is another thing than was allowed: nothing of it acts.
    Changed,
}

impl TrustState {
    /// The word, as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Trusted => "trusted",
            Self::Changed => "changed",
        }
    }
}

/// One thing of a project that can act.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrustPart {
    pub kind: TrustKind,
    /// An agent's name, an assembler's; of a file its path.
    pub name: String,
    /// The file that says so, relative to the project root.
    pub file: String,
    /// What it says, as far as there is room for it: a command with its arguments, what is granted.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// SHA-256 of the file or, of a part of the configuration, of what that says, in hexadecimal; another word where the file
    /// cannot be read.
    pub digest: String,
    pub state: PartState,
}

/// What can act.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrustKind {
    /// An agent definition: a program with its arguments and its environment.
    #[default]
    Agent,
    /// Which agent is started where none is named.
    DefaultAgent,
    /// The file of an agent definition.
    AgentFile,
    /// A plugin's file.
    Plugin,
    /// Which plugin an assembler of the chain runs, and what it is granted.
    Assembler,
    /// What is granted to an assembler by its name.
    Grant,
    /// Which plugins are pinned.
    Lock,
}

/// How a part stands to what was allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// It was not there.
    #[default]
    New,
    /// It was something else.
    Changed,
    /// It is what was allowed.
    Allowed,
}

/// A folder of specs, or a file that is one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecSource {
    /// Relative to the project root; a folder ends in `/`.
    pub path: String,
    pub specs: u32,
}
