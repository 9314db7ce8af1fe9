//! The texts of specs for one assembly: each file is read at most once, whoever asks for it.
//!
//! Front matter is no part of a text: what it says is in the catalog.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::specs::{SearchQuery, SpecCatalog, SpecError, SpecHit, SpecIndex, SpecMeta, SpecText};

/// One moment of the index, as far as it can be held still: the catalog is that of the moment, and a file that changed
/// since is read as it is now.
pub(super) struct SpecTexts {
    index: Arc<SpecIndex>,
    catalog: Arc<SpecCatalog>,
    /// Whole files by path. Held for a look-up, never across a read.
    read: Mutex<HashMap<String, Arc<SpecText>>>,
    /// The sections of each spec that a search of this assembly found, the best first, by the spec's id: what a plugin
    /// has asked for need not be searched for again. The first search counts, so that the order of calls decides.
    found: Mutex<HashMap<String, Vec<String>>>,
}

impl SpecTexts {
    pub(super) fn new(index: Arc<SpecIndex>) -> Self {
        let catalog = index.catalog();
        Self { index, catalog, read: Mutex::default(), found: Mutex::default() }
    }

    pub(super) fn catalog(&self) -> &SpecCatalog {
        &self.catalog
    }

    pub(super) fn spec(&self, id: &str) -> Result<&Arc<SpecMeta>, SpecError> {
        self.catalog.find(id).ok_or_else(|| SpecError::UnknownSpec(id.to_owned()))
    }

    /// Searches, and remembers which sections were found.
    pub(super) fn search(&self, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        let hits = self.index.search(query)?;
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for hit in &hits {
            let sections = || hit.sections.iter().map(|section| section.id.clone()).collect();
            found.entry(hit.spec.id.clone()).or_insert_with(sections);
        }
        Ok(hits)
    }

    /// The sections that the searches so far found in a spec; `None` if none of them found the spec.
    pub(super) fn found_sections(&self, id: &str) -> Option<Vec<String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The text of a spec, or of one of its sections with its heading.
    pub(super) fn text(&self, id: &str, section: Option<&str>) -> Result<String, SpecError> {
        let spec = self.spec(id)?;
        let file = self.file(spec)?;
        let unknown = |section: &str| SpecError::UnknownSection { spec: id.to_owned(), section: section.to_owned() };
        if file.revision != spec.revision {
            // The ranges are those of another text: the index knows how to find the section in this one.
            return match section {
                None => Ok(file.text.clone()),
                Some(_) => self.index.read(&spec.path, section).map(|read| read.text),
            };
        }
        let range = match section {
            None => spec.sections.first().map_or(0, |s| s.start)..spec.sections.last().map_or(u32::MAX, |s| s.end),
            Some(name) => spec.section(name).map(|(_, s)| s.start..s.end).ok_or_else(|| unknown(name))?,
        };
        let end = (range.end as usize).min(file.text.len());
        Ok(file.text.get(range.start as usize..end).unwrap_or_default().to_owned())
    }

    fn file(&self, spec: &SpecMeta) -> Result<Arc<SpecText>, SpecError> {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&spec.path).map(Arc::clone);
        if let Some(known) = known {
            return Ok(known);
        }
        let text = Arc::new(self.index.read(&spec.path, None)?);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(spec.path.clone(), Arc::clone(&text));
        Ok(text)
    }
}
