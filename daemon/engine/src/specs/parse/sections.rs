//! Cuts a body into sections: the text from one heading to the next, very long ones into parts at paragraph borders.
//!
//! Invariant: the ranges are in order, do not overlap, and together cover the body except for blank stretches.

use std::collections::HashMap;
use std::ops::Range;

use super::super::catalog::SectionMeta;
use super::super::tokens;
use super::headings::{self, Heading};

/// A longer section is cut into parts, so that a budget can take some of it.
const MAX_TOKENS: u32 = 1500;
/// A text of at most this many bytes cannot have more tokens than `MAX_TOKENS`.
const SURELY_SHORT: usize = MAX_TOKENS as usize;
/// How long the slug of one heading may be.
const MAX_SLUG: usize = 48;

/// The sections of `body`, which begins at `offset` in the file.
pub(super) fn build(body: &str, offset: usize, headings: &[Heading]) -> Vec<SectionMeta> {
    let mut builder = Builder { body, offset, sections: Vec::new(), taken: HashMap::new(), open: Vec::new() };
    let first = headings.first().map_or(body.len(), |h| h.start);
    builder.add("", 0, 0..first, None);
    let document = headings::over_all(headings).map(|h| h.start);
    for (i, heading) in headings.iter().enumerate() {
        let end = headings.get(i + 1).map_or(body.len(), |next| next.start);
        let over_all = document == Some(heading.start);
        builder.add_under(heading, heading.start..end, over_all);
    }
    builder.sections
}

struct Builder<'a> {
    body: &'a str,
    offset: usize,
    sections: Vec<SectionMeta>,
    /// How often a slug was wanted.
    taken: HashMap<String, u32>,
    /// The headings that the next one may stand under: level and section.
    open: Vec<(u8, u32)>,
}

impl Builder<'_> {
    fn add_under(&mut self, heading: &Heading, range: Range<usize>, over_all: bool) {
        while self.open.last().is_some_and(|(level, _)| *level >= heading.level) {
            self.open.pop();
        }
        let parent = self.open.last().map(|(_, section)| *section);
        let section = self.sections.len() as u32;
        self.add(&heading.text, heading.level, range, parent);
        // The document's own title says nothing about where in the document a section stands.
        if !over_all && self.sections.len() as u32 > section {
            self.open.push((heading.level, section));
        }
    }

    fn add(&mut self, heading: &str, level: u8, range: Range<usize>, parent: Option<u32>) {
        let text = &self.body[range.clone()];
        if text.trim().is_empty() {
            return;
        }
        let id = self.unique_id(heading, parent);
        for (n, (part, tokens)) in parts(text).into_iter().enumerate() {
            self.sections.push(SectionMeta {
                id: if n == 0 { id.clone() } else { format!("{id}~{}", n + 1) },
                heading: heading.to_owned(),
                parent,
                level,
                part: u16::try_from(n + 1).unwrap_or(u16::MAX),
                start: (self.offset + range.start + part.start) as u32,
                end: (self.offset + range.start + part.end) as u32,
                tokens,
            });
        }
    }

    fn unique_id(&mut self, heading: &str, parent: Option<u32>) -> String {
        let own = if heading.is_empty() { "start".to_owned() } else { slug(heading) };
        let id = match parent.and_then(|p| self.sections.get(p as usize)) {
            Some(parent) => format!("{}/{own}", parent.id),
            None => own,
        };
        let wanted = self.taken.entry(id.clone()).or_insert(0);
        *wanted += 1;
        if *wanted == 1 { id } else { format!("{id}-{wanted}") }
    }
}

/// A heading in lower case with hyphens: letters and digits of any script stay.
fn slug(heading: &str) -> String {
    let mut slug = String::new();
    for c in heading.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.floor_char_boundary(MAX_SLUG));
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "section".to_owned() } else { slug.to_owned() }
}

/// The parts of a section with their tokens: one, unless it is very long.
fn parts(text: &str) -> Vec<(Range<usize>, u32)> {
    let whole = tokens::count(text);
    if text.len() <= SURELY_SHORT || whole <= MAX_TOKENS {
        return vec![(0..text.len(), whole)];
    }
    let mut parts: Vec<(Range<usize>, u32)> = Vec::new();
    for piece in paragraphs(text).into_iter().flat_map(|p| fitting(text, p)) {
        let tokens = tokens::count(&text[piece.clone()]);
        match parts.last_mut() {
            Some((range, sum)) if *sum + tokens <= MAX_TOKENS => {
                range.end = piece.end;
                *sum += tokens;
            }
            _ => parts.push((piece, tokens)),
        }
    }
    parts
}

/// The ranges of paragraphs, each with the blank lines after it.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut at, mut blank) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let empty = line.trim().is_empty();
        if blank && !empty {
            ranges.push(start..at);
            start = at;
        }
        blank = empty;
        at += line.len();
    }
    ranges.push(start..at);
    ranges
}

/// A paragraph, or its lines where it alone is too long. A line is never cut.
fn fitting(text: &str, paragraph: Range<usize>) -> Vec<Range<usize>> {
    let inner = &text[paragraph.clone()];
    if inner.len() <= SURELY_SHORT || tokens::count(inner) <= MAX_TOKENS {
        return vec![paragraph];
    }
    let mut at = paragraph.start;
    inner
        .split_inclusive('\n')
        .map(|line| {
            let start = at;
            at += line.len();
            start..at
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::format::Format;
    use super::*;

    fn sections(body: &str) -> Vec<SectionMeta> {
        build(body, 0, &headings::find(Format::Markdown, body))
    }

    #[test]
    fn ids_are_paths_of_headings_and_unique() {
        let body = "lead\n# Doc\n## Recovery\nx\n### After a crash!\nx\n## Recovery\nx\n### After a crash!\nx\n## ??\n";
        let ids: Vec<String> = sections(body).into_iter().map(|s| s.id).collect();
        let wanted =
            ["start", "doc", "recovery", "recovery/after-a-crash", "recovery-2", "recovery-2/after-a-crash", "section"];
        assert_eq!(ids, wanted);
    }

    #[test]
    fn a_long_section_is_cut_at_paragraphs() {
        let paragraph = format!("{}\n\n", "some words of text ".repeat(50).trim_end());
        let body = format!("# Long\n\n{}", paragraph.repeat(20));
        let sections = sections(&body);
        assert!(sections.len() > 2);
        assert_eq!(sections[1].id, "long~2");
        assert!(sections.iter().all(|s| s.tokens <= MAX_TOKENS && s.heading == "Long"));
        for pair in sections.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
            assert!(body[..pair[0].end as usize].ends_with("\n\n"));
        }
        assert_eq!(sections.last().map(|s| s.end as usize), Some(body.len()));
    }

    #[test]
    fn a_table_without_blank_lines_is_cut_at_lines() {
        let body = "| a | b | c | d |\n".repeat(1000);
        let sections = sections(&body);
        assert!(sections.len() > 1 && sections.iter().all(|s| s.tokens <= MAX_TOKENS));
    }
}
