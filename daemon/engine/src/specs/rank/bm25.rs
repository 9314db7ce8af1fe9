//! BM25 of one field over tantivy's postings.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{BlockSegmentPostings, Postings as _, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, InvertedIndexReader, TERMINATED, Term};

use super::super::schema::TextField;
use super::super::snapshot::{GONE, Length, Snapshot};
use super::query::Word;
use super::{Query, Ranked};

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// What very many occurrences give, before rarity.
pub(super) const MOST: f32 = K1 + 1.0;
/// How many sections of a spec are ranked.
const SECTIONS: usize = 8;

/// Inverse document frequency, never negative.
pub(super) fn rarity(documents: u32, found: u32) -> f32 {
    let (documents, found) = (documents as f32, found as f32);
    (1.0 + (documents - found + 0.5) / (found + 0.5)).ln()
}

/// What `count` occurrences give, before rarity: between 0 and `MOST`.
pub(super) fn saturated(count: f32) -> f32 {
    count * MOST / (count + K1)
}

/// The part of the formula that depends on a document's length, for each of tantivy's 256 length classes.
struct Norms([f32; 256]);

impl Norms {
    fn new(length: Length) -> Norms {
        let norm = |id: usize| {
            let words = FieldNormReader::id_to_fieldnorm(u8::try_from(id).unwrap_or(u8::MAX)) as f32;
            K1 * (1.0 - B + B * words / length.average)
        };
        Norms(std::array::from_fn(norm))
    }

    fn saturated(&self, count: u32, length_class: u8) -> f32 {
        count as f32 * MOST / (count as f32 + self.0[usize::from(length_class)])
    }
}

/// Calls `add(word, spec, score)` for every word of the query in a field of specs; answers with the most that a spec could get.
pub(super) fn score_field(
    snapshot: &Snapshot,
    query: &Query,
    field: TextField,
    mut add: impl FnMut(usize, u32, f32),
) -> tantivy::Result<f32> {
    let length = snapshot.length(field);
    let norms = Norms::new(length);
    let readers = Readers::open(snapshot, field)?;
    let mut found: Vec<(u32, f32)> = Vec::new();
    let mut ideal = 0.0;
    for (n, word) in query.words.iter().enumerate() {
        found.clear();
        for (segment, owners) in snapshot.owners.iter().enumerate() {
            let Some(mut blocks) = readers.blocks(segment, word)? else { continue };
            let lengths = &readers.norms[segment];
            while blocks.block_len() > 0 {
                for (doc, count) in blocks.docs().iter().zip(blocks.freqs()) {
                    let owner = owners[*doc as usize];
                    if owner != GONE {
                        found.push((owner, norms.saturated(*count, lengths.fieldnorm_id(*doc))));
                    }
                }
                blocks.advance();
            }
        }
        let worth = word.weight * rarity(length.documents, found.len() as u32);
        for (spec, saturated) in &found {
            add(n, *spec, worth * saturated);
        }
        // A word that no spec has counts against every spec once, in the body, and not in each of the other fields.
        if !found.is_empty() || field == TextField::Body {
            ideal += worth * MOST;
        }
    }
    Ok(ideal)
}

/// Ranks the sections of the candidates; answers with the most that a section could get.
pub(super) fn score_sections(snapshot: &Snapshot, query: &Query, candidates: &mut [Ranked]) -> tantivy::Result<f32> {
    let length = snapshot.length(TextField::Section);
    let norms = Norms::new(length);
    let readers = Readers::open(snapshot, TextField::Section)?;
    let mut blocks = Blocks::new(snapshot, candidates);
    let mut ideal = 0.0;
    for word in &query.words {
        let found = readers.documents_with(snapshot, word)?;
        if found == 0 {
            continue;
        }
        let worth = word.weight * rarity(length.documents, found);
        ideal += worth * MOST;
        for segment in 0..snapshot.owners.len() {
            let Some(mut postings) = readers.postings(segment, word, IndexRecordOption::WithFreqs)? else { continue };
            blocks.visit(segment as u32, &mut postings, |doc, count| {
                worth * norms.saturated(count, readers.norms[segment].fieldnorm_id(doc))
            });
        }
    }
    for (hit, block) in blocks.blocks.iter().map(|b| (b.candidate, b)) {
        let mut sections: Vec<(u32, f32)> =
            block.scores.iter().enumerate().filter(|(_, s)| **s > 0.0).map(|(i, s)| (i as u32, *s)).collect();
        sections.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        sections.truncate(SECTIONS);
        candidates[hit].sections = sections;
    }
    Ok(ideal)
}

