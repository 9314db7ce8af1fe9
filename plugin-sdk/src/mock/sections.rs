//! The headings and sections of a markdown text, named as the host names them. Pure.
//!
//! It knows the headings that begin with `#`. The host's parser also knows underlined ones, leaves out those in quotes
//! and lists, and cuts a section of more than 1,500 tokens into parts: `expiry`, `expiry~2`.

use std::collections::BTreeMap;

/// How long the name of one heading may be, in bytes.
const SLUG_MAX: usize = 48;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    /// Without marks of emphasis and code.
    pub(super) text: String,
    /// 1 is the outermost.
    level: usize,
    /// Where its line begins.
    start: usize,
}

/// A heading and what stands below it, up to the next heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// The headings that lead to it: `recovery/after-a-crash`; `start` before the first heading.
    pub(super) id: String,
    /// Empty before the first heading.
    pub(super) heading: String,
    pub(super) text: String,
}

/// The headings outside of fenced code.
pub(super) fn headings(text: &str) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut fence: Option<&str> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(*mark));
        match (fence, mark) {
            (None, None) => headings.extend(heading(line, start)),
            (None, Some(_)) => fence = mark,
            (Some(_), _) if fence == mark => fence = None,
            (Some(_), _) => {}
        }
        start += line.len();
    }
    headings
}

fn heading(line: &str, start: usize) -> Option<Heading> {
    let rest = line.trim_start_matches('#');
    let level = line.len() - rest.len();
    if !(1..=6).contains(&level) || !rest.starts_with([' ', '\t']) {
        return None;
    }
    let text = rest.replace(['`', '*'], "").split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Heading { text, level, start })
}

/// The heading over the whole document: the only one of its level, and the first of all.
pub(super) fn over_all(headings: &[Heading]) -> Option<&Heading> {
    let first = headings.first()?;
    let same = headings.iter().filter(|heading| heading.level <= first.level).count();
    (same == 1).then_some(first)
}

/// The sections in the order of the text. Together they are the text, but for blank lines before the first heading.
pub(super) fn build(text: &str, headings: &[Heading]) -> Vec<Section> {
    let mut names = Names::default();
    let mut sections = Vec::new();
    let lead = &text[..headings.first().map_or(text.len(), |first| first.start)];
    if !lead.trim().is_empty() {
        sections.push(Section { id: names.unique("start"), heading: String::new(), text: lead.to_owned() });
    }
    let document = over_all(headings);
    for (n, heading) in headings.iter().enumerate() {
        let end = headings.get(n + 1).map_or(text.len(), |next| next.start);
        let id = names.below(heading);
        // The document's own title says nothing about where in the document a section stands.
        if document != Some(heading) {
            names.open.push((heading.level, id.clone()));
        }
        sections.push(Section { id, heading: heading.text.clone(), text: text[heading.start..end].to_owned() });
    }
    sections
}

#[derive(Default)]
struct Names {
    /// How often a name was wanted.
    taken: BTreeMap<String, u32>,
    /// The sections that the next one may stand under: level and name.
    open: Vec<(usize, String)>,
}

impl Names {
    fn below(&mut self, heading: &Heading) -> String {
        while self.open.last().is_some_and(|(level, _)| *level >= heading.level) {
            self.open.pop();
        }
        let own = slug(&heading.text);
        let name = self.open.last().map_or_else(|| own.clone(), |(_, parent)| format!("{parent}/{own}"));
        self.unique(&name)
    }

    fn unique(&mut self, name: &str) -> String {
        let wanted = self.taken.entry(name.to_owned()).or_insert(0);
        *wanted += 1;
        if *wanted == 1 { name.to_owned() } else { format!("{name}-{wanted}") }
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
    slug.truncate(slug.floor_char_boundary(SLUG_MAX));
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "section".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same text and names as in the host's own test, `daemon/engine/src/specs/parse/sections.rs`.
    #[test]
    fn names_are_those_of_the_host() {
        let text = "lead\n# Doc\n## Recovery\nx\n### After a crash!\nx\n## Recovery\nx\n### After a crash!\nx\n## ??\n";
        let ids: Vec<String> = build(text, &headings(text)).into_iter().map(|section| section.id).collect();
        let host =
            ["start", "doc", "recovery", "recovery/after-a-crash", "recovery-2", "recovery-2/after-a-crash", "section"];
        assert_eq!(ids, host);
    }

    #[test]
    fn code_has_no_headings_and_sections_join_to_the_text() {
        let text = "\n\n# `pu` and *others*\n```sh\n# no\n~~~\n```\n#no\n## Next\n";
        let headings = headings(text);
        let found: Vec<(&str, usize)> = headings.iter().map(|heading| (heading.text.as_str(), heading.level)).collect();
        assert_eq!(found, [("pu and others", 1), ("Next", 2)]);
        let joined: String = build(text, &headings).into_iter().map(|section| section.text).collect();
        assert_eq!(joined, text.trim_start());
    }
}
