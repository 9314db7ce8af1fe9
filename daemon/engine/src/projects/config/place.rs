//! Where in a configuration file a key stands.
//!
//! Works on a text and judges nothing: a text that does not parse has no places.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file's text, taken apart.
#[derive(Debug)]
pub(super) struct Outline<'t> {
    document: Option<Spanned<DeTable<'t>>>,
    /// Where each line but the first begins.
    breaks: Vec<usize>,
}

/// How far a path of keys leads in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// To the key, in this line.
    Here(u32),
    /// Into a list that does not have it. Lists are replaced, not merged: what another file says there does not count.
    NotInList,
    Nowhere,
}

impl<'t> Outline<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1).collect();
        Self { document: DeTable::parse(text).ok(), breaks }
    }

    /// The line of a byte, counted from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        let before = self.breaks.partition_point(|begin| *begin <= at);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The line of a key of the file's outermost table.
    pub(super) fn line_of_top(&self, key: &str) -> Option<u32> {
        let (key, _) = self.document.as_ref()?.get_ref().get_key_value(key)?;
        Some(self.line(key.span().start))
    }

    pub(super) fn find(&self, path: &[String]) -> Found {
        let (Some(document), Some((first, rest))) = (&self.document, path.split_first()) else { return Found::Nowhere };
        let Some((key, mut value)) = document.get_ref().get_key_value(first.as_str()) else { return Found::Nowhere };
        let (mut span, mut in_list) = (key.span(), false);
        for step in rest {
            let next = match value.get_ref() {
                DeValue::Table(table) => table.get_key_value(step.as_str()).map(|(key, value)| (key.span(), value)),
                DeValue::Array(items) => {
                    in_list = true;
                    let item = step.parse::<usize>().ok().and_then(|at| items.get(at));
                    item.map(|item| (item.span(), item))
                }
                _ => None,
            };
            match next {
                Some(found) => (span, value) = found,
                None if in_list => return Found::NotInList,
                None => return Found::Nowhere,
            }
        }
        Found::Here(self.line(span.start))
    }

    /// The key, or the key of the value, at this span; places in lists are left out of it.
    pub(super) fn path_at(&self, span: &Range<usize>) -> Option<Vec<String>> {
        let mut path = Vec::new();
        lead_to(self.document.as_ref()?.get_ref(), span, &mut path).then_some(path)
    }
}

/// Whether the table has what is at this span; then `path` leads there. No deeper than the parser lets tables nest.
fn lead_to(table: &DeTable<'_>, wanted: &Range<usize>, path: &mut Vec<String>) -> bool {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        if key.span() == *wanted || is_or_has(value, wanted, path) {
            return true;
        }
        path.pop();
    }
    false
}

fn is_or_has(value: &Spanned<DeValue<'_>>, wanted: &Range<usize>, path: &mut Vec<String>) -> bool {
    if value.span() == *wanted {
        return true;
    }
    match value.get_ref() {
        DeValue::Table(table) => lead_to(table, wanted, path),
        DeValue::Array(items) => items.iter().any(|item| is_or_has(item, wanted, path)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n\n[t]\nb = [1, 2]\n\n[[t.list]]\nname = \"x\"\n[[t.list]]\nname = \"y\"\nc.d = 2\n";

    fn find(path: &str) -> Found {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        Outline::of(TEXT).find(&path)
    }

    #[test]
    fn a_key_is_found_with_its_line_also_in_lists() {
        for (path, line) in [("a", 1), ("t.b", 4), ("t.list.0.name", 7), ("t.list.1.name", 9), ("t.list.1.c.d", 10)] {
            assert_eq!(find(path), Found::Here(line), "{path}");
        }
        for path in ["b", "t.c", "a.b", "t.b.c.d"] {
            assert!(!matches!(find(path), Found::Here(_)), "{path}");
        }
        for path in ["t.list.2", "t.list.0.c", "t.b.7"] {
            assert_eq!(find(path), Found::NotInList, "{path}");
        }
        assert_eq!(Outline::of("a = ").find(&["a".to_owned()]), Found::Nowhere);
    }

    #[test]
    fn a_span_is_told_as_the_key_that_it_is_of() {
        let outline = Outline::of(TEXT);
        for (part, path, line) in [("b", "t.b", 4), ("\"y\"", "t.list.name", 9), ("d", "t.list.c.d", 10), ("1", "a", 1)]
        {
            let at = TEXT.match_indices(part).map(|(at, _)| at).find(|at| outline.line(*at) == line).unwrap();
            assert_eq!(outline.path_at(&(at..at + part.len())).unwrap().join("."), path, "{part}");
        }
        assert_eq!(outline.path_at(&(0..TEXT.len() + 7)), None);
        assert_eq!(outline.line_of_top("t"), Some(3));
    }
}
