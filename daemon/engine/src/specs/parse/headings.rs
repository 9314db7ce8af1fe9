//! Finds the headings of a document in its markup; Markdown's have a file of their own.
//!
//! The other formats are read line by line: a heading there is one or two lines that nothing else in the format looks like,
//! outside of literal blocks.

use super::super::source::Format;
use super::markdown;

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
        Format::ReStructuredText => restructured_text(body),
        Format::AsciiDoc => marked(body, asciidoc_heading, asciidoc_fence),
        Format::MediaWiki => marked(body, mediawiki_heading, mediawiki_fence),
        Format::PlainText => Vec::new(),
    }
}

/// The heading over the whole document: the only one of its level, and the first of all.
pub(super) fn over_all(headings: &[Heading]) -> Option<&Heading> {
    let first = headings.first()?;
    let same = headings.iter().filter(|h| h.level <= first.level).count();
    (same == 1).then_some(first)
}

/// A line of a body and where it begins.
fn lines(body: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    body.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end())
    })
}

/// Titles with a line of punctuation under (and perhaps over) them; levels in the order in which the styles appear.
fn restructured_text(body: &str) -> Vec<Heading> {
    let lines: Vec<(usize, &str)> = lines(body).collect();
    let mut styles: Vec<(char, bool)> = Vec::new();
    let mut headings = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        let rule = |n: usize| lines.get(n).and_then(|(_, l)| adornment(l));
        let title = |n: usize| lines.get(n).map(|(_, l)| l.trim()).filter(|l| !l.is_empty() && adornment(l).is_none());
        let long_enough = |n: usize, title: &str| lines[n].1.chars().count() + 1 >= title.chars().count();
        let blank_before = i == 0 || lines[i - 1].1.is_empty();
        let found = match (rule(i), title(i), title(i + 1)) {
            (Some(over), _, Some(text)) if rule(i + 2) == Some(over) && long_enough(i + 2, text) => {
                Some((text, over, true, 3))
            }
            (_, Some(text), _) if blank_before && !lines[i].1.starts_with(' ') => {
                rule(i + 1).filter(|_| long_enough(i + 1, text)).map(|under| (text, under, false, 2))
            }
            _ => None,
        };
        let Some((text, mark, over, length)) = found else {
            i += 1;
            continue;
        };
        let level = styles.iter().position(|s| *s == (mark, over)).unwrap_or_else(|| {
            styles.push((mark, over));
            styles.len() - 1
        });
        headings.push(Heading {
            text: text.to_owned(),
            level: u8::try_from(level + 1).unwrap_or(u8::MAX),
            start: lines[i].0,
        });
        i += length;
    }
    headings
}

/// The character of a line that is nothing but one punctuation character, at least three times.
fn adornment(line: &str) -> Option<char> {
    let first = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() >= 3 && line.chars().all(|c| c == first)).then_some(first)
}

/// Formats whose headings carry their level in the line.
fn marked(
    body: &str,
    heading: fn(&str) -> Option<(u8, String)>,
    fence: fn(&str, Option<&str>) -> Option<Option<String>>,
) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut literal: Option<String> = None;
    for (start, line) in lines(body) {
        if let Some(now) = fence(line, literal.as_deref()) {
            literal = now;
        } else if literal.is_none() {
            headings.extend(heading(line).map(|(level, text)| Heading { text, level, start }));
        }
    }
    headings
}

fn asciidoc_heading(line: &str) -> Option<(u8, String)> {
    let level = line.bytes().take_while(|b| *b == b'=').count();
    let text = line[level..].strip_prefix(' ')?.trim();
    ((1..=6).contains(&level) && !text.is_empty()).then(|| (level as u8, text.to_owned()))
}

/// Listing, literal, example, comment and passthrough blocks; answers with the state after a line that opens or closes one.
fn asciidoc_fence(line: &str, inside: Option<&str>) -> Option<Option<String>> {
    match inside {
        Some(open) => (line == open).then_some(None),
        None => {
            let mark = adornment(line).filter(|c| "-.=+/".contains(*c) && line.len() >= 4)?;
            (mark != '=' || line.len() >= 4).then(|| Some(line.to_owned()))
        }
    }
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
    fn restructured_text_levels_follow_first_appearance() {
        let body = "=====\nTitle\n=====\n\nIntro\n-----\ntext\n\nDeep\n''''\n\nNext\n----\n\n  code\n  ----\n\n=== ===\na   b\n=== ===\n";
        let wanted = [(1, "Title"), (2, "Intro"), (3, "Deep"), (2, "Next")];
        assert_eq!(outline(Format::ReStructuredText, body), expected(&wanted));
    }

    #[test]
    fn asciidoc_headings_outside_blocks() {
        let body = "= Doc\n\n== One\n----\n== not\n----\n====\nexample\n====\n=== Two\n==no\n";
        assert_eq!(outline(Format::AsciiDoc, body), expected(&[(1, "Doc"), (2, "One"), (3, "Two")]));
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
