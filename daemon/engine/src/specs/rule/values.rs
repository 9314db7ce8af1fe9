//! The front matter of rule files, read as the tools read it: YAML where it is YAML, and line by line where it is not.
//!
//! The tools write `globs: *.ts,*.tsx` without quotes, which no YAML parser takes. Such a file is a rule like any other.

use serde_json::Value;

use super::RuleFault;

/// What stands between the fences, in order.
#[derive(Debug, Default, PartialEq)]
pub(in super::super) struct Values {
    pub entries: Vec<(String, Value)>,
    pub faults: Vec<RuleFault>,
}

impl Values {
    /// Line by line: `key: value`, lists as `[a, b]` or as lines with `-`, texts after `|` and `>`. `first` is the number of
    /// the first line in its file.
    pub(in super::super) fn of_lines(inner: &str, first: u32) -> Values {
        let mut values = Values::default();
        let mut open = Open::None;
        for (number, line) in (first..).zip(inner.lines()) {
            let text = line.trim();
            let indented = line.starts_with([' ', '\t']);
            if open == Open::Text && (indented || text.is_empty()) {
                values.add_to_text(text);
            } else if text.is_empty() || text.starts_with('#') {
                continue;
            } else if let (Some(item), true) = (item(text), open != Open::None) {
                values.add_item(item);
                open = Open::List;
            } else if let (Some((key, value)), false) = (key_value(text), indented) {
                let value = if is_prose(key) { value } else { without_comment(value) };
                open = match value {
                    "|" | ">" | "|-" | ">-" => Open::Text,
                    _ => Open::Any,
                };
                let value = if open == Open::Text { Value::String(String::new()) } else { scalar(value) };
                values.entries.push((key.to_owned(), value));
            } else if indented && open == Open::Any {
                values.add_to_text(text);
            } else {
                values.faults.push(RuleFault::Line { line: number });
            }
        }
        values
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    fn add_item(&mut self, text: &str) {
        let Some((key, value)) = self.entries.last_mut() else { return };
        let text = if is_prose(key) { text } else { without_comment(text) };
        match value {
            Value::Array(items) => items.push(scalar(text)),
            Value::String(before) if !before.is_empty() => *value = Value::Array(vec![scalar(before), scalar(text)]),
            other => *other = Value::Array(vec![scalar(text)]),
        }
    }

    fn add_to_text(&mut self, text: &str) {
        if let Some((_, Value::String(all))) = self.entries.last_mut() {
            if !all.is_empty() && !text.is_empty() {
                all.push(' ');
            }
            all.push_str(text);
        }
    }
}

/// What the next line may belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    /// A key: items or the rest of its text may follow.
    Any,
    List,
    Text,
}

fn item(text: &str) -> Option<&str> {
    text.strip_prefix('-').filter(|rest| rest.starts_with([' ', '\t'])).map(str::trim)
}

fn key_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let named = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (named && (value.is_empty() || value.starts_with([' ', '\t']))).then(|| (key, value.trim()))
}

/// What people write sentences after: there `#` may be meant.
fn is_prose(key: &str) -> bool {
    key == "description"
}

/// A value without ` # why` behind it. Between quotes `#` is part of the value.
fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '"' | '\'') && (before.is_whitespace() || ",[".contains(before)) => quote = Some(c),
            None if c == '#' && before.is_whitespace() => return text[..at].trim_end(),
            _ => {}
        }
        before = c;
    }
    text
}

fn scalar(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "" | "null" | "~" => Value::String(String::new()),
        _ => Value::String(unquoted(text).to_owned()),
    }
}

fn unquoted(text: &str) -> &str {
    ['"', '\''].into_iter().find_map(|q| text.strip_prefix(q)?.strip_suffix(q)).unwrap_or(text)
}

/// The items of a list, however it is written: as a list, as `[a, b]`, or with commas, of which those in braces are none.
pub(super) fn items(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(items).collect(),
        Value::String(text) => {
            let inner = text.trim();
            let inner = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(inner);
            split(inner)
                .into_iter()
                .map(|part| unquoted(part.trim()).trim().to_owned())
                .filter(|p| !p.is_empty())
                .collect()
        }
        _ => Vec::new(),
    }
}

fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            ',' if depth <= 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_however_they_are_written() {
        for (text, expected) in [
            ("globs: *.ts,*.tsx", vec!["*.ts", "*.tsx"]),
            ("globs: \"src/**/*.{ts,tsx}\", lib/*", vec!["src/**/*.{ts,tsx}", "lib/*"]),
            ("globs: [*.ts, '*.tsx']", vec!["*.ts", "*.tsx"]),
            ("globs:\n  - **/*.py\n  - \"tests/**\"", vec!["**/*.py", "tests/**"]),
            ("globs:\n- a\n- b", vec!["a", "b"]),
            ("globs:", vec![]),
            ("globs: *.ts, a#b # these", vec!["*.ts", "a#b"]),
            ("globs: # both\n  - \"a #b\" # quoted\n  - c # bare", vec!["a #b", "c"]),
        ] {
            let values = Values::of_lines(text, 2);
            assert!(values.faults.is_empty(), "{text}: {:?}", values.faults);
            assert_eq!(values.get("globs").map(items).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn texts_may_have_colons_and_more_lines_and_a_line_that_is_nothing_is_reported() {
        let values = Values::of_lines(
            "description: Use: when writing *.ts # 1\nalwaysApply: true # always\nlong: >\n  one\n  two\nplain: three\n  four\nnonsense\n",
            2,
        );
        let text = |key: &str| values.get(key).and_then(Value::as_str).map(str::to_owned);
        assert_eq!(text("description").as_deref(), Some("Use: when writing *.ts # 1"));
        assert_eq!(text("long").as_deref(), Some("one two"));
        assert_eq!(text("plain").as_deref(), Some("three four"));
        assert_eq!(values.get("alwaysApply"), Some(&Value::Bool(true)));
        assert_eq!(values.faults, [RuleFault::Line { line: 9 }]);
    }
}
