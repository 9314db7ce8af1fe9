//! How sure it is that a spec is about a text at all, whatever its place in the ranking: the best of a ranking may be the
//! best of nothing.
//!
//! Six figures that do not depend on the other hits, joined by a logistic function whose weights were fitted to tasks that
//! the specs answer and to tasks of other projects; see `examples/about.rs`.

use tantivy::DocSet as _;
use tantivy::schema::IndexRecordOption;

use super::super::schema::TextField;
use super::super::snapshot::Snapshot;
use super::bm25::Readers;
use super::common;
use super::{Query, Ranked};

/// As many words of a text are looked at together when it is asked how often one of them comes.
const STRETCH: f32 = 300.0;
/// As often as a word of a text comes in such a stretch of a spec that is not about it, besides how common it is.
const BY_CHANCE: f32 = 1e-3;

/// What speaks for a spec being about a text. All are 0 or more, and more is more, but for `specific`.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Evidence {
    /// The share of the most that a spec with all the words could score.
    pub share: f32,
    /// How much more often the project's specs have the words than specs elsewhere do: logarithm, mean over the words.
    pub at_home: f32,
    /// The spec's title has so many of the words, each counted by how specific it is.
    pub title: f32,
    /// Neighbours of the text stand together in the spec: logarithm of their number, each counted by how specific it is.
    pub together: f32,
    /// How much more often the spec has the words than specs elsewhere do: logarithm of the sum.
    pub dwelt_on: f32,
    /// The spec has so many of the words, each counted by how specific it is: logarithm. The more it has, the more is asked
    /// of how it dwells on them: a long spec has some of any task's words.
    pub specific: f32,
}

impl Evidence {
    /// Such that 95 of 100 tasks whose spec is found first have 0.3 or more.
    const BIAS: f32 = -17.0;
    const WEIGHTS: [f32; 6] = [16.0, 2.1, 1.85, 6.5, 4.7, -2.35];

    fn figures(&self) -> [f32; 6] {
        [self.share, self.at_home, self.title, self.together, self.dwelt_on, self.specific]
    }

    /// Words alone are never quite sure.
    const MOST: f32 = 0.95;

    /// 0 to 0.95: how sure it is that the spec is about the text; of 0.3 and more it is likely.
    pub fn about(&self) -> f32 {
        let sum: f32 = self.figures().iter().zip(Self::WEIGHTS).map(|(figure, weight)| figure * weight).sum();
        Self::MOST / (1.0 + (-(Self::BIAS + sum)).exp())
    }
}

/// The evidence for each of `hits`, in their order.
pub(in super::super) fn gather(
    snapshot: &Snapshot,
    query: &Query,
    found: &[u32],
    ideal: f32,
    hits: &[&Ranked],
) -> tantivy::Result<Vec<Evidence>> {
    let at_home = at_home(query, found, snapshot.catalog.specs().len() as f32);
    let dwelt_on = dwelt_on(snapshot, query, hits)?;
    let evidence = |(hit, dwelt_on): (&&Ranked, f32)| {
        let sum = |words: u64, weight: fn(&super::query::Word) -> f32| -> f32 {
            query.words.iter().enumerate().filter(|(n, _)| words & (1 << n) != 0).map(|(_, word)| weight(word)).sum()
        };
        Evidence {
            share: if ideal > 0.0 { ((hit.total - hit.cited) / ideal).clamp(0.0, 1.0) } else { 0.0 },
            at_home,
            title: sum(hit.title_words, |word| word.specificity()),
            together: hit.together.ln_1p(),
            dwelt_on: dwelt_on.ln_1p(),
            specific: sum(hit.words, |word| word.specificity() * word.weight.min(1.0)).ln_1p(),
        }
    };
    Ok(hits.iter().zip(dwelt_on).map(evidence).collect())
}

/// How much more often the project's `specs` have the words than specs elsewhere do; the same for all hits.
fn at_home(query: &Query, found: &[u32], specs: f32) -> f32 {
    let weights: f32 = query.words.iter().map(|word| word.weight).sum();
    let known = query.words.iter().zip(found).filter(|(_, count)| **count > 0);
    let sum: f32 = known
        .map(|(word, count)| {
            let (here, elsewhere) = (*count as f32 / specs + common::NEVER, word.common + common::NEVER);
            word.weight * (here / elsewhere).ln().max(0.0)
        })
        .sum();
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// For each hit, how much more often than elsewhere it has the words: the sum of the logarithms.
fn dwelt_on(snapshot: &Snapshot, query: &Query, hits: &[&Ranked]) -> tantivy::Result<Vec<f32>> {
    let readers = Readers::open(snapshot, TextField::Body)?;
    let mut order: Vec<usize> = (0..hits.len()).collect();
    let place = |hit: usize| snapshot.places[hits[hit].spec as usize];
    order.sort_unstable_by_key(|hit| (place(*hit).segment, place(*hit).document));
    let mut sums = vec![0.0; hits.len()];
    for (n, word) in query.words.iter().enumerate() {
        for of_segment in order.chunk_by(|a, b| place(*a).segment == place(*b).segment) {
            let segment = place(of_segment[0]).segment as usize;
            let Some(mut postings) = readers.postings(segment, word, IndexRecordOption::WithFreqs)? else { continue };
            for &hit in of_segment.iter().filter(|hit| hits[**hit].words & (1 << n) != 0) {
                let document = place(hit).document;
                if postings.doc() < document {
                    postings.seek(document);
                }
                if postings.doc() == document {
                    let often = readers.often(segment, &postings) * STRETCH + common::NEVER;
                    sums[hit] += (often / (word.common + BY_CHANCE)).ln().max(0.0);
                }
            }
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_what_speaks_for_it_makes_surer_and_never_quite_sure() {
        assert!(Evidence::default().about() < 0.01);
        let some = Evidence { share: 0.5, at_home: 1.0, title: 0.5, together: 0.5, dwelt_on: 1.5, specific: 0.7 };
        let about = some.about();
        for more in [
            Evidence { share: 0.6, ..some },
            Evidence { at_home: 1.2, ..some },
            Evidence { title: 1.0, ..some },
            Evidence { together: 1.0, ..some },
            Evidence { dwelt_on: 2.0, ..some },
            Evidence { specific: 0.5, ..some },
        ] {
            assert!(more.about() > about && more.about() <= Evidence::MOST, "{more:?}: {} {about}", more.about());
        }
    }
}
