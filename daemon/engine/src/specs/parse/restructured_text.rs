//! The headings of a reStructuredText document: titles with a line of punctuation under (and perhaps over) them.
//!
//! Whatever is indented belongs to a directive or a literal block and holds none. Levels are in the order in which the
//! styles appear.

use super::headings::{Heading, Styles, adornment, lines};

/// How a line begins that is an item, a field, a directive or a doctest, and no title.
const NO_TITLES: &[&str] = &["- ", "* ", "+ ", ".. ", "| ", ">>> ", ":"];

pub(super) fn headings(body: &str) -> Vec<Heading> {
    let lines: Vec<(usize, &str)> = lines(body).collect();
    let mut styles = Styles::default();
    let mut headings = Vec::new();
    let mut i = 0;
    while i < lines.len() {
        let Some(found) = over_and_under(&lines, i).or_else(|| under(&lines, i)) else {
            i += 1;
            continue;
        };
        headings.push(Heading {
            text: found.text.to_owned(),
            level: styles.level(found.mark, found.over),
            start: lines[i].0,
        });
        i += if found.over { 3 } else { 2 };
    }
    headings
}

struct Found<'a> {
    text: &'a str,
    mark: char,
    over: bool,
}

fn over_and_under<'a>(lines: &[(usize, &'a str)], i: usize) -> Option<Found<'a>> {
    let mark = rule(lines, i)?;
    let text = title(lines, i + 1)?;
    (rule(lines, i + 2) == Some(mark) && long_enough(lines[i + 2].1, text)).then_some(Found { text, mark, over: true })
}

fn under<'a>(lines: &[(usize, &'a str)], i: usize) -> Option<Found<'a>> {
    let text = title(lines, i)?;
    // A target or a comment need not be parted from the title by a blank line.
    let begins = i == 0 || lines[i - 1].1.is_empty() || lines[i - 1].1.starts_with(".. ");
    let no_title = lines[i].1.starts_with([' ', '\t']) || NO_TITLES.iter().any(|start| text.starts_with(start));
    if !begins || no_title {
        return None;
    }
    let mark = rule(lines, i + 1).filter(|_| long_enough(lines[i + 1].1, text))?;
    Some(Found { text, mark, over: false })
}

fn rule(lines: &[(usize, &str)], n: usize) -> Option<char> {
    lines.get(n).and_then(|(_, line)| adornment(line))
}

fn title<'a>(lines: &[(usize, &'a str)], n: usize) -> Option<&'a str> {
    lines.get(n).map(|(_, line)| line.trim()).filter(|line| !line.is_empty() && adornment(line).is_none())
}

fn long_enough(rule: &str, title: &str) -> bool {
    rule.chars().count() + 1 >= title.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(body: &str) -> Vec<(u8, String)> {
        headings(body).into_iter().map(|h| (h.level, h.text)).collect()
    }

    #[test]
    fn levels_follow_first_appearance_and_what_is_no_title_is_none() {
        for (body, wanted) in [
            (
                "=====\nTitle\n=====\n\nIntro\n-----\ntext\n\nDeep\n''''\n\nNext\n----\n\n  code\n  ----\n\n=== ===\na   b\n=== ===\n",
                vec![(1, "Title"), (2, "Intro"), (3, "Deep"), (2, "Next")],
            ),
            (".. _label:\nAfter a target\n==============\n", vec![(1, "After a target")]),
            ("Code::\n\n   Not a title\n   ===========\n\nTitle\n=====\n", vec![(1, "Title")]),
            (".. code-block:: text\n\n    ======\n    Not it\n    ======\n", vec![]),
            ("- item\n------\n\n:field: x\n=========\n", vec![]),
            ("text\n\n----\n\nmore text after a transition\n", vec![]),
            ("A long title\n===\n", vec![]),
            ("1. Numbered\n===========\n", vec![(1, "1. Numbered")]),
            ("Größe\n=====\n", vec![(1, "Größe")]),
        ] {
            let wanted: Vec<(u8, String)> = wanted.into_iter().map(|(l, t)| (l, t.to_owned())).collect();
            assert_eq!(outline(body), wanted, "{body}");
        }
    }
}
