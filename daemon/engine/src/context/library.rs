//! What merge, budget and rendering know of the specs: a narrow view, so that they are pure and tested without an index.
//!
//! Ids and paths only name; text is read for what is picked and for nothing else.

use std::ops::Range;
use std::sync::Arc;

/// The project specs as the budget sees them.
pub(super) trait Library {
    /// A spec by its id.
    fn document(&self, spec: &str) -> Option<Arc<Document>>;
    /// The ids of a spec's sections that match the task, the best first.
    fn best_sections(&self, spec: &str) -> Vec<String>;
    /// The text of a spec, or of one of its sections with its heading.
    fn text(&self, spec: &str, section: Option<&str>) -> Result<String, String>;
}

/// A spec without its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub id: String,
    /// Relative to the project root.
    pub path: String,
    pub title: String,
    /// A digest of the whole file: equal for equal files.
    pub revision: String,
    /// Ids that it defines, such as `DAEMON-006`.
    pub ids: Vec<String>,
    pub tokens: u32,
    /// In the order of the file; together they are the whole text.
    pub sections: Vec<Section>,
}

/// A heading with the text up to the next heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub id: String,
    pub heading: String,
    /// The headings that lead here, the outermost first.
    pub heading_path: String,
    pub level: u8,
    pub tokens: u32,
    /// Where in the spec's text it stands, in bytes.
    pub range: Range<usize>,
}

impl Document {
    pub(super) fn section(&self, id: &str) -> Option<usize> {
        self.sections.iter().position(|s| s.id == id)
    }
}
