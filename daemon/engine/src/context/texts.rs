//! The texts of specs for one assembly: a file is read whole at most once, whoever asks for it.
//!
//! Front matter is no part of a text: what it says is in the catalog.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::specs::{SearchQuery, SpecCatalog, SpecError, SpecHit, SpecIndex, SpecMeta, SpecText, SpecView};

/// A file of at most so many bytes is read whole for one section: that costs no more, and the next one is there already.
const SMALL: u64 = 64 * 1024;

/// One moment of the index, as far as it can be held still: catalog and searches are of the moment, and a file that
/// changed since is read as it is now.
pub(super) struct SpecTexts {
    index: Arc<SpecIndex>,
    view: SpecView,
    /// Whole files by path. Held for a look-up, never across a read.
    read: Arc<Mutex<HashMap<String, Arc<SpecText>>>>,
    /// The sections of each spec that a search of this assembly found, the best first, by the spec's id: what a plugin
    /// has asked for need not be searched for again. The first search counts, so that the order of calls decides.
    found: Mutex<HashMap<String, Vec<String>>>,
}

impl SpecTexts {
    pub(super) fn new(index: Arc<SpecIndex>) -> Self {
        let view = index.view();
        Self { index, view, read: Arc::default(), found: Mutex::default() }
    }

    /// The same moment with a memory of searches of its own, for one of several that search at the same time.
    pub(super) fn apart(&self) -> Self {
        let (index, view, read) = (Arc::clone(&self.index), self.view.clone(), Arc::clone(&self.read));
        Self { index, view, read, found: Mutex::default() }
    }

    /// Remembers what another of this moment has found, behind what is remembered already.
    pub(super) fn take_in(&self, other: &Self) {
        let theirs = other.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        for (spec, sections) in theirs {
            found.entry(spec).or_insert(sections);
        }
    }

    /// Equal for all that read the specs of one project.
    pub(super) fn place(&self) -> usize {
        Arc::as_ptr(&self.index).addr()
    }

    pub(super) fn catalog(&self) -> &SpecCatalog {
        self.view.catalog()
    }

    pub(super) fn spec(&self, id: &str) -> Result<&Arc<SpecMeta>, SpecError> {
        self.catalog().find(id).ok_or_else(|| SpecError::UnknownSpec(id.to_owned()))
    }

    /// Searches, and remembers which sections were found.
    pub(super) fn search(&self, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
        let hits = self.index.search_in(&self.view, query)?;
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
        if let Some(section) = section
            && spec.bytes > SMALL
            && self.known(spec).is_none()
            && let Some(text) = self.index.untouched_section(spec, section)
        {
            return Ok(text);
        }
        self.part(spec, section, str::to_owned)
    }

    /// What `take` makes of the text of a spec, which is not copied for that.
    pub(super) fn of_text<T>(&self, id: &str, take: impl FnOnce(&str) -> T) -> Result<T, SpecError> {
        self.part(self.spec(id)?, None, take)
    }

    fn part<T>(&self, spec: &SpecMeta, section: Option<&str>, take: impl FnOnce(&str) -> T) -> Result<T, SpecError> {
        let file = self.file(spec)?;
        file.part(spec, section).map(take).ok_or_else(|| SpecError::UnknownSection {
            spec: spec.id.clone(),
            section: section.unwrap_or_default().to_owned(),
        })
    }

    fn file(&self, spec: &SpecMeta) -> Result<Arc<SpecText>, SpecError> {
        if let Some(known) = self.known(spec) {
            return Ok(known);
        }
        let text = Arc::new(self.index.file(spec)?);
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(spec.path.clone(), Arc::clone(&text));
        Ok(text)
    }

    fn known(&self, spec: &SpecMeta) -> Option<Arc<SpecText>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&spec.path).map(Arc::clone)
    }
}
