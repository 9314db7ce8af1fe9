//! The two jobs as functions of this program: what they cost without any plugin.

use std::hint::black_box;

use anyhow::Result;
use pu_engine::plugins::{Assembly, Pick, Query, SpecReader, Task};

use crate::guest::{HITS, REASON};

/// Answers with nothing.
#[inline(never)]
pub(crate) fn empty(task: &Task, reader: &dyn SpecReader) -> Result<Assembly> {
    black_box((task, reader));
    Ok(Assembly::default())
}

/// One search, and a pick for each hit.
#[inline(never)]
pub(crate) fn search(task: &Task, reader: &dyn SpecReader) -> Result<Assembly> {
    let hits = reader.search(&query(&task.prompt))?;
    Ok(picked(hits.into_iter().map(|hit| (hit.spec.id, hit.section, hit.score))))
}

/// What both hosts' plugins search for too.
pub(crate) fn query(text: &str) -> Query {
    Query { text: text.to_owned(), limit: HITS, ..Query::default() }
}

/// The answer with these specs, sections and scores.
pub(crate) fn picked(hits: impl Iterator<Item = (String, Option<String>, f32)>) -> Assembly {
    let mut best: Option<f32> = None;
    let pick = |(spec, section, score): (String, Option<String>, f32)| {
        let best = *best.get_or_insert(score);
        Pick { spec, section, score: score / best, reason: REASON.to_owned(), extra: Vec::new() }
    };
    Assembly { picks: hits.map(pick).collect(), ..Assembly::default() }
}
