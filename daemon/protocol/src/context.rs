//! What context was assembled for a task, and why: the record that `spawn` answers, `context explain` shows and history
//! keeps.
//!
//! Carries no spec's text and decides nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A task as a client describes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TaskDescription {
    pub prompt: String,
    /// Explicit tags; `#tag` and `[ID]` in the prompt count too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Ids or paths of specs that must be in the context.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub specs: Vec<String>,
    /// The agent definition that the context is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Tokens; the configured budget if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<u32>,
}

/// The outcome of one assembly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContextReport {
    /// Tokens of the rendered context, as counted by the tokenizer (o200k).
    pub tokens: u32,
    /// Tokens that were allowed.
    pub budget: u32,
    /// What is in the context, best first.
    pub picks: Vec<Pick>,
    /// Who was asked, in the order of the chain.
    pub assemblers: Vec<AssemblerReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
    /// Everything that was proposed, best first; absent in a spawn's answer, which tells what is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<Candidate>>,
    /// Every rule file, by path, and whether and why it holds for the task; absent in a spawn's answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleReport>,
    /// A digest of the indexed specs: the same task on the same revision gives the same context.
    pub revision: String,
    /// What a person should know: skipped files, missing specs, a context that could not be delivered as asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A spec, or one section of it, that is in the context.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Pick {
    pub spec: String,
    /// Relative to the project root.
    pub path: String,
    /// Absent when the whole spec is in.
    pub section: Option<String>,
    /// 0 to 1.
    pub score: f32,
    /// Who proposed it; `user` for an explicit `--spec`.
    pub assembler: String,
    pub reason: String,
    /// Of its text alone, without what stands around it in the context.
    pub tokens: u32,
    /// `always`, `globs` or `manual` for a hard rule: one that is to be there whatever the task's words, and is not ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A proposal, whether or not it made it into the context.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Candidate {
    #[serde(flatten)]
    pub pick: Pick,
    pub title: String,
    pub included: bool,
    /// Why it is not in, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// What became of one rule file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleReport {
    pub spec: String,
    /// Relative to the project root.
    pub path: String,
    /// The tool that it is for, such as `cursor`.
    pub kind: String,
    /// `always`, `globs`, `model` or `manual`.
    pub mode: String,
    pub outcome: RuleOutcome,
    /// Why, for people.
    pub detail: String,
}

/// Whether a rule file is in a context, or why it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleOutcome {
    /// It is in.
    Included,
    /// It was proposed and left out: no room, or a score under the threshold.
    LeftOut,
    /// Its patterns fit none of the files that the task mentions or that are changed.
    NoFileFits,
    /// It is read only where somebody names it, and the task does not.
    NotNamed,
    /// It is read where its description fits the task, and no assembler found that it does.
    NotRanked,
    /// The task's agent loads it by itself.
    Native,
    /// A mistake in it keeps it from ever firing.
    Broken,
    /// It holds for the task and no assembler proposed it: the one that does (`tags`) is switched off or failed.
    #[default]
    NotProposed,
}

/// One assembler's part in an assembly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AssemblerReport {
    pub name: String,
    pub version: String,
    /// Microseconds.
    pub elapsed_us: u64,
    /// Why it was skipped, if it was.
    pub error: Option<AssemblerError>,
    /// How many of its proposals passed the host's checks.
    pub picks: u32,
    /// What of its answer was dropped, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// What it had to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What it logged, as `level: message`, for whoever debugs it; only in `context_explain`'s answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssemblerError {
    /// Such as `deadline`, `memory_limit`, `trap`, `wasi_import`; the whole list is in `specs/plugins.md`.
    pub code: String,
    pub message: String,
}

/// What kind of task an assembler takes this for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    pub name: String,
    /// 0 to 1.
    pub confidence: f32,
    pub assembler: String,
}