/// The section documents of the candidates, in the order in which postings come by them.
struct Blocks {
    blocks: Vec<Block>,
}

struct Block {
    candidate: usize,
    segment: u32,
    first: DocId,
    scores: Vec<f32>,
}

impl Blocks {
    fn new(snapshot: &Snapshot, candidates: &[Ranked]) -> Blocks {
        let block = |(candidate, hit): (usize, &Ranked)| {
            let place = snapshot.places[hit.spec as usize];
            Block {
                candidate,
                segment: place.segment,
                first: place.section_documents().start,
                scores: vec![0.0; place.sections as usize],
            }
        };
        let mut blocks: Vec<Block> = candidates.iter().enumerate().map(block).collect();
        blocks.sort_unstable_by_key(|b| (b.segment, b.first));
        Blocks { blocks }
    }

    /// Adds to the sections of one segment what a word gives them.
    fn visit(&mut self, segment: u32, postings: &mut SegmentPostings, score: impl Fn(DocId, u32) -> f32) {
        let from = self.blocks.partition_point(|b| b.segment < segment);
        for block in self.blocks[from..].iter_mut().take_while(|b| b.segment == segment) {
            if postings.doc() < block.first {
                postings.seek(block.first);
            }
            while let Some(slot) = block.scores.get_mut((postings.doc() - block.first) as usize) {
                *slot += score(postings.doc(), postings.term_freq());
                postings.advance();
            }
        }
    }
}

/// What a field's postings are read from, one for each segment.
pub(super) struct Readers {
    field: tantivy::schema::Field,
    inverted: Vec<std::sync::Arc<InvertedIndexReader>>,
    norms: Vec<FieldNormReader>,
}

impl Readers {
    pub(super) fn open(snapshot: &Snapshot, field: TextField) -> tantivy::Result<Readers> {
        let field = snapshot.fields.text(field);
        let segments = snapshot.searcher.segment_readers();
        Ok(Readers {
            field,
            inverted: segments.iter().map(|s| s.inverted_index(field)).collect::<tantivy::Result<_>>()?,
            norms: segments.iter().map(|s| s.get_fieldnorms_reader(field)).collect::<tantivy::Result<_>>()?,
        })
    }

    pub(super) fn postings(
        &self,
        segment: usize,
        word: &Word,
        record: IndexRecordOption,
    ) -> tantivy::Result<Option<SegmentPostings>> {
        Ok(self.inverted[segment].read_postings(&Term::from_field_text(self.field, &word.stem), record)?)
    }

    /// As [`Readers::postings`], a block of documents at a time: for whoever goes through all of them.
    fn blocks(&self, segment: usize, word: &Word) -> tantivy::Result<Option<BlockSegmentPostings>> {
        let term = Term::from_field_text(self.field, &word.stem);
        Ok(self.inverted[segment].read_block_postings(&term, IndexRecordOption::WithFreqs)?)
    }

    /// The share of a document's words that the word is whose postings stand there.
    pub(super) fn often(&self, segment: usize, postings: &SegmentPostings) -> f32 {
        let length = self.norms[segment].fieldnorm(postings.doc());
        postings.term_freq() as f32 / length.max(1) as f32
    }

    /// How many documents have a word; deleted ones do not count.
    pub(super) fn documents_with(&self, snapshot: &Snapshot, word: &Word) -> tantivy::Result<u32> {
        let term = Term::from_field_text(self.field, &word.stem);
        let mut count = 0;
        for (segment, inverted) in self.inverted.iter().enumerate() {
            count += alive_with(snapshot, segment, inverted, &term)?;
        }
        Ok(count)
    }
}

/// How many documents of a segment have a term; deleted ones do not count, so that the history of an index does not show.
pub(super) fn alive_with(
    snapshot: &Snapshot,
    segment: usize,
    inverted: &InvertedIndexReader,
    term: &Term,
) -> tantivy::Result<u32> {
    let Some(info) = inverted.get_term_info(term)? else { return Ok(0) };
    if !snapshot.segment(segment as u32).has_deletes() {
        return Ok(info.doc_freq);
    }
    let mut count = 0;
    let mut postings = inverted.read_postings_from_terminfo(&info, IndexRecordOption::Basic)?;
    while postings.doc() != TERMINATED {
        count += u32::from(snapshot.owners[segment][postings.doc() as usize] != GONE);
        postings.advance();
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_and_repeated_words_count_more_and_never_without_bound() {
        assert!(rarity(100, 1) > rarity(100, 50) && rarity(100, 100) > 0.0);
        assert!(saturated(2.0) > saturated(1.0) && saturated(1e6) <= MOST);
    }
}
