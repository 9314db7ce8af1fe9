//! The mock's search: each word of the query counts once for each field that has it. Pure.

use super::document::Document;
use super::words;
use crate::{Attr, Failure, FieldWeight, Hit, Query};

const FIELDS: [(&str, f32); 7] =
    [("path", 1.0), ("title", 3.0), ("ids", 3.0), ("headings", 2.0), ("tags", 3.0), ("body", 1.0), ("code", 1.0)];

/// The contract's bounds.
const HITS_MAX: usize = 200;
const QUERY_MAX: usize = 16 * 1024;
const FIELDS_MAX: usize = 16;
const WEIGHT_MAX: f32 = 100.0;

pub(super) fn search(documents: &[Document], query: &Query) -> Result<Vec<Hit>, Failure> {
    if query.text.len() > QUERY_MAX {
        return Err(Failure::new("query_too_long", format!("a query has at most {QUERY_MAX} bytes")));
    }
    let fields = weights(&query.fields)?;
    let mut wanted: Vec<String> = Vec::new();
    for word in words::of(&query.text) {
        if !wanted.contains(&word) {
            wanted.push(word);
        }
    }
    let mut hits: Vec<Hit> = documents.iter().filter_map(|document| hit(document, &fields, &wanted)).collect();
    // Stable: documents come sorted by path, so equal scores stay in that order.
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(HITS_MAX.min(query.limit as usize));
    Ok(hits)
}

fn weights(asked: &[FieldWeight]) -> Result<Vec<(&str, f32)>, Failure> {
    if asked.is_empty() {
        return Ok(FIELDS.to_vec());
    }
    if asked.len() > FIELDS_MAX {
        return Err(Failure::new("too_many_fields", format!("a query names at most {FIELDS_MAX} fields")));
    }
    for FieldWeight { field, weight } in asked {
        if !FIELDS.iter().any(|(name, _)| *name == field.as_str()) {
            return Err(Failure::new("unknown_field", format!("specs have no field {field:?}")));
        }
        if !(0.0..=WEIGHT_MAX).contains(weight) {
            return Err(Failure::new("bad_weight", format!("{field} is weighted {weight}")));
        }
    }
    Ok(asked.iter().map(|field| (field.field.as_str(), field.weight)).collect())
}

/// The document, if any of the fields has a word, with the section whose text has most of the words.
fn hit(document: &Document, fields: &[(&str, f32)], wanted: &[String]) -> Option<Hit> {
    let mut matched = vec![false; wanted.len()];
    let mut score = 0.0;
    for (field, weight) in fields.iter().filter(|(_, weight)| *weight > 0.0) {
        let words = field_words(document, field);
        for (word, matched) in wanted.iter().zip(&mut matched) {
            if words.contains(word) {
                score += weight;
                *matched = true;
            }
        }
    }
    if score <= 0.0 {
        return None;
    }
    let mut best: Option<(f32, &str)> = None;
    for section in &document.sections {
        let found = matches(&words::of(&section.text), wanted);
        if found > best.map_or(0.0, |(most, _)| most) {
            best = Some((found, section.id.as_str()));
        }
    }
    let section = best.map(|(_, id)| id.to_owned());
    let matched = wanted.iter().zip(matched).filter(|(_, matched)| *matched);
    let extra = matched.map(|(word, _)| Attr { key: "matched".into(), value: word.clone() }).collect();
    Some(Hit { spec: document.meta.clone(), section, score, extra })
}

fn field_words(document: &Document, field: &str) -> Vec<String> {
    match field {
        "path" => words::of(&document.meta.path),
        "title" => words::of(&document.meta.title),
        "ids" => words::of(document.own_id.as_deref().unwrap_or_default()),
        "headings" => document.sections.iter().flat_map(|section| words::of(&section.heading)).collect(),
        "tags" => words::of(&document.meta.tags.join(" ")),
        _ => words::of(&document.text),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of words, far below 2^24")]
fn matches(words: &[String], wanted: &[String]) -> f32 {
    wanted.iter().filter(|word| words.contains(word)).count() as f32
}
