//! The headings of a plain text, as RFCs and older proposals have them: numbered, underlined, in capitals, or at the margin
//! of an indented text.
//!
//! A line counts only where it stands alone. Tables of contents, page headers and lists look much the same and are none.

use super::headings::{Heading, Styles, adornment, lines};

/// Nobody's heading is longer.
const MAX_CHARS: usize = 90;

pub(super) fn headings(body: &str) -> Vec<Heading> {
    let lines: Vec<(usize, &str)> = lines(body).collect();
    let mut styles = Styles::default();
    let mut found: Vec<Found> = Vec::new();
    for (i, (start, line)) in lines.iter().enumerate() {
        let text = line.trim_start_matches('\u{c}');
        if !alone_above(&lines, i) || !could_be_heading(text) {
            continue;
        }
        let (level, kind, rows) = if let Some(mark) = underline(&lines, i, text) {
            (styles.level(mark, false), Kind::Certain, 2)
        } else if lines.get(i + 1).is_some_and(|(_, next)| !next.is_empty()) {
            continue;
        } else if let Some(depth) = numbered(text) {
            (depth, Kind::Numbered, 1)
        } else if is_capitals(text) || (starts_indented_text(&lines, i) && is_name(text)) {
            (1, Kind::Certain, 1)
        } else {
            continue;
        };
        found.push(Found { heading: Heading { text: words(text), level, start: *start }, kind, line: i, rows });
    }
    without_lists(found, &lines)
}

struct Found {
    heading: Heading,
    kind: Kind,
    line: usize,
    /// How many lines it takes.
    rows: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Certain,
    /// An item of a list looks like this too.
    Numbered,
}

/// Numbered lines of one depth that follow each other with nothing between are a list, of which the last is an item too.
fn without_lists(found: Vec<Found>, lines: &[(usize, &str)]) -> Vec<Heading> {
    let follows = |one: &Found, other: &Found| {
        let between = lines.get(one.line + one.rows..other.line).unwrap_or_default();
        one.kind == Kind::Numbered
            && other.kind == Kind::Numbered
            && one.heading.level == other.heading.level
            && between.iter().all(|(_, line)| line.is_empty())
    };
    let items: Vec<bool> = (0..found.len())
        .map(|i| {
            let after = found.get(i + 1).is_some_and(|next| follows(&found[i], next));
            let before = i > 0 && follows(&found[i - 1], &found[i]);
            after || before
        })
        .collect();
    found.into_iter().zip(items).filter(|(_, item)| !item).map(|(found, _)| found.heading).collect()
}

fn alone_above(lines: &[(usize, &str)], i: usize) -> bool {
    // A new page begins with a form feed.
    i == 0 || lines[i - 1].1.trim_matches('\u{c}').is_empty() || lines[i].1.starts_with('\u{c}')
}

fn could_be_heading(text: &str) -> bool {
    let at_margin = text.starts_with(|c: char| c.is_alphanumeric());
    let contents =
        text.contains("...") || text.contains(". . .") || text.contains('\t') || text.trim_end().contains("    ");
    at_margin && !contents && text.chars().count() <= MAX_CHARS && !text.ends_with(['.', ',', ';', ':'])
}

/// The character of a line under a title that is about as long.
fn underline(lines: &[(usize, &str)], i: usize, text: &str) -> Option<char> {
    let under = lines.get(i + 1)?.1;
    let fits = under.chars().count().abs_diff(text.chars().count()) <= 2;
    adornment(under).filter(|mark| "=-~^*#+\"_".contains(*mark) && fits)
}

/// The depth of `1. Name`, `1.2  Name`, `Appendix A. Name` and `A.1. Name`.
fn numbered(text: &str) -> Option<u8> {
    if let Some(rest) = text.strip_prefix("Appendix ").or_else(|| text.strip_prefix("APPENDIX ")) {
        return rest.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()).then_some(1);
    }
    let (number, name) = text.split_once(' ')?;
    let parts: Vec<&str> = number.strip_suffix('.').unwrap_or(number).split('.').collect();
    let digits = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let letter = parts[0].len() == 1 && parts[0].starts_with(|c: char| c.is_ascii_uppercase());
    // `A Name` is prose, and so is `3 Names`: one part alone has its full stop.
    let counted = (digits(&parts[0]) || letter) && parts[1..].iter().all(digits);
    let marked = parts.len() > 1 || number.ends_with('.');
    let named = name.trim_start().starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    (counted && marked && named && parts.len() <= 6).then_some(parts.len() as u8)
}

fn is_capitals(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    letters.clone().count() >= 4 && letters.clone().all(char::is_uppercase) && text.chars().count() <= 60
}

/// A short name of words of which the first is capital, without a gap as page headers have it.
fn is_name(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.chars().count() <= 60 && !text.contains("  ") && !text.ends_with(']')
}

/// What follows the line is indented, as the text of an RFC is.
fn starts_indented_text(lines: &[(usize, &str)], i: usize) -> bool {
    let next = lines[i + 1..].iter().map(|(_, line)| line).find(|line| !line.is_empty());
    next.is_some_and(|line| line.starts_with("   "))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(body: &str) -> Vec<(u8, String)> {
        headings(body).into_iter().map(|h| (h.level, h.text)).collect()
    }

    #[test]
    fn headings_are_lines_that_stand_alone_and_are_no_list() {
        for (body, wanted) in [
            (
                "Abstract\n\n   Words.\n\n1.  Introduction\n\n   Words.\n\n1.1.  Terms\n\n   Words.\n\nAppendix A. Example\n\n   Words.\n",
                vec![(1, "Abstract"), (1, "1. Introduction"), (2, "1.1. Terms"), (1, "Appendix A. Example")],
            ),
            ("1. Introduction ........ 2\n\n2. Terms . . . . . . . . 3\n", vec![]),
            ("Steps:\n\n1. Open the file\n\n2. Close the file\n\nThen rest.\n", vec![]),
            ("1. Open the file\n2. Close it\n", vec![]),
            ("TITLE OF IT ALL\n\nWords.\n\nSHORT\n\nWords.\n", vec![(1, "TITLE OF IT ALL"), (1, "SHORT")]),
            ("Title\n=====\n\nPart\n----\nWords.\n\nNext\n----\n", vec![(1, "Title"), (2, "Part"), (2, "Next")]),
            ("Bradner        Best Current Practice        [Page 1]\n\n   Words.\n", vec![]),
            ("Words at the margin\n\nand more of them.\n", vec![]),
            ("This is a sentence.\n\n   quoted\n", vec![]),
            ("\u{c}2.  Next page\n\n   Words.\n", vec![(1, "2. Next page")]),
        ] {
            let wanted: Vec<(u8, String)> = wanted.into_iter().map(|(l, t)| (l, t.to_owned())).collect();
            assert_eq!(outline(body), wanted, "{body}");
        }
    }
}
