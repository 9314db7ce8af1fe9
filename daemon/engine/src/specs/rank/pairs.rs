//! A bonus for query words that stand together in a spec as they do in the task.

use std::collections::BTreeMap;

use tantivy::postings::Postings as _;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _};

use super::super::schema::TextField;
use super::super::snapshot::Snapshot;
use super::bm25::{self, Readers};
use super::{Query, Ranked};

/// Words at most this far apart stand together.
const REACH: u32 = 3;

/// Adds the bonus to each hit; answers with the most that a spec could get, unweighted.
pub(super) fn score(snapshot: &Snapshot, query: &Query, hits: &mut [Ranked], weight: f32) -> tantivy::Result<f32> {
    let readers = Readers::open(snapshot, TextField::Body)?;
    let positions = Positions::read(snapshot, query, hits, &readers)?;
    let documents = snapshot.length(TextField::Body).documents;
    let mut ideal = 0.0;
    for (a, b, times) in &query.pairs {
        let (Some(first), Some(second)) = (positions.of(*a), positions.of(*b)) else { continue };
        let together: Vec<u32> = first.iter().zip(second).map(|(a, b)| count_together(a, b)).collect();
        let found = together.iter().filter(|n| **n > 0).count();
        if found == 0 {
            continue;
        }
        // How rare the pair is among all specs is not known without looking at all of them; among the best it is.
        let worth = times * bm25::rarity(documents, found as u32);
        ideal += worth * bm25::MOST;
        let specificity = query.words[*a].specificity() * query.words[*b].specificity();
        for (hit, together) in hits.iter_mut().zip(together).filter(|(_, n)| *n > 0) {
            let bonus = weight * worth * bm25::saturated(together as f32);
            hit.together += specificity;
            hit.near += bonus;
            hit.total += bonus;
        }
    }
    Ok(ideal)
}

/// Where each word of a pair stands in each hit.
struct Positions(BTreeMap<usize, Vec<Vec<u32>>>);

impl Positions {
    fn read(snapshot: &Snapshot, query: &Query, hits: &[Ranked], readers: &Readers) -> tantivy::Result<Positions> {
        let mut order: Vec<(u32, DocId, usize)> = hits
            .iter()
            .enumerate()
            .map(|(i, hit)| {
                (snapshot.places[hit.spec as usize].segment, snapshot.places[hit.spec as usize].document, i)
            })
            .collect();
        order.sort_unstable();
        let mut words: BTreeMap<usize, Vec<Vec<u32>>> = BTreeMap::new();
        for word in query.pairs.iter().flat_map(|(a, b, _)| [*a, *b]) {
            words.entry(word).or_default();
        }
        for (word, positions) in &mut words {
            positions.resize(hits.len(), Vec::new());
            for docs in order.chunk_by(|a, b| a.0 == b.0) {
                let option = IndexRecordOption::WithFreqsAndPositions;
                let Some(mut postings) = readers.postings(docs[0].0 as usize, &query.words[*word], option)? else {
                    continue;
                };
                for (_, doc, hit) in docs {
                    if hits[*hit].words & (1 << word) != 0
                        && (postings.doc() == *doc || postings.doc() < *doc && postings.seek(*doc) == *doc)
                    {
                        postings.positions(&mut positions[*hit]);
                    }
                }
            }
        }
        Ok(Positions(words))
    }

    fn of(&self, word: usize) -> Option<&Vec<Vec<u32>>> {
        self.0.get(&word)
    }
}

/// How many of the first word's places have the second within reach. Both lists are sorted.
fn count_together(first: &[u32], second: &[u32]) -> u32 {
    let mut count = 0;
    let mut from = 0;
    for at in first {
        while second.get(from).is_some_and(|b| b + REACH < *at) {
            from += 1;
        }
        count += u32::from(second.get(from).is_some_and(|b| *b <= at + REACH));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::count_together;

    #[test]
    fn counts_places_within_reach_on_either_side() {
        for (first, second, count) in [
            (&[1, 10, 20][..], &[3, 16, 22][..], 2),
            (&[5], &[2], 1),
            (&[5], &[1], 0),
            (&[], &[1], 0),
            (&[1, 2, 3], &[2], 3),
        ] {
            assert_eq!(count_together(first, second), count, "{first:?} {second:?}");
        }
    }
}
