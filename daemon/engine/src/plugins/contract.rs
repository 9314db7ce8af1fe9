//! The contract's shapes as the daemon's own plain types, whichever version of the contract a plugin speaks, and the
//! trait behind which the project's specs stand. `plugin-sdk/wit/context.wit` says what each field means.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One named value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attr {
    pub key: String,
    pub value: String,
}

/// What kind of task this is, with a confidence from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Label {
    pub name: String,
    pub confidence: f32,
}

/// A file that differs between the task's branch and its base.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFile {
    pub path: String,
    pub status: String,
}

/// What the agent is asked to do. Holds no absolute path, no time, nothing that differs from machine to machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Task {
    pub id: String,
    pub prompt: String,
    pub tags: Vec<String>,
    pub agent: String,
    pub template: Option<String>,
    pub branch: Option<String>,
    pub mentioned_files: Vec<String>,
    pub changed_files: Vec<ChangedFile>,
    pub languages: Vec<String>,
    pub labels: Vec<Label>,
    pub extra: Vec<Attr>,
}

/// All about a spec but its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecMeta {
    pub id: String,
    pub path: String,
    pub title: String,
    pub tags: Vec<String>,
    pub revision: String,
    pub tokens: u32,
    pub extra: Vec<Attr>,
}

/// One search result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hit {
    pub spec: SpecMeta,
    pub section: Option<String>,
    pub score: f32,
    pub extra: Vec<Attr>,
}

/// A spec, or one section of it, that a plugin proposes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pick {
    pub spec: String,
    pub section: Option<String>,
    pub score: f32,
    pub reason: String,
    pub extra: Vec<Attr>,
}

/// A plugin's answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assembly {
    pub labels: Vec<Label>,
    pub picks: Vec<Pick>,
    pub notes: Vec<String>,
}

/// How much a match in one field counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldWeight {
    /// `path`, `title`, `ids`, `headings`, `tags`, `body` or `code`.
    pub field: String,
    pub weight: f32,
}

/// What a plugin searches for. `limit`, the text's length and the weights are within the contract's bounds already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub text: String,
    /// Empty: all fields with the index's own weights.
    pub fields: Vec<FieldWeight>,
    pub limit: u32,
    pub extra: Vec<Attr>,
}

/// Which page of which specs. `limit` is within the contract's bounds already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub cursor: Option<String>,
    pub limit: u32,
    /// Keys `tag`, `path-prefix` and `attribute`; all must hold.
    pub filter: Vec<Attr>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub specs: Vec<SpecMeta>,
    pub next: Option<String>,
}

/// Part of a spec's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    pub text: String,
    pub offset: u64,
    pub next: Option<u64>,
}

/// A task that an agent of the project was started for, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastTask {
    /// Of the agent.
    pub id: String,
    pub prompt: String,
    pub tags: Vec<String>,
    pub agent: String,
    pub branch: Option<String>,
    /// `running`, `exited`, `killed`, `lost` or `exit_unknown`.
    pub outcome: String,
    pub exit_code: Option<i32>,
    /// Ids of the specs that its context had, the best first.
    pub picked: Vec<String>,
    pub touched_files: Vec<ChangedFile>,
    pub started: Option<String>,
    pub extra: Vec<Attr>,
}

/// What a plugin keeps: values by key.
pub type StateEntries = BTreeMap<String, Vec<u8>>;

/// What a call can remember and look back on, as it stands when the call begins; `None` where that was not granted, or
/// cannot be read.
#[derive(Debug, Clone, Default)]
pub struct Granted {
    pub state: Option<Arc<StateEntries>>,
    /// The newest first.
    pub past: Option<Arc<[PastTask]>>,
}

/// Why a reader could not answer: one of the codes that the contract names for the call, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ReadFailure {
    pub code: String,
    pub message: String,
}

impl ReadFailure {
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// The project's specs, as one snapshot: the same call gives the same answer for as long as the reader lives.
///
/// Called on the thread of the plugin's call, which nothing can interrupt meanwhile: an implementation answers from
/// memory or from files, quickly, and never waits for a lock that is held across I/O.
pub trait SpecReader: Send + Sync {
    /// Tells where it reads from: readers of one place may hang together, and leave room for the calls of others.
    fn place(&self) -> Option<usize> {
        None
    }

    /// The best hits first, equal scores in the order of paths.
    fn search(&self, query: &Query) -> Result<Vec<Hit>, ReadFailure>;

    /// One page, in the order of paths.
    fn list(&self, listing: &Listing) -> Result<Page, ReadFailure>;

    /// One spec's metadata; code `unknown_spec` if there is none.
    fn get(&self, id: &str) -> Result<SpecMeta, ReadFailure>;

    /// The text of a spec, or of the section that a hit named so.
    fn read(&self, id: &str, section: Option<&str>) -> Result<String, ReadFailure>;

    /// Part of a spec's text, cut between characters. Implemented over [`SpecReader::read`]; override it where a
    /// reader can do better.
    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, ReadFailure> {
        let text = self.read(id, None)?;
        let wanted = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let end = text.floor_char_boundary(wanted.saturating_add(length as usize).min(text.len()));
        let start = text.floor_char_boundary(wanted).min(end);
        let next = (end < text.len()).then_some(end as u64);
        Ok(Chunk { text: text[start..end].to_owned(), offset: start as u64, next })
    }
}
