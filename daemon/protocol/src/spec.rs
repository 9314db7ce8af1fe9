//! What a project's specs are, which of them answer a text, and what is wrong with them: the `spec_…` requests' answers.
//!
//! Bare words: whoever answers has looked and judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A spec of a project, without its text. What is very long in it is cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecInfo {
    pub id: String,
    /// Relative to the project root.
    pub path: String,
    pub title: String,
    /// `spec`, or of a rule file the tool that it is for: `agents`, `claude`, `cline`, `copilot`, `cursor`, `kiro`, `skill`,
    /// `windsurf`.
    pub kind: String,
    /// `markdown`, `mdx`, `restructuredtext`, `asciidoc`, `mediawiki` or `text`.
    pub format: String,
    /// Of the whole file.
    pub tokens: u32,
    /// How many there are.
    pub sections: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Ids that it defines, such as `DAEMON-006`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// When it is meant to be read, of a rule file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<SpecRule>,
    /// Agents that load it by themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub native: Vec<String>,
    /// What is wrong with the file, though it is indexed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What a rule file says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecRule {
    /// `always`, `globs`, `model` (by its description) or `manual`.
    pub mode: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub globs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The folder that a nested one is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// All about one spec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecDetail {
    pub spec: SpecInfo,
    pub bytes: u64,
    /// SHA-256 of the file.
    pub revision: String,
    /// What else stands in its front matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<SpecAttribute>,
    /// In the order of the file.
    pub sections: Vec<SpecSection>,
    /// So many more sections are not listed: the answer has no room for them.
    pub more_sections: u32,
    /// The section that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Its text, or that of the whole spec without its front matter, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The text goes on.
    pub text_cut: bool,
}

/// One value of a front matter; a list is its key again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecAttribute {
    pub key: String,
    pub value: String,
}

/// A heading with the text up to the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecSection {
    /// Names it in requests and answers.
    pub id: String,
    /// Empty for what stands before the first heading.
    pub heading: String,
    /// 1 for the outermost.
    pub level: u8,
    pub tokens: u32,
    /// Where it begins, from 1; absent where the file is not as it was indexed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// A spec that answers a search.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecMatch {
    pub spec: String,
    /// Relative to the project root.
    pub path: String,
    pub title: String,
    pub tokens: u32,
    /// 0 to 1; from 0.9 on the text names the spec by an id.
    pub score: f32,
    /// The words of the text that it has.
    pub matched: Vec<String>,
    /// What each field contributed, in the units of BM25.
    pub fields: Vec<FieldScore>,
    /// Its best sections, the best first.
    pub sections: Vec<SectionScore>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FieldScore {
    pub field: String,
    pub score: f32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SectionScore {
    pub section: String,
    /// 0 to 1.
    pub score: f32,
}

/// One thing that `spec_lint` found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpecFinding {
    pub severity: SpecSeverity,
    /// Such as `dead_link`: never renamed, never used again; the whole list is in `specs/spec-files.md`.
    pub code: String,
    /// Relative to the project root.
    pub path: String,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpecSeverity {
    /// Worth knowing; nothing is wrong.
    #[default]
    Note,
    /// It works in part, or probably not as it was meant.
    Warning,
    /// It does not do what its author wrote it for.
    Error,
}
