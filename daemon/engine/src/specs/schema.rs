//! The fields of the index and the documents that are written to it.
//!
//! One index holds two kinds of document: a spec, and after it its sections. Their text fields have names of their own, so
//! that how rare a word is among titles, whole specs and sections are three different figures.

use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value as _,
};
use tantivy::{TantivyDocument, Term};

use super::catalog::SpecMeta;
use super::error::SpecError;
use super::parse::ParsedSpec;

/// Part of the index folder's name: an index of another version is rebuilt.
pub(super) const VERSION: u32 = 4;
/// The name under which the analyzer is registered.
pub(super) const ANALYZER: &str = "spec-words";
/// How many words from the start of a spec stand in `lead`.
const LEAD_WORDS: usize = 150;

/// A text field of specs that a query may search; `section` is the one field of section documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum TextField {
    Body,
    Title,
    Path,
    Headings,
    Tags,
    Lead,
    Section,
}

impl TextField {
    pub(super) const ALL: [TextField; 7] = [
        TextField::Body,
        TextField::Title,
        TextField::Path,
        TextField::Headings,
        TextField::Tags,
        TextField::Lead,
        TextField::Section,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            TextField::Body => "body",
            TextField::Title => "title",
            TextField::Path => "path",
            TextField::Headings => "headings",
            TextField::Tags => "tags",
            TextField::Lead => "lead",
            TextField::Section => "section",
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// The schema with handles to its fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub schema: Schema,
    text: [Field; 7],
    /// The names of what a spec refers to, as they are.
    refers: Field,
    /// Which spec a document belongs to: the first 8 bytes of the digest of its path.
    key: Field,
    /// 0 for a spec, n + 1 for its n-th section.
    ordinal: Field,
    /// The `SpecMeta` as JSON.
    meta: Field,
}

pub(super) const KEY: &str = "key";
pub(super) const ORDINAL: &str = "ordinal";

impl Fields {
    pub(super) fn new() -> Fields {
        let mut builder = Schema::builder();
        let text = TextField::ALL.map(|field| {
            let record = match field {
                TextField::Body => IndexRecordOption::WithFreqsAndPositions,
                _ => IndexRecordOption::WithFreqs,
            };
            let indexing = TextFieldIndexing::default().set_tokenizer(ANALYZER).set_index_option(record);
            builder.add_text_field(field.name(), TextOptions::default().set_indexing_options(indexing))
        });
        let names = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
        let names = names.set_index_option(IndexRecordOption::Basic);
        let refers = builder.add_text_field("refers", TextOptions::default().set_indexing_options(names));
        let key = builder.add_u64_field(KEY, INDEXED | FAST);
        let ordinal = builder.add_u64_field(ORDINAL, FAST);
        let meta = builder.add_text_field("meta", STORED);
        Fields { schema: builder.build(), text, refers, key, ordinal, meta }
    }

    pub(super) fn text(&self, field: TextField) -> Field {
        self.text[field.index()]
    }

    pub(super) fn refers(&self) -> Field {
        self.refers
    }

    /// The term that finds (and deletes) every document of a spec.
    pub(super) fn key_term(&self, key: u64) -> Term {
        Term::from_field_u64(self.key, key)
    }

    /// The documents of one spec: itself, then its sections in order.
    pub(super) fn documents(
        &self,
        meta: &SpecMeta,
        parsed: &ParsedSpec<'_>,
    ) -> Result<Vec<TantivyDocument>, SpecError> {
        let stored = serde_json::to_string(meta).map_err(|error| SpecError::Unreadable {
            path: meta.path.clone(),
            reason: format!("cannot store its description: {error}"),
        })?;
        let mut spec = self.document(meta.key(), 0);
        spec.add_text(self.meta, stored);
        spec.add_text(self.text(TextField::Body), parsed.text);
        spec.add_text(self.text(TextField::Title), &meta.title);
        spec.add_text(self.text(TextField::Path), without_extension(&meta.path));
        for section in meta.sections.iter().filter(|s| s.part == 1) {
            spec.add_text(self.text(TextField::Headings), &section.heading);
        }
        for tag in &meta.tags {
            spec.add_text(self.text(TextField::Tags), tag);
        }
        spec.add_text(self.text(TextField::Lead), lead(parsed.body()));
        for name in parsed.references(&meta.path) {
            spec.add_text(self.refers, name);
        }
        let mut documents = vec![spec];
        for (i, section) in meta.sections.iter().enumerate() {
            let mut document = self.document(meta.key(), i as u64 + 1);
            // The range begins with the heading; a later part is given it again.
            if section.part > 1 {
                document.add_text(self.text(TextField::Section), &section.heading);
            }
            document.add_text(self.text(TextField::Section), parsed.slice(section));
            documents.push(document);
        }
        Ok(documents)
    }

    fn document(&self, key: u64, ordinal: u64) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_u64(self.key, key);
        document.add_u64(self.ordinal, ordinal);
        document
    }

    /// The description that `documents` stored.
    pub(super) fn meta(&self, document: &TantivyDocument) -> Option<Result<SpecMeta, serde_json::Error>> {
        document.get_first(self.meta).and_then(|v| v.as_str()).map(serde_json::from_str)
    }
}

fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => stem,
        _ => path,
    }
}

/// The first words of a text, cut at a space.
fn lead(text: &str) -> &str {
    let mut end = text.len();
    let mut words = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            inside = false;
        } else if !inside {
            inside = true;
            words += 1;
            if words > LEAD_WORDS {
                end = at;
                break;
            }
        }
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_ends_after_its_words() {
        assert_eq!(lead("short text"), "short text");
        let long = "word ".repeat(400);
        assert_eq!(lead(&long).split_whitespace().count(), LEAD_WORDS);
    }

    #[test]
    fn the_path_field_has_no_extension() {
        for (path, stem) in [("docs/a.b.md", "docs/a.b"), ("docs/v1.2/README", "docs/v1.2/README")] {
            assert_eq!(without_extension(path), stem);
        }
    }
}
