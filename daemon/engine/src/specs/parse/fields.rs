//! The fields at the head of reStructuredText and AsciiDoc documents: `:Author: name`, before or right after the title.
//!
//! The fields stay part of the text; only their meaning is taken out.

use serde_json::Value;

use super::super::format::Format;
use super::front_matter::FrontMatter;
use super::headings::{adornment, lines};

/// The head of a document has no more lines.
const SEARCHED_LINES: usize = 60;

/// Reads the first block of fields of a document whose format has such a thing.
pub(super) fn read(format: Format, body: &str) -> FrontMatter {
    let mut front = FrontMatter::default();
    if !matches!(format, Format::ReStructuredText | Format::AsciiDoc) {
        return front;
    }
    for (key, value) in block(format, body) {
        front.take(key, &Value::String(value));
    }
    front
}

fn block(format: Format, body: &str) -> Vec<(&str, String)> {
    let lines: Vec<&str> = lines(body).map(|(_, line)| line).take(SEARCHED_LINES).collect();
    let mut fields: Vec<(&str, String)> = Vec::new();
    let mut titles = 0;
    for (i, line) in lines.iter().enumerate() {
        if let Some((key, value)) = field(line) {
            fields.push((key, value.to_owned()));
        } else if !fields.is_empty() {
            match fields.last_mut() {
                Some((_, value)) if line.starts_with([' ', '\t']) && format == Format::ReStructuredText => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                // `:!toc:` and comments may stand between the attributes of a document.
                _ if format == Format::AsciiDoc && (line.starts_with(":!") || line.starts_with("//")) => {}
                _ => break,
            }
        } else {
            // Before the fields there is a title at most, or what is not shown.
            let quiet = line.is_empty() || adornment(line).is_some() || line.starts_with([' ', '\t']);
            let comment = line.starts_with("..") || line.starts_with("//") || line.starts_with(":!");
            if !quiet && !comment {
                titles += 1;
                // An AsciiDoc title has its author and its revision on the next two lines.
                let below_title = format == Format::AsciiDoc && i > 0 && !lines[i - 1].is_empty();
                let allowed = if below_title { 3 } else { 1 };
                if titles > allowed {
                    break;
                }
            }
        }
    }
    fields
}

/// `:Key: value`; the key is a name.
fn field(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix(':')?.split_once(':')?;
    let first = key.starts_with(|c: char| c.is_ascii_alphabetic());
    let named = first && key.len() <= 32 && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_ ".contains(c));
    (named && (value.is_empty() || value.starts_with(' '))).then(|| (key, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(format: Format, body: &str) -> Vec<(String, String)> {
        read(format, body).attributes
    }

    fn expected(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn fields_stand_around_the_title() {
        let rst =
            "=====\nTitle\n=====\n\n:Author: A\n    and B\n:Status: Draft\n:Tags: one, two\n\nText\n\n:param x: no\n";
        let wanted = [("Author", "A and B"), ("Status", "Draft")];
        assert_eq!(attributes(Format::ReStructuredText, rst), expected(&wanted));
        assert_eq!(read(Format::ReStructuredText, rst).tags, ["one", "two"]);
        assert_eq!(attributes(Format::ReStructuredText, ":orphan:\n\nTitle\n=====\n"), expected(&[("orphan", "")]));
        let adoc = "= Title\nA. Uthor <a@x>\nv1.0, 2026-01-01\n:status: draft\n:!toc:\n:keywords: one, two\n\nText\n";
        assert_eq!(attributes(Format::AsciiDoc, adoc), expected(&[("status", "draft")]));
        assert_eq!(read(Format::AsciiDoc, adoc).tags, ["one", "two"]);
    }

    #[test]
    fn fields_in_the_text_are_none() {
        assert!(read(Format::ReStructuredText, "Title\n=====\n\nText.\n\n:param x: no\n").is_empty());
        assert!(read(Format::AsciiDoc, "= Title\n\nText.\n\n:status: no\n").is_empty());
        assert!(read(Format::Markdown, ":status: no\n").is_empty());
    }
}
