//! The spec index as plugins see it: the contract's calls, answered from the catalog, the index and the texts.

use std::sync::Arc;

use super::texts::SpecTexts;
use crate::plugins::{self, Attr, Hit, Listing, Page, Query, ReadFailure, SpecReader};
use crate::specs::{SearchQuery, SpecError, SpecHit, SpecMeta};

/// A whole text that is longer is read in ranges.
const READ_MAX: u64 = 1024 * 1024;

/// What one assembly's plugins read from.
pub(super) struct IndexReader {
    texts: Arc<SpecTexts>,
}

impl IndexReader {
    pub(super) fn new(texts: Arc<SpecTexts>) -> Self {
        Self { texts }
    }
}

impl SpecReader for IndexReader {
    fn place(&self) -> Option<usize> {
        Some(self.texts.place())
    }

    fn search(&self, query: &Query) -> Result<Vec<Hit>, ReadFailure> {
        let fields = fields(query)?;
        let query = SearchQuery { text: query.text.clone(), fields, limit: query.limit as usize };
        let hits = self.texts.search(&query).map_err(|e| failure(&e))?;
        Ok(hits.into_iter().map(described).collect())
    }

    fn list(&self, listing: &Listing) -> Result<Page, ReadFailure> {
        let specs = self.texts.catalog().specs();
        let start = match &listing.cursor {
            None => 0,
            Some(path) => specs.partition_point(|spec| spec.path.as_str() < path.as_str()),
        };
        let filters = listing.filter.iter().map(Filter::of).collect::<Result<Vec<_>, _>>()?;
        let mut matching = specs[start..].iter().filter(|spec| filters.iter().all(|filter| filter.passes(spec)));
        let page = matching.by_ref().take(listing.limit as usize).map(|spec| meta(spec)).collect();
        Ok(Page { specs: page, next: matching.next().map(|spec| spec.path.clone()) })
    }

    fn get(&self, id: &str) -> Result<plugins::SpecMeta, ReadFailure> {
        self.texts.spec(id).map(|spec| meta(spec)).map_err(|e| failure(&e))
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, ReadFailure> {
        let spec = self.texts.spec(id).map_err(|e| failure(&e))?;
        if section.is_none() && spec.bytes > READ_MAX {
            let message = format!("{} has {} bytes: read it in ranges", spec.path, spec.bytes);
            return Err(ReadFailure::new("too_large", message));
        }
        self.texts.text(id, section).map_err(|e| failure(&e))
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<plugins::Chunk, ReadFailure> {
        self.texts.of_text(id, |text| chunk(text, offset, length)).map_err(|e| failure(&e))
    }
}

/// About `length` bytes from `offset`, cut between characters.
fn chunk(text: &str, offset: u64, length: u32) -> plugins::Chunk {
    let wanted = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
    let start = text.floor_char_boundary(wanted);
    let end = text.floor_char_boundary(wanted.saturating_add(length as usize).min(text.len())).max(start);
    let next = (end < text.len()).then_some(end as u64);
    plugins::Chunk { text: text[start..end].to_owned(), offset: start as u64, next }
}

/// The index's names for the contract's fields, and its own names as they are. Identifiers are words of the body there;
/// ids stand in headings, and a spec whose id the text names comes first whatever the fields.
fn fields(query: &Query) -> Result<Vec<(String, f32)>, ReadFailure> {
    let mut fields: Vec<(String, f32)> = Vec::new();
    for asked in &query.fields {
        if !asked.weight.is_finite() || asked.weight < 0.0 {
            return Err(ReadFailure::new("unknown_field", format!("the weight of {:?} is no weight", asked.field)));
        }
        let name = match asked.field.as_str() {
            "code" => "body",
            "ids" => "headings",
            same => same,
        };
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, weight)) => *weight = weight.max(asked.weight),
            None => fields.push((name.to_owned(), asked.weight)),
        }
    }
    Ok(fields)
}

/// One filter of a listing, taken apart once: every spec is held against it.
enum Filter<'a> {
    Tag(&'a str),
    PathPrefix(&'a str),
    /// One of these, with its value or with any.
    Attribute(Vec<(&'a str, Option<&'a str>)>),
}

impl<'a> Filter<'a> {
    fn of(filter: &'a Attr) -> Result<Self, ReadFailure> {
        match filter.key.as_str() {
            "tag" => Ok(Self::Tag(&filter.value)),
            "path-prefix" => Ok(Self::PathPrefix(&filter.value)),
            "attribute" => {
                let one = |line: &'a str| line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
                Ok(Self::Attribute(filter.value.lines().map(one).collect()))
            }
            unknown => Err(ReadFailure::new("unknown_filter", format!("there is no filter {unknown:?}"))),
        }
    }

    fn passes(&self, spec: &SpecMeta) -> bool {
        match self {
            Self::Tag(tag) => spec.tags.iter().any(|known| known.eq_ignore_ascii_case(tag)),
            Self::PathPrefix(prefix) => spec.path.starts_with(prefix),
            Self::Attribute(wanted) => attributes(spec).any(|(family, name, value)| {
                let is_named = |key: &str| key.strip_prefix(family).is_some_and(|rest| rest == name);
                wanted.iter().any(|&(key, only)| is_named(key) && only.is_none_or(|only| only == value))
            }),
        }
    }
}

/// What plugins find in `extra`: each key in two parts, and its value. Nothing is copied, since a listing looks at those of
/// every spec.
fn attributes(spec: &SpecMeta) -> impl Iterator<Item = (&'static str, &str, &str)> {
    let ids = spec.ids.iter().map(|id| ("defines", "", id.as_str()));
    let written = spec.attributes.iter().map(|(key, value)| ("front-matter.", key.as_str(), value.as_str()));
    ids.chain(written).chain(spec.facts().map(|(key, value)| (key, "", value)))
}

fn meta(spec: &SpecMeta) -> plugins::SpecMeta {
    let attr =
        |(family, name, value): (&str, &str, &str)| Attr { key: format!("{family}{name}"), value: value.to_owned() };
    plugins::SpecMeta {
        id: spec.id.clone(),
        path: spec.path.clone(),
        title: spec.title.clone(),
        tags: spec.tags.clone(),
        revision: spec.revision.clone(),
        tokens: spec.tokens,
        extra: attributes(spec).map(attr).collect(),
    }
}

fn described(hit: SpecHit) -> Hit {
    let matched = hit.matched.into_iter().map(|word| Attr { key: "matched".into(), value: word });
    let fields = hit.fields.into_iter().map(|(f, s)| Attr { key: format!("score.{f}"), value: format!("{s:.3}") });
    let about = hit.evidence.map(|e| Attr { key: "about".into(), value: format!("{:.3}", e.about()) });
    let extra = matched.chain(fields).chain(about).collect();
    Hit { spec: meta(&hit.spec), section: hit.section, score: hit.score, extra }
}

fn failure(error: &SpecError) -> ReadFailure {
    let code = match error {
        SpecError::UnknownSpec(_) => "unknown_spec",
        SpecError::UnknownSection { .. } => "unknown_section",
        SpecError::UnknownField { .. } => "unknown_field",
        SpecError::Unreadable { path, reason } => {
            // The path is relative; what the system says of it stays with us.
            tracing::debug!(path, reason, "a plugin asked for a spec that cannot be read");
            return ReadFailure::new("unavailable", format!("{path} cannot be read"));
        }
        other => {
            tracing::warn!(error = %other, "a plugin's call to the spec index failed");
            return ReadFailure::new("unavailable", "the spec index cannot answer");
        }
    };
    ReadFailure::new(code, error.to_string())
}
