//! A spec library in memory and a reproducible source of chance, for the tests of this room.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::library::{Document, Library, Section};
use crate::specs::tokens;

/// xorshift64*: the same seed, the same throws.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number from 0 to `limit - 1`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

/// Specs by id, each a list of sections with their text.
#[derive(Default)]
pub(super) struct FakeLibrary {
    documents: BTreeMap<String, (Arc<Document>, Vec<String>)>,
    /// Sections by relevance, where a test says so.
    pub best: BTreeMap<String, Vec<String>>,
    /// How many texts were read.
    pub reads: Cell<usize>,
}

impl FakeLibrary {
    /// Adds the spec `id` at `specs/<id>.md`, with sections `(heading, level, text)`.
    pub(super) fn add(&mut self, id: &str, sections: &[(&str, u8, &str)]) {
        let texts: Vec<String> = sections.iter().map(|(_, _, text)| (*text).to_owned()).collect();
        let mut end = 0;
        let sections: Vec<Section> = sections
            .iter()
            .enumerate()
            .map(|(i, (heading, level, text))| {
                let start = end;
                end += text.len();
                Section {
                    id: format!("s{i}"),
                    heading: (*heading).into(),
                    heading_path: (*heading).into(),
                    level: *level,
                    tokens: tokens::count(text),
                    range: start..end,
                }
            })
            .collect();
        let document = Document {
            id: id.into(),
            path: format!("specs/{id}.md"),
            title: format!("Title of {id}"),
            // Equal texts have equal revisions, and that is all there is to them.
            revision: texts.concat(),
            ids: vec![format!("{}-001", id.to_uppercase())],
            tokens: sections.iter().map(|s| s.tokens).sum(),
            sections,
        };
        self.documents.insert(id.into(), (document.into(), texts));
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.documents.keys().cloned().collect()
    }
}

impl Library for FakeLibrary {
    fn document(&self, spec: &str) -> Option<Arc<Document>> {
        self.documents.get(spec).map(|(d, _)| Arc::clone(d))
    }

    fn best_sections(&self, spec: &str) -> Vec<String> {
        self.best.get(spec).cloned().unwrap_or_default()
    }

    fn text(&self, spec: &str, section: Option<&str>) -> Result<String, String> {
        self.reads.set(self.reads.get() + 1);
        let (document, texts) = self.documents.get(spec).ok_or("no such spec")?;
        match section {
            None => Ok(texts.concat()),
            Some(id) => document.section(id).map(|i| texts[i].clone()).ok_or_else(|| "no such section".into()),
        }
    }
}
