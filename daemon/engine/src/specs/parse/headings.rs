//! Finds the headings of a document in its markup; each format but MediaWiki has a file of its own.
//!
//! Markdown has a parser. The other formats are read line by line: a heading there is one or two lines that nothing else in
//! the format looks like, outside of literal blocks.

use super::super::format::Format;
use super::{asciidoc, markdown, mdx, plain_text, restructured_text};

/// A heading and where it stands in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub text: String,
    /// 1 is the outermost.
    pub level: u8,
    /// Where its first line begins.
    pub start: usize,
}

pub(super) fn find(format: Format, body: &str) -> Vec<Heading> {
    match format {
        Format::Markdown => markdown::headings(body),
        Format::Mdx => mdx::headings(body),
        Format::ReStructuredText => restructured_text::headings(body),
        Format::AsciiDoc => asciidoc::headings(body),
        Format::MediaWiki => mediawiki(body),
        Format::PlainText => plain_text::headings(body),
    }
}

/// The heading over the whole document: the only one of its level, and the first of all.
pub(super) fn over_all(headings: &[Heading]) -> Option<&Heading> {
    let first = headings.first()?;
    let same = headings.iter().filter(|h| h.level <= first.level).count();
    (same == 1).then_some(first)
}

/// A line of a body and where it begins.
pub(super) fn lines(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    body.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end())
    })
}

/// The character of a line that is nothing but one punctuation character, at least three times.
pub(super) fn adornment(line: &str) -> Option<char> {
    let first = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 3 && line.chars().all(|c| c == first)).then_some(first)
}

/// The styles of underlined titles in the order in which they first appear, which is that of their levels.
#[derive(Default)]
pub(super) struct Styles(Vec<(char, bool)>);

impl Styles {
    /// The level of a title with this character under it, and over it or not.
    pub(super) fn level(&mut self, mark: char, over: bool) -> u8 {
        let known = self.0.iter().position(|style| *style == (mark, over));
        let at = known.unwrap_or_else(|| {
            self.0.push((mark, over));
            self.0.len() - 1
        });
        u8::try_from(at + 1).unwrap_or(u8::MAX)
    }
}

fn mediawiki(body: &str) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut literal: Option<String> = None;
    for (start, line) in lines(body) {
        if let Some(now) = mediawiki_fence(line, literal.as_deref()) {
            literal = now;
        } else if literal.is_none() {
            headings.extend(mediawiki_heading(line).map(|(level, text)| Heading { text, level, start }));
        }
    }
    headings
}

fn mediawiki_heading(line: &str) -> Option<(u8, String)> {
    let level = line.bytes().take_while(|b| *b == b'=').count();
    let inner = line.get(level..)?.strip_suffix(&"=".repeat(level))?.trim();
    ((1..=6).contains(&level) && !inner.is_empty()).then(|| (level as u8, inner.to_owned()))
}

fn mediawiki_fence(line: &str, inside: Option<&str>) -> Option<Option<String>> {
    let lower = line.to_ascii_lowercase();
    match inside {
        Some(tag) => lower.contains(&format!("</{tag}>")).then_some(None),
        None => ["pre", "source", "syntaxhighlight", "nowiki"].into_iter().find_map(|tag| {
            let opens = lower.contains(&format!("<{tag}>")) || lower.contains(&format!("<{tag} "));
            (opens && !lower.contains(&format!("</{tag}>"))).then(|| Some(tag.to_owned()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(format: Format, body: &str) -> Vec<(u8, String)> {
        find(format, body).into_iter().map(|h| (h.level, h.text)).collect()
    }

    fn expected(list: &[(u8, &str)]) -> Vec<(u8, String)> {
        list.iter().map(|(l, t)| (*l, (*t).to_owned())).collect()
    }

    #[test]
    fn mediawiki_headings_outside_pre() {
        let body = "<pre>\n==no==\n</pre>\n==Abstract==\ntext\n=== Deeper ===\na == b\n";
        assert_eq!(outline(Format::MediaWiki, body), expected(&[(2, "Abstract"), (3, "Deeper")]));
    }

    #[test]
    fn only_a_heading_without_siblings_stands_over_all() {
        let one = find(Format::Markdown, "# A\n## B\n## C\n");
        assert_eq!(over_all(&one).map(|h| h.text.as_str()), Some("A"));
        assert_eq!(over_all(&find(Format::Markdown, "# A\n# B\n")), None);
        assert_eq!(over_all(&find(Format::Markdown, "## A\n# B\n")), None);
    }
}
