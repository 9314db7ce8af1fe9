//! One moment of the index: the catalog, the segments that belong to it, and where in them each spec stands.
//!
//! A search works on one snapshot from beginning to end; a refresh makes the next one and leaves this one alone.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use tantivy::{DocId, Searcher, SegmentReader};

use super::catalog::{SpecCatalog, SpecMeta};
use super::disk::Disk;
use super::error::SpecError;
use super::schema::{Fields, KEY, ORDINAL, TextField};

/// Marks a document that was deleted.
pub(super) const GONE: u32 = u32::MAX;

pub(super) struct Snapshot {
    pub catalog: Arc<SpecCatalog>,
    pub searcher: Searcher,
    pub fields: Fields,
    /// For each segment, which spec (as an ordinal of the catalog) each document belongs to.
    pub owners: Vec<Vec<u32>>,
    /// For each spec, its segment and its own document; its sections follow.
    pub places: Vec<Place>,
    lengths: [Length; 7],
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub segment: u32,
    pub document: DocId,
    pub sections: u32,
}

impl Place {
    pub(super) fn section_documents(&self) -> Range<DocId> {
        self.document + 1..self.document + 1 + self.sections
    }
}

/// How many documents have a field, and how long it is on average.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Length {
    pub documents: u32,
    pub average: f32,
}

impl Snapshot {
    /// Joins the descriptions with the documents of the index; an index that does not hold exactly them is damaged.
    pub(super) fn new(disk: &Disk, metas: Vec<Arc<SpecMeta>>) -> Result<Snapshot, SpecError> {
        let catalog = Arc::new(SpecCatalog::new(metas));
        let mut snapshot = Snapshot {
            places: vec![Place { segment: GONE, document: 0, sections: 0 }; catalog.specs().len()],
            catalog,
            searcher: disk.searcher(),
            fields: disk.fields.clone(),
            owners: Vec::new(),
            lengths: [Length::default(); 7],
        };
        let keys = snapshot.catalog.specs().iter().enumerate().map(|(i, s)| (s.key(), i as u32)).collect();
        snapshot.locate(&keys).map_err(|detail| SpecError::Damaged { path: disk.folder().to_path_buf(), detail })?;
        snapshot.measure().map_err(SpecError::index("read", disk.folder()))?;
        Ok(snapshot)
    }

    pub(super) fn length(&self, field: TextField) -> Length {
        self.lengths[field.index()]
    }

    pub(super) fn segment(&self, ordinal: u32) -> &SegmentReader {
        self.searcher.segment_reader(ordinal)
    }

    fn locate(&mut self, keys: &HashMap<u64, u32>) -> Result<(), String> {
        for (n, segment) in self.searcher.segment_readers().iter().enumerate() {
            let mut owners = vec![GONE; segment.max_doc() as usize];
            let key = segment.fast_fields().u64(KEY).map_err(|e| e.to_string())?;
            let ordinal = segment.fast_fields().u64(ORDINAL).map_err(|e| e.to_string())?;
            for doc in segment.doc_ids_alive() {
                let owner = key.first(doc).and_then(|k| keys.get(&k)).ok_or("a document of an unknown spec")?;
                owners[doc as usize] = *owner;
                let place = &mut self.places[*owner as usize];
                match ordinal.first(doc) {
                    Some(0) if place.segment == GONE => {
                        *place = Place { segment: n as u32, document: doc, sections: 0 };
                    }
                    Some(s) if place.segment == n as u32 && u64::from(doc - place.document) == s => place.sections += 1,
                    _ => return Err("a section apart from its spec".into()),
                }
            }
            self.owners.push(owners);
        }
        for (place, spec) in self.places.iter().zip(self.catalog.specs()) {
            if place.segment == GONE || place.sections as usize != spec.sections.len() {
                return Err(format!("the documents of {} are not complete", spec.path));
            }
        }
        Ok(())
    }

    /// Averages over what is alive, so that they depend on the specs alone and not on the history of the index.
    fn measure(&mut self) -> tantivy::Result<()> {
        for field in TextField::ALL {
            let (mut documents, mut total) = (0_u32, 0_u64);
            for (n, segment) in self.searcher.segment_readers().iter().enumerate() {
                let norms = segment.get_fieldnorms_reader(self.fields.text(field))?;
                let mut count = |doc: DocId| {
                    documents += 1;
                    total += u64::from(norms.fieldnorm(doc));
                };
                for place in self.places.iter().filter(|p| p.segment == n as u32) {
                    match field {
                        TextField::Section => place.section_documents().for_each(&mut count),
                        _ => count(place.document),
                    }
                }
            }
            let average = (total as f64 / f64::from(documents.max(1))) as f32;
            self.lengths[field.index()] = Length { documents, average: average.max(1.0) };
        }
        Ok(())
    }
}
