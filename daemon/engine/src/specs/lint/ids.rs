//! Ids that are defined more than once, so that they name nothing.
//!
//! Two specs that call themselves by one id are the catalog's own finding: see `TAKEN`.

use std::collections::BTreeMap;

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
        let mut in_headings = Vec::new();
        for section in spec.sections.iter().filter(|section| section.part == 1) {
            let Some(id) = ids::in_heading(&section.heading) else { continue };
            let line = text.map(|text| text.line_of(section.start as usize));
            in_headings.push(ids::normalise(&id));
            self.define(id, spec, line);
        }
        for id in spec.ids.iter().filter(|id| !is_told(id.as_str())) {
            if !in_headings.contains(&ids::normalise(id)) {
                let line = text.and_then(|text| text.line_where(|line| line.contains(id.as_str())));
                self.define(id.clone(), spec, line);
            }
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
