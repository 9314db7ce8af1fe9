//! The index at one moment, for work that must not see two: catalog and searches belong together, whatever is taken in
//! meanwhile.
//!
//! It holds no text: a file is read when somebody asks for it.

use std::sync::Arc;

use super::catalog::{SpecCatalog, SpecMeta};
use super::snapshot::Snapshot;

/// One moment of a spec index, as `SpecIndex::view` hands it out.
#[derive(Clone)]
pub struct SpecView {
    pub(super) snapshot: Arc<Snapshot>,
}

impl SpecView {
    /// Every spec of the moment.
    pub fn catalog(&self) -> &SpecCatalog {
        &self.snapshot.catalog
    }

    /// Whether a spec was the same at this moment.
    pub(super) fn holds(&self, spec: &SpecMeta) -> bool {
        self.catalog().find(&spec.path).is_some_and(|known| known.id == spec.id && known.revision == spec.revision)
    }
}
