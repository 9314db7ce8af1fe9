//! The headings of an AsciiDoc document: `==` before them (or `##`), or the older form with a line under them.
//!
//! Delimited blocks hold none, and a `[discrete]` heading structures no document.

use super::headings::{Heading, adornment, lines};

/// What delimits blocks, in lines of four and more: listing, literal, example, comment, passthrough, quote, sidebar.
const DELIMITERS: &str = "-.=/+_*";
/// The characters under a title, by level.
const UNDERLINES: &str = "=-~^+";

pub(super) fn headings(body: &str) -> Vec<Heading> {
    let lines: Vec<(usize, &str)> = lines(body).collect();
    let mut headings = Vec::new();
    let mut block: Option<&str> = None;
    let mut discrete = false;
    let mut i = 0;
    while i < lines.len() {
        let (start, line) = lines[i];
        let mut next = i + 1;
        if let Some(delimiter) = block {
            if line == delimiter {
                block = None;
            }
        } else if let Some((level, text)) = marked(line) {
            headings.extend((!discrete).then(|| Heading { text: text.to_owned(), level, start }));
            discrete = false;
        } else if let Some(level) = underlined(&lines, i) {
            headings.extend((!discrete).then(|| Heading { text: line.to_owned(), level, start }));
            discrete = false;
            next += 1;
        } else if let Some(closing) = opens(line) {
            block = Some(closing);
            discrete = false;
        } else if line.starts_with('[') && line.ends_with(']') {
            discrete |= line.starts_with("[discrete") || line.starts_with("[float");
        } else if !line.is_empty() {
            discrete = false;
        }
        i = next;
    }
    headings
}

fn marked(line: &str) -> Option<(u8, &str)> {
    let mark = line.chars().next().filter(|c| matches!(c, '=' | '#'))?;
    let level = line.chars().take_while(|c| *c == mark).count();
    let text = line[level..].strip_prefix(' ')?.trim();
    ((1..=6).contains(&level) && !text.is_empty()).then_some((level as u8, text))
}

/// The level of a title whose next line is as long as it is.
fn underlined(lines: &[(usize, &str)], i: usize) -> Option<u8> {
    let title = lines[i].1;
    let begins = i == 0 || lines[i - 1].1.is_empty() || lines[i - 1].1.starts_with('[');
    let named =
        title.starts_with(|c: char| !c.is_whitespace() && !"[.|:-*/+".contains(c)) && adornment(title).is_none();
    let under = lines.get(i + 1)?.1;
    let level = UNDERLINES.chars().position(|mark| adornment(under) == Some(mark))?;
    let fits = under.chars().count().abs_diff(title.chars().count()) <= 1;
    (begins && named && fits).then_some(level as u8 + 1)
}

/// The line that closes the block that this line opens.
fn opens(line: &str) -> Option<&str> {
    if line == "--" {
        return Some(line);
    }
    if line.starts_with("```") {
        return Some("```");
    }
    adornment(line).filter(|mark| DELIMITERS.contains(*mark) && line.len() >= 4).map(|_| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(body: &str) -> Vec<(u8, String)> {
        headings(body).into_iter().map(|h| (h.level, h.text)).collect()
    }

    #[test]
    fn headings_stand_outside_of_blocks() {
        for (body, wanted) in [
            (
                "= Doc\n\n== One\n----\n== not\n----\n====\nexample\n====\n=== Two\n==no\n",
                vec![(1, "Doc"), (2, "One"), (3, "Two")],
            ),
            ("== One\n```sh\n== no\n```\n== Two\n", vec![(2, "One"), (2, "Two")]),
            ("....\n== no\n....\n////\n== no\n////\n--\n== no\n--\n== Yes\n", vec![(2, "Yes")]),
            ("[discrete]\n== No\n\n[#anchor]\n== Yes\n", vec![(2, "Yes")]),
            ("Title\n=====\n\nPart\n----\ntext\n\n----\nPart\n----\n", vec![(1, "Title"), (2, "Part")]),
            ("## Like Markdown\n", vec![(2, "Like Markdown")]),
            (".A listing\n----------\n== no\n----------\n", vec![]),
            ("|===\n| a | b\n|===\n", vec![]),
            ("======= Too deep\n", vec![]),
        ] {
            let wanted: Vec<(u8, String)> = wanted.into_iter().map(|(l, t)| (l, t.to_owned())).collect();
            assert_eq!(outline(body), wanted, "{body}");
        }
    }
}
