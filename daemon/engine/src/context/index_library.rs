//! The spec index as merge, budget and rendering see it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use super::library::{Document, Library, Section};
use super::texts::SpecTexts;
use crate::specs::{SearchQuery, SpecError, SpecMeta};

/// Of so many specs the best sections are known; the sections of others are taken from the beginning.
const RANKED: usize = 100;

/// The project specs with the task in mind.
pub(super) struct IndexLibrary {
    texts: Arc<SpecTexts>,
    task: String,
    /// Set once the index was searched for the task here, which only a long spec that no plugin searched for makes
    /// necessary.
    searched: OnceCell<()>,
    /// By id: the parts of one assembly ask for the same few again and again.
    documents: RefCell<HashMap<String, Arc<Document>>>,
}

impl IndexLibrary {
    pub(super) fn new(texts: Arc<SpecTexts>, task: &str) -> Self {
        Self { texts, task: task.to_owned(), searched: OnceCell::new(), documents: RefCell::default() }
    }

    fn search(&self) {
        let query = SearchQuery { text: self.task.clone(), fields: Vec::new(), limit: RANKED };
        if let Err(error) = self.texts.search(&query) {
            tracing::warn!(%error, "long specs are quoted from their beginning: the index cannot rank sections");
        }
    }
}

impl Library for IndexLibrary {
    fn document(&self, spec: &str) -> Option<Arc<Document>> {
        let known = self.documents.borrow().get(spec).map(Arc::clone);
        known.or_else(|| {
            let made = Arc::new(document(self.texts.spec(spec).ok()?));
            self.documents.borrow_mut().insert(spec.to_owned(), Arc::clone(&made));
            Some(made)
        })
    }

    fn best_sections(&self, spec: &str) -> Vec<String> {
        if let Some(known) = self.texts.found_sections(spec) {
            return known;
        }
        self.searched.get_or_init(|| self.search());
        self.texts.found_sections(spec).unwrap_or_default()
    }

    fn text(&self, spec: &str, section: Option<&str>) -> Result<String, String> {
        self.texts.text(spec, section).map_err(|error| match error {
            SpecError::Unreadable { reason, .. } => format!("the file cannot be read: {reason}"),
            other => other.to_string(),
        })
    }
}

fn document(spec: &SpecMeta) -> Document {
    // The text begins where the front matter ends.
    let start = spec.sections.first().map_or(0, |section| section.start);
    let place = |at: u32| at.saturating_sub(start) as usize;
    let sections = spec.sections.iter().enumerate().map(|(i, section)| Section {
        id: section.id.clone(),
        heading: if section.part == 1 { section.heading.clone() } else { String::new() },
        heading_path: spec.heading_path(i),
        level: section.level,
        tokens: section.tokens,
        range: place(section.start)..place(section.end),
    });
    Document {
        id: spec.id.clone(),
        path: spec.path.clone(),
        title: spec.title.clone(),
        revision: spec.revision.clone(),
        ids: spec.ids.clone(),
        tokens: spec.sections.iter().map(|s| s.tokens).fold(0, u32::saturating_add),
        sections: sections.collect(),
    }
}
