//! Search: a task's text in, the specs that answer it out, each with why.
//!
//! Ids that the text names come first, whatever the words say; then the ranking of `rank`.

use std::sync::Arc;

use super::catalog::SpecMeta;
use super::error::SpecError;
use super::parse::ids;
use super::rank::{self, Evidence, Query, Ranked, Ranking, Weights};
use super::schema::TextField;
use super::snapshot::Snapshot;

/// Scores of specs that are named by id lie above this, those of all others below.
const NAMED: f32 = 0.9;
/// More named ids than this are a list, not a task.
const MAX_NAMED: usize = 32;

/// What is searched for.
#[derive(Debug, Clone, Default)]
pub struct SearchQuery {
    /// The task. Its first line counts twice.
    pub text: String,
    /// Fields and what each counts: `body`, `title`, `path`, `headings`, `tags`, `lead`, `section` (the best section),
    /// `near` (query words that stand together) and `cited` (other specs that refer to it). Empty for the default ranking.
    pub fields: Vec<(String, f32)>,
    pub limit: usize,
}

/// A spec that answers a query.
#[derive(Debug, Clone)]
pub struct SpecHit {
    pub spec: Arc<SpecMeta>,
    /// The id of the section that answers best, if any has a word of the query.
    pub section: Option<String>,
    /// Above 0: the share of the most that a spec with all the query's words could score, times 0.9; 0.9 and more (to 1)
    /// only for specs that the query names by id. It depends on the query and the specs, not on the other hits.
    pub score: f32,
    /// The words of the query that the spec has, as the query spells them.
    pub matched: Vec<String>,
    /// What each field contributed, in the units of BM25; `id` is 1 for a spec that is named.
    pub fields: Vec<(String, f32)>,
    /// What speaks for the spec being about the text at all; not of a search whose fields were chosen.
    pub evidence: Option<Evidence>,
    /// The best sections, best first, at most eight.
    pub sections: Vec<SectionHit>,
}

/// A section of a hit.
#[derive(Debug, Clone)]
pub struct SectionHit {
    /// Index in `SpecMeta::sections`.
    pub index: usize,
    pub id: String,
    /// The share (0 to 1) of the most that a section could score.
    pub score: f32,
}

pub(super) fn search(snapshot: &Snapshot, query: &SearchQuery) -> Result<Vec<SpecHit>, SpecError> {
    let weights = weights(&query.fields)?;
    let named = Named::find(snapshot, &query.text);
    let failed = || SpecError::index("search", std::path::Path::new("of this project"));
    let words = Query::new(&query.text, snapshot).map_err(failed())?;
    let ranking = rank::rank(snapshot, &words, &weights, &named.specs).map_err(failed())?;
    let mut hits: Vec<(bool, &Ranked)> = ranking.ranked.iter().map(|r| (named.specs.contains(&r.spec), r)).collect();
    // Stable: within both groups the order of the ranking stays.
    hits.sort_by_key(|(named, _)| !*named);
    hits.truncate(query.limit);
    let evidence: Vec<Option<Evidence>> = if query.fields.is_empty() {
        let hits: Vec<&Ranked> = hits.iter().map(|(_, hit)| *hit).collect();
        let gathered = rank::gather(snapshot, &words, &ranking.found, ranking.ideal, &hits).map_err(failed())?;
        gathered.into_iter().map(Some).collect()
    } else {
        vec![None; hits.len()]
    };
    let described = hits.into_iter().zip(evidence).map(|((is_named, hit), evidence)| SpecHit {
        evidence,
        ..describe(snapshot, &words, &ranking, hit, is_named.then_some(&named))
    });
    Ok(described.collect())
}

/// The specs that a text names, and by which ids.
struct Named {
    specs: Vec<u32>,
    ids: Vec<String>,
}

impl Named {
    fn find(snapshot: &Snapshot, text: &str) -> Named {
        let mut named = Named { specs: Vec::new(), ids: Vec::new() };
        for id in ids::mentioned(text) {
            for spec in snapshot.catalog.defining(&id) {
                let spec = *spec as u32;
                if named.specs.len() < MAX_NAMED && !named.specs.contains(&spec) {
                    named.specs.push(spec);
                }
                if !named.ids.contains(&id) {
                    named.ids.push(id.clone());
                }
            }
        }
        named
    }

    /// The section whose heading defines a named id.
    fn section(&self, spec: &SpecMeta) -> Option<usize> {
        spec.sections
            .iter()
            .position(|s| ids::in_heading(&s.heading).is_some_and(|id| self.ids.contains(&ids::normalise(&id))))
    }
}

fn weights(fields: &[(String, f32)]) -> Result<Weights, SpecError> {
    if fields.is_empty() {
        return Ok(Weights::default());
    }
    let mut weights = Weights { fields: [0.0; 7], near: 0.0, cited: 0.0 };
    for (name, weight) in fields {
        let weight = if weight.is_finite() { weight.max(0.0) } else { 0.0 };
        match TextField::ALL.into_iter().find(|f| f.name() == name) {
            Some(field) => weights.fields[field.index()] = weight,
            None if name == Weights::NEAR => weights.near = weight,
            None if name == Weights::CITED => weights.cited = weight,
            None => {
                let known: Vec<&str> =
                    TextField::ALL.iter().map(|f| f.name()).chain([Weights::NEAR, Weights::CITED]).collect();
                return Err(SpecError::UnknownField { field: name.clone(), known: known.join(", ") });
            }
        }
    }
    Ok(weights)
}

fn describe(snapshot: &Snapshot, query: &Query, ranking: &Ranking, hit: &Ranked, named: Option<&Named>) -> SpecHit {
    let spec = Arc::clone(&snapshot.catalog.specs()[hit.spec as usize]);
    let share = |score: f32, ideal: f32| if ideal > 0.0 { (score / ideal).clamp(0.0, 1.0) } else { 0.0 };
    let mut sections: Vec<SectionHit> = hit
        .sections
        .iter()
        .filter_map(|(i, score)| {
            let index = *i as usize;
            let id = spec.sections.get(index)?.id.clone();
            Some(SectionHit { index, id, score: share(*score, ranking.section_ideal) })
        })
        .collect();
    if let Some(index) = named.and_then(|n| n.section(&spec)) {
        let known = sections.iter().position(|s| s.index == index).map(|at| sections.remove(at));
        let section = known.unwrap_or_else(|| SectionHit { index, id: spec.sections[index].id.clone(), score: 0.0 });
        sections.insert(0, section);
    }
    let ratio = share(hit.total, ranking.ideal);
    SpecHit {
        section: sections.first().map(|s| s.id.clone()),
        score: if named.is_some() { NAMED + (1.0 - NAMED) * ratio } else { NAMED * ratio },
        matched: query
            .words
            .iter()
            .enumerate()
            .filter(|(i, _)| hit.words & (1 << i) != 0)
            .map(|(_, w)| w.shown.clone())
            .collect(),
        fields: contributions(hit, named.is_some()),
        sections,
        evidence: None,
        spec,
    }
}

fn contributions(hit: &Ranked, named: bool) -> Vec<(String, f32)> {
    TextField::ALL
        .iter()
        .map(|f| (f.name(), hit.fields[f.index()]))
        .chain([(Weights::NEAR, hit.near), (Weights::CITED, hit.cited), ("id", f32::from(u8::from(named)))])
        .filter(|(_, score)| *score > 0.0)
        .map(|(name, score)| (name.to_owned(), score))
        .collect()
}
