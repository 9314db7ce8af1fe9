//! Ids that are defined more than once, so that they name nothing.
//!
//! Two specs that call themselves by one id are the catalog's own finding: see `TAKEN`.

use std::collections::{BTreeMap, BTreeSet};

use super::super::catalog::{SpecMeta, TAKEN};
use super::super::parse::ids;
use super::finding::{Finding, FindingCode};
use super::text::Text;

/// Who defines which id, in its normal form.
#[derive(Default)]
pub(super) struct Ids {
    defined: BTreeMap<String, Vec<Definition>>,
}

struct Definition {
    written: String,
    path: String,
    line: Option<u32>,
}

impl Ids {
    /// Adds what a spec defines. `text` is its file, where that is as it was indexed.
    pub(super) fn add(&mut self, spec: &SpecMeta, text: Option<&Text<'_>>) {
        let is_told = |id: &str| spec.warnings.iter().any(|warning| warning.contains(TAKEN) && warning.contains(id));
        let mut in_headings = BTreeSet::new();
        for section in spec.sections.iter().filter(|section| section.part == 1) {
            let Some(id) = ids::in_heading(&section.heading) else { continue };
            let line = text.map(|text| text.line_of(section.start as usize));
            in_headings.insert(ids::normalise(&id));
            self.define(id, spec, line);
        }
        let besides = spec.ids.iter().filter(|id| !in_headings.contains(&ids::normalise(id)) && !is_told(id.as_str()));
        let besides: Vec<&str> = besides.map(String::as_str).collect();
        let lines = text.map(|text| lines_of(&besides, text)).unwrap_or_default();
        for id in besides {
            self.define(id.to_owned(), spec, lines.get(id).copied());
        }
    }

    fn define(&mut self, written: String, spec: &SpecMeta, line: Option<u32>) {
        let definition = Definition { path: spec.path.clone(), line, written };
        self.defined.entry(ids::normalise(&definition.written)).or_default().push(definition);
    }

    /// Each definition of an id but the first.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for definitions in self.defined.values() {
            let Some((first, others)) = definitions.split_first() else { continue };
            for other in others {
                let place = match (first.path == other.path, first.line) {
                    (true, Some(line)) => format!("in line {line}"),
                    (true, None) => "above".to_owned(),
                    (false, Some(line)) => format!("in {}:{line}", first.path),
                    (false, None) => format!("in {}", first.path),
                };
                findings.push(Finding {
                    code: FindingCode::AmbiguousId,
                    path: other.path.clone(),
                    line: other.line,
                    message: format!("the id {} is defined {place} too", other.written),
                });
            }
        }
        findings
    }
}

/// The first line of each of these, in one pass that ends with the last of them.
fn lines_of<'i>(ids: &[&'i str], text: &Text<'_>) -> BTreeMap<&'i str, u32> {
    let mut wanted = ids.to_vec();
    let mut found = BTreeMap::new();
    for (number, line) in (1_u32..).zip(text.text.lines()) {
        if wanted.is_empty() {
            break;
        }
        wanted.retain(|id| {
            let is_here = line.contains(id);
            if is_here {
                found.insert(*id, number);
            }
            !is_here
        });
    }
    found
}
