//! A list in a TOML file, taken apart so that each entry keeps the comments above and beside it when others come and go.
//!
//! `toml_edit` has what stands between two entries with the later one, the comment beside the earlier one too.

use toml_edit::{Array, Value};

/// Where the new entries of a list with lines stand that has none to look at.
const INDENT: &str = "\n    ";

pub(super) struct List {
    /// What follows the opening bracket on its line.
    start: String,
    pub(super) entries: Vec<Entry>,
    /// What stands before the closing bracket, from a new line on.
    end: String,
    /// Whether entries stand on lines of their own.
    in_lines: bool,
    trailing_comma: bool,
}

pub(super) struct Entry {
    /// From the end of the line before: line break, comments, indentation.
    above: String,
    value: Value,
    /// What follows on its line.
    beside: String,
}

impl Entry {
    pub(super) fn name(&self) -> Option<&str> {
        self.value.as_str()
    }
}

impl List {
    pub(super) fn of(array: &Array) -> Self {
        let mut list = Self {
            start: String::new(),
            entries: Vec::with_capacity(array.len()),
            end: String::new(),
            in_lines: false,
            trailing_comma: array.trailing_comma(),
        };
        // What stands behind the last entry and before its comma, if it has one.
        let mut behind = String::new();
        for value in array.iter() {
            let text =
                |raw: Option<&toml_edit::RawString>| raw.and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
            let above = list.end_of_line(&(behind + &text(value.decor().prefix())));
            behind = text(value.decor().suffix());
            list.entries.push(Entry { above, value: value.clone(), beside: String::new() });
        }
        list.end = list.end_of_line(&(behind + array.trailing().as_str().unwrap_or_default()));
        list.in_lines = list.end.contains('\n') || list.entries.iter().any(|entry| entry.above.contains('\n'));
        list
    }

    /// Gives what ends a line to whoever stands last on it; gives back the rest. Without a line break all of it is before
    /// the next entry, or after the bracket.
    fn end_of_line(&mut self, text: &str) -> String {
        let last = self.entries.last_mut().map(|entry| &mut entry.beside);
        let at = match (text.find('\n'), &last) {
            (Some(at), _) => at,
            (None, Some(_)) => 0,
            (None, None) => text.len(),
        };
        text[..at].clone_into(last.unwrap_or(&mut self.start));
        text[at..].to_owned()
    }

    pub(super) fn push(&mut self, name: &str) {
        let above = match self.entries.last() {
            Some(last) if self.in_lines => last.above.rfind('\n').map_or(INDENT, |at| &last.above[at..]).to_owned(),
            None if self.in_lines => INDENT.to_owned(),
            Some(_) => " ".to_owned(),
            None => String::new(),
        };
        self.entries.push(Entry { above, value: name.into(), beside: String::new() });
    }

    pub(super) fn write(self, array: &mut Array) {
        array.clear();
        array.set_trailing_comma(!self.entries.is_empty() && (self.in_lines || self.trailing_comma));
        let mut line = self.start;
        for (at, entry) in self.entries.into_iter().enumerate() {
            // What was a blank between two entries is none behind the bracket.
            let above = if at > 0 || entry.above.contains('\n') { entry.above } else { String::new() };
            array.push_formatted(entry.value.decorated(line + &above, ""));
            line = entry.beside;
        }
        array.set_trailing(line + &self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list without its first entry and with another one at its end.
    fn shifted(text: &str) -> String {
        let mut array: Array = match text.parse() {
            Ok(Value::Array(array)) => array,
            other => panic!("{other:?}"),
        };
        let mut list = List::of(&array);
        if !list.entries.is_empty() {
            list.entries.remove(0);
        }
        list.push("new");
        list.write(&mut array);
        Value::Array(array).to_string()
    }

    #[test]
    fn entries_keep_their_comments_and_the_list_its_form() {
        for (before, after) in [
            ("[]", r#"["new"]"#),
            (r#"["a"]"#, r#"["new"]"#),
            (r#"["a", "b"]"#, r#"["b", "new"]"#),
            (r#"["a", 'b', ]"#, r#"['b', "new", ]"#),
            ("[\n]", "[\n    \"new\",\n]"),
            ("[\n  \"a\", # a\n  # b\n  \"b\" # beside b\n]", "[\n  # b\n  \"b\", # beside b\n  \"new\",\n]"),
            ("[ # all\n\t\"a\",\n\t\"b\",\n\t# the end\n]", "[ # all\n\t\"b\",\n\t\"new\",\n\t# the end\n]"),
        ] {
            assert_eq!(shifted(before).trim(), after, "{before}");
        }
    }
}
