//! How often other specs refer to a spec. One that many build on is meant more often than one that stands alone.
//!
//! It only strengthens what the words found: a spec without a word of the query stays without a score.

use tantivy::Term;

use super::super::parse::{ids, references};
use super::super::snapshot::Snapshot;
use super::Ranked;

/// More specs than this make no difference.
const MANY: u32 = 50;

/// Adds to each hit what being referred to is worth: `weight` of its score for each time that their number grows e-fold.
pub(super) fn score(snapshot: &Snapshot, hits: &mut [Ranked], weight: f32) -> tantivy::Result<()> {
    for hit in hits {
        let count = references_to(snapshot, hit.spec)?.min(MANY);
        hit.cited = hit.total * weight * (count as f32).ln_1p();
        hit.total += hit.cited;
    }
    Ok(())
}

/// How many specs have one of the names of a spec. Deleted ones count until the index is merged.
fn references_to(snapshot: &Snapshot, spec: u32) -> tantivy::Result<u32> {
    let spec = &snapshot.catalog.specs()[spec as usize];
    let names = spec.ids.iter().map(|id| ids::normalise(id)).chain(references::file_name(&spec.path));
    let mut most = 0;
    for name in names {
        let term = Term::from_field_text(snapshot.fields.refers(), &name);
        let mut count = 0;
        for segment in snapshot.searcher.segment_readers() {
            count += segment.inverted_index(snapshot.fields.refers())?.doc_freq(&term)?;
        }
        most = most.max(count);
    }
    Ok(most)
}
