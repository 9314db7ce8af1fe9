//! How often other specs refer to a spec. One that many build on is meant more often than one that stands alone.
//!
//! It only strengthens what the words found: a spec without a word of the query stays without a score.

use tantivy::Term;

use super::super::parse::{ids, references};
use super::super::snapshot::Snapshot;
use super::{Ranked, bm25};

/// More specs than this make no difference.
const MANY: u32 = 50;

/// Adds to each hit what being referred to is worth: `weight` of its score for each time that their number grows e-fold.
pub(super) fn score(snapshot: &Snapshot, hits: &mut [Ranked], weight: f32) -> tantivy::Result<()> {
    let field = snapshot.fields.refers();
    let segments = snapshot.searcher.segment_readers().iter();
    let inverted = segments.map(|segment| segment.inverted_index(field)).collect::<tantivy::Result<Vec<_>>>()?;
    for hit in hits {
        let spec = &snapshot.catalog.specs()[hit.spec as usize];
        let names = spec.ids.iter().map(|id| ids::normalise(id)).chain(references::file_name(&spec.path));
        let mut count = 0;
        // The most of any one name: who uses two of them refers to the spec once.
        for term in names.map(|name| Term::from_field_text(field, &name)) {
            let mut found = 0;
            for (segment, inverted) in inverted.iter().enumerate() {
                found += bm25::alive_with(snapshot, segment, inverted, &term)?;
            }
            count = found.max(count);
        }
        hit.cited = hit.total * weight * (count.min(MANY) as f32).ln_1p();
        hit.total += hit.cited;
    }
    Ok(())
}
