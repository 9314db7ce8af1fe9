//! The mock's search: each word of the query counts once for each field of a section that has it. Pure.

use super::document::{Document, Section};
use crate::{Failure, FieldWeight, Hit, Query};

const FIELDS: [(&str, f32); 7] =
    [("path", 1.0), ("title", 3.0), ("ids", 3.0), ("headings", 2.0), ("tags", 3.0), ("body", 1.0), ("code", 1.0)];

pub(super) fn search(documents: &[Document], query: &Query) -> Result<Vec<Hit>, Failure> {
    let fields = weights(&query.fields)?;
    let wanted = words(&query.text);
    let mut hits: Vec<Hit> = documents.iter().filter_map(|document| best(document, &fields, &wanted)).collect();
    // Stable: documents come sorted by path, so equal scores stay in that order.
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(query.limit as usize);
    Ok(hits)
}

fn weights(asked: &[FieldWeight]) -> Result<Vec<(&str, f32)>, Failure> {
    if asked.is_empty() {
        return Ok(FIELDS.to_vec());
    }
    let known = |field: &FieldWeight| FIELDS.iter().any(|(name, _)| *name == field.field);
    match asked.iter().find(|field| !known(field)) {
        Some(field) => Err(Failure::new("unknown_field", format!("specs have no field {}", field.field))),
        None => Ok(asked.iter().map(|field| (field.field.as_str(), field.weight)).collect()),
    }
}

/// The section of the document that matches best, if any does.
fn best(document: &Document, fields: &[(&str, f32)], wanted: &[String]) -> Option<Hit> {
    let mut best: Option<(f32, &Section)> = None;
    for section in &document.sections {
        let score = fields.iter().map(|(field, weight)| weight * matches(document, section, field, wanted)).sum();
        if score > best.map_or(0.0, |(score, _)| score) {
            best = Some((score, section));
        }
    }
    best.map(|(score, section)| Hit {
        spec: document.meta.clone(),
        section: (!section.heading.is_empty()).then(|| section.heading.clone()),
        score,
        extra: Vec::new(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count of words, far below 2^24")]
fn matches(document: &Document, section: &Section, field: &str, wanted: &[String]) -> f32 {
    let found = match field {
        "path" => words(&document.meta.path),
        "title" => words(&document.meta.title),
        "ids" => words(&document.meta.id),
        "headings" => words(&section.heading),
        "tags" => words(&document.meta.tags.join(" ")),
        _ => words(&section.text),
    };
    wanted.iter().filter(|word| found.contains(word)).count() as f32
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}
