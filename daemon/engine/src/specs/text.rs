//! The text of a spec file, and where in it the spec's own text and its sections stand.

use std::ops::Range;

use super::catalog::{SectionMeta, SpecMeta};
use super::parse;

/// A spec or a section of it, as it is on disk now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecText {
    pub text: String,
    /// The revision of the file that the text is from.
    pub revision: String,
    /// The file is not (or not yet) in the index as it was read here.
    pub newer_than_index: bool,
}

impl SpecText {
    /// Of the text of a whole file: the part without front matter, or one section with its heading. The ranges of `spec`
    /// count where the file is the one that it describes; in a newer file they are looked for.
    pub fn part(&self, spec: &SpecMeta, section: Option<&str>) -> Option<&str> {
        let range = if self.revision == spec.revision {
            range(&spec.sections, section)
        } else {
            range(&parse::parse(&spec.path, &self.text).sections, section)
        };
        self.text.get(range?)
    }
}

/// Where a section stands; without one, where all of them stand.
fn range(sections: &[SectionMeta], section: Option<&str>) -> Option<Range<usize>> {
    let (first, last) = match section {
        Some(id) => sections.iter().find(|s| s.id == id).map(|s| (s, s))?,
        // A file without sections has front matter at most.
        None => match (sections.first(), sections.last()) {
            (Some(first), Some(last)) => (first, last),
            _ => return Some(0..0),
        },
    };
    Some(first.start as usize..last.end as usize)
}
