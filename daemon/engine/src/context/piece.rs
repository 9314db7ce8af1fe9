//! What goes into a context: a spec, whole or by some of its passages, with its text and why it is there.

use std::ops::Range;
use std::sync::Arc;

use super::library::Document;
use super::merge::Why;

/// One spec's part of the context.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub document: Arc<Document>,
    pub why: Why,
    pub extent: Extent,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Extent {
    Whole {
        text: String,
        tokens: u32,
    },
    /// In the order in which they were chosen, the best first.
    Excerpt(Vec<Passage>),
}

/// A run of adjacent sections around one that matched.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Passage {
    /// The section that matched.
    pub section: usize,
    pub run: Range<usize>,
    pub text: String,
    /// What the passage costs, its frame included.
    pub tokens: u32,
    pub why: Why,
}

impl Piece {
    /// Whether a section (`None`: anything of the spec) is in.
    pub(super) fn holds(&self, section: Option<&str>) -> bool {
        match (&self.extent, section) {
            (Extent::Whole { .. }, _) => true,
            (Extent::Excerpt(passages), None) => !passages.is_empty(),
            (Extent::Excerpt(passages), Some(id)) => {
                self.document.section(id).is_some_and(|i| passages.iter().any(|p| p.run.contains(&i)))
            }
        }
    }

    /// What the parts cost with their frames, without the piece's own heading.
    pub(super) fn tokens(&self) -> u32 {
        match &self.extent {
            Extent::Whole { tokens, .. } => *tokens,
            Extent::Excerpt(passages) => passages.iter().map(|p| p.tokens).sum(),
        }
    }
}
