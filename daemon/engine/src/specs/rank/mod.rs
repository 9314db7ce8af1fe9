//! How well each spec answers a query: BM25 of several fields, each with its own word rarity, the best section, and query
//! words that stand together.
//!
//! Tantivy keeps the words and their positions; the sum is made here, because the best section of a spec, the score of
//! each field for the explanation, and figures that do not depend on deleted documents are not to be had from its queries.
//! It knows nothing of ids or of how hits are shown.

mod bm25;
mod cited;
mod common;
mod evidence;
mod pairs;
mod query;

use std::cmp::Ordering;

use super::schema::TextField;
use super::snapshot::Snapshot;

pub use evidence::Evidence;
pub(super) use evidence::gather;
pub(super) use query::Query;

/// Sections and pairs are scored for this many of the best specs.
const CANDIDATES: usize = 200;
const PAIR_CANDIDATES: usize = 100;

/// How much each part counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub fields: [f32; 7],
    /// Query words that stand together.
    pub near: f32,
    /// Other specs that refer to the spec.
    pub cited: f32,
}

impl Weights {
    pub(super) const NEAR: &'static str = "near";
    pub(super) const CITED: &'static str = "cited";
}

impl Default for Weights {
    /// Measured on tasks of eight public projects; see `examples/rank.rs`.
    fn default() -> Self {
        let mut fields = [0.0; 7];
        fields[TextField::Body.index()] = 1.0;
        fields[TextField::Title.index()] = 0.75;
        fields[TextField::Path.index()] = 0.75;
        fields[TextField::Section.index()] = 0.5;
        fields[TextField::Lead.index()] = 0.25;
        Weights { fields, near: 0.2, cited: 0.1 }
    }
}

/// A spec with what each part contributed, already weighted.
#[derive(Debug, Clone)]
pub(super) struct Ranked {
    /// Ordinal in the catalog.
    pub spec: u32,
    pub total: f32,
    pub fields: [f32; 7],
    pub near: f32,
    /// What other specs' references to it add, in `total` as well; not part of what a score is a share of.
    pub cited: f32,
    /// Which words of the query the spec has, a bit each.
    pub words: u64,
    /// Which its title has.
    pub title_words: u64,
    /// Neighbours of the query that stand together in the spec, each counted by how specific it is.
    pub together: f32,
    /// Sections with a word of the query and their unweighted scores, best first.
    pub sections: Vec<(u32, f32)>,
}

/// A ranking and the most that any spec could have scored.
pub(super) struct Ranking {
    pub ranked: Vec<Ranked>,
    pub ideal: f32,
    /// The most that a section could have scored, unweighted.
    pub section_ideal: f32,
    /// How many specs have each word of the query.
    pub found: Vec<u32>,
}

/// Ranks the specs that have a word of the query where it counts, and those of `wanted` in any case; best first, ties by
/// path.
pub(super) fn rank(snapshot: &Snapshot, query: &Query, weights: &Weights, wanted: &[u32]) -> tantivy::Result<Ranking> {
    let mut ideal = 0.0;
    let mut board = Board::new(snapshot.catalog.specs().len(), query.words.len());
    for field in TextField::ALL.into_iter().filter(|f| *f != TextField::Section) {
        let weight = weights.fields[field.index()];
        // The body always chooses the candidates, even where it does not count.
        if weight > 0.0 || field == TextField::Body {
            ideal += weight * board.add(snapshot, query, field, weight)?;
        }
    }
    let found = std::mem::take(&mut board.found);
    let mut ranked = board.candidates(wanted);
    let section_weight = weights.fields[TextField::Section.index()];
    let section_ideal = bm25::score_sections(snapshot, query, &mut ranked)?;
    for hit in &mut ranked {
        let best = section_weight * hit.sections.first().map_or(0.0, |s| s.1);
        hit.fields[TextField::Section.index()] = best;
        hit.total += best;
    }
    ranked.sort_by(better);
    if weights.near > 0.0 {
        let near = ranked.len().min(PAIR_CANDIDATES);
        ideal += weights.near * pairs::score(snapshot, query, &mut ranked[..near], weights.near)?;
        ranked.sort_by(better);
    }
    if weights.cited > 0.0 {
        cited::score(snapshot, &mut ranked, weights.cited)?;
        ranked.sort_by(better);
    }
    // The body may have chosen what no field that counts has a word of.
    ranked.retain(|hit| hit.total > 0.0 || wanted.contains(&hit.spec));
    Ok(Ranking { ranked, ideal: ideal + section_weight * section_ideal, section_ideal, found })
}

/// Higher total first; then by ordinal, which is the order of paths.
fn better(a: &Ranked, b: &Ranked) -> Ordering {
    b.total.total_cmp(&a.total).then(a.spec.cmp(&b.spec))
}

/// The scores of every spec while fields are added up.
struct Board {
    scores: Vec<(TextField, Vec<f32>)>,
    totals: Vec<f32>,
    words: Vec<u64>,
    title_words: Vec<u64>,
    /// How many specs have each word.
    found: Vec<u32>,
}

impl Board {
    fn new(specs: usize, words: usize) -> Board {
        let (totals, none) = (vec![0.0; specs], vec![0; specs]);
        Board { scores: Vec::new(), totals, words: none.clone(), title_words: none, found: vec![0; words] }
    }

    /// Adds a field; answers with the most that it could have given, unweighted.
    fn add(&mut self, snapshot: &Snapshot, query: &Query, field: TextField, weight: f32) -> tantivy::Result<f32> {
        let mut scores = vec![0.0; self.totals.len()];
        let ideal = bm25::score_field(snapshot, query, field, |word, spec, score| {
            scores[spec as usize] += weight * score;
            self.words[spec as usize] |= 1 << word;
            match field {
                TextField::Body => self.found[word] += 1,
                TextField::Title => self.title_words[spec as usize] |= 1 << word,
                _ => {}
            }
        })?;
        for (total, score) in self.totals.iter_mut().zip(&scores) {
            *total += score;
        }
        self.scores.push((field, scores));
        Ok(ideal)
    }

    fn candidates(self, wanted: &[u32]) -> Vec<Ranked> {
        let mut found: Vec<u32> = (0..self.totals.len() as u32).filter(|s| self.words[*s as usize] != 0).collect();
        let order = |a: &u32, b: &u32| self.totals[*b as usize].total_cmp(&self.totals[*a as usize]).then(a.cmp(b));
        if found.len() > CANDIDATES {
            found.select_nth_unstable_by(CANDIDATES, order);
            found.truncate(CANDIDATES);
        }
        found.extend(wanted);
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|spec| self.ranked(spec)).collect()
    }

    fn ranked(&self, spec: u32) -> Ranked {
        let i = spec as usize;
        let mut fields = [0.0; 7];
        for (field, scores) in &self.scores {
            fields[field.index()] = scores[i];
        }
        Ranked {
            spec,
            total: self.totals[i],
            fields,
            near: 0.0,
            cited: 0.0,
            words: self.words[i],
            title_words: self.title_words[i],
            together: 0.0,
            sections: Vec::new(),
        }
    }
}
