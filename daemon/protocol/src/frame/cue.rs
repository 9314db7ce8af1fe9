//! A cue: one word of one source about what an agent is doing, as it passes between shim, daemon and hooks.

use serde::{Deserialize, Serialize};

use crate::activity::{Doing, Source};

/// What a source says about the agent from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cue {
    /// From a client it is always a hook, whatever stands here.
    pub source: Source,
    /// Without it the source takes back what it said.
    pub state: Option<Doing>,
    pub why: Option<String>,
    /// What exactly was seen.
    pub rule: String,
    /// When, RFC 3339; the shim's clock.
    pub at: String,
    /// It holds only until the agent goes on writing: for a source that tells the end of something and no beginning.
    pub fleeting: bool,
}

impl Cue {
    /// Whether it says the same as another one of its source.
    pub fn repeats(&self, other: &Self) -> bool {
        self.state == other.state && self.why == other.why && self.fleeting == other.fleeting
    }
}
