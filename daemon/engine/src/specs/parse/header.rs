//! Header blocks as PEPs and BIPs have them: lines of `Key: value` near the start, without fences.
//!
//! The block stays part of the text; only its meaning is taken out.

use serde_json::Value;

use super::front_matter::FrontMatter;

/// A header stands at the very start of a document, at most after a change note.
const SEARCHED_LINES: usize = 40;

/// Reads the first block of header lines that has a `Title`.
pub(super) fn read(body: &str) -> FrontMatter {
    let mut front = FrontMatter::default();
    let mut block: Vec<(&str, String)> = Vec::new();
    for line in body.lines().take(SEARCHED_LINES).chain([""]) {
        if let Some((key, value)) = key_value(line) {
            block.push((key, value.to_owned()));
        } else if let (true, Some(last)) = (line.starts_with([' ', '\t']) && !line.trim().is_empty(), block.last_mut())
        {
            last.1.push(' ');
            last.1.push_str(line.trim());
        } else if block.iter().any(|(key, _)| key.eq_ignore_ascii_case("title")) && block.len() > 1 {
            break;
        } else {
            block.clear();
        }
    }
    for (key, value) in block {
        front.take(key, &Value::String(value));
    }
    front
}

fn key_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once(':')?;
    let name = key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.len() <= 24
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let value = value.strip_prefix(' ').or(value.is_empty().then_some(""))?;
    name.then(|| (key, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_header_of_a_pep_and_of_a_bip() {
        let pep =
            "PEP: 257\nTitle: Docstring Conventions\nAuthor: A <a@x>,\n        B <b@x>\nStatus: Active\n\nAbstract\n";
        let bip = "RECENT CHANGES:\n* (16 Apr 2013) Added\n\n<pre>\n  BIP: 32\n  Title: HD Wallets\n  Status: Final\n</pre>\n";
        let front = read(pep);
        assert_eq!(
            (front.title.as_deref(), front.ids.as_slice()),
            (Some("Docstring Conventions"), &["PEP-257".to_owned()][..])
        );
        assert!(front.attributes.contains(&("Author".into(), "A <a@x>, B <b@x>".into())));
        let front = read(bip);
        assert_eq!((front.title.as_deref(), front.ids.as_slice()), (Some("HD Wallets"), &["BIP-32".to_owned()][..]));
    }

    #[test]
    fn prose_with_a_colon_is_no_header() {
        assert!(read("Note: this is prose.\nTitle\n\nMore: text\n").is_empty());
    }
}
