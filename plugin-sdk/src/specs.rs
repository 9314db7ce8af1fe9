//! What a plugin can ask of the project's specs: the contract's interface `specs`, as a trait.
//!
//! Behind it is the host in wasm, and [`crate::MockSpecs`] in tests.

use crate::{Attr, Failure, Hit, SpecMeta};

/// The project's specs. `wit/context.wit` lists each call's failures and limits.
pub trait Specs {
    /// The best hits first.
    fn search(&self, query: &Query) -> Result<Vec<Hit>, Failure>;

    /// One page of all specs, in the order of their paths.
    fn list(&self, listing: &Listing) -> Result<Page, Failure>;

    /// One spec's metadata.
    fn get(&self, id: &str) -> Result<SpecMeta, Failure>;

    /// A spec's text, or that of one section.
    fn read(&self, id: &str, section: Option<&str>) -> Result<String, Failure>;

    /// About `length` bytes of a spec's text from byte `offset`, cut between characters.
    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, Failure>;
}

/// What to search for. Made with [`Query::new`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub text: String,
    pub fields: Vec<FieldWeight>,
    pub limit: u32,
    pub extra: Vec<Attr>,
}

impl Query {
    /// A search for these words in all fields, with the host's weights, for 20 hits.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), limit: 20, ..Self::default() }
    }

    /// Searches this field, and only fields that are named so.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, weight: f32) -> Self {
        self.fields.push(FieldWeight { field: field.into(), weight });
        self
    }

    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }
}

/// How much a match in one field counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldWeight {
    /// `path`, `title`, `ids`, `headings`, `tags`, `body` or `code`.
    pub field: String,
    /// 0 to 100.
    pub weight: f32,
}

/// Which page of which specs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// None for the first page, then [`Page::next`].
    pub cursor: Option<String>,
    pub limit: u32,
    /// Keys `tag`, `path-prefix` and `attribute` (one of these in `extra`, a line each: `KEY` or `KEY=VALUE`); all must
    /// hold. At most 16.
    pub filter: Vec<Attr>,
}

impl Listing {
    /// The first page of all specs, with at most so many.
    pub fn first(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Only specs for which this holds too.
    #[must_use]
    pub fn filter(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.filter.push(Attr { key: key.into(), value: value.into() });
        self
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    pub specs: Vec<SpecMeta>,
    /// None after the last page.
    pub next: Option<String>,
}

/// Part of a spec's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    pub text: String,
    /// Where the text really starts, in bytes.
    pub offset: u64,
    /// Where to go on; none at the end of the spec.
    pub next: Option<u64>,
}
