//! Ids such as `DAEMON-006`: which ones a spec defines, and which ones a text mentions.

use super::front_matter::FrontMatter;
use super::headings::Heading;

/// Names of standards that look like ids and stand in the headings of documents that do not define them.
const NOT_IDS: &[&str] =
    &["AES", "ASCII", "CRC", "CVE", "HTTP", "IEEE", "ISO", "MD", "RFC", "RSA", "SHA", "TLS", "UCS", "UTF", "WINDOWS"];

/// The ids that a document defines: in its front matter, or standing first (or in brackets) in a heading.
pub(super) fn defined(front: &FrontMatter, headings: &[Heading]) -> Vec<String> {
    let named = front.id.iter().chain(&front.ids).cloned();
    let mut ids: Vec<String> = named.chain(headings.iter().filter_map(|h| in_heading(&h.text))).collect();
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(normalise(id)));
    ids
}

/// The id that a heading defines.
pub(in super::super) fn in_heading(heading: &str) -> Option<String> {
    let bracketed = heading.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(id, _)| id.trim());
    let first = heading.split(|c: char| c.is_whitespace() || ":,;()—–".contains(c)).next();
    [bracketed, first].into_iter().flatten().find(|id| is_id(id)).map(str::to_owned)
}

/// Capitals, a hyphen, a number.
fn is_id(text: &str) -> bool {
    let Some((series, number)) = text.rsplit_once('-') else { return false };
    let capitals = (2..=24).contains(&series.len())
        && series.starts_with(|c: char| c.is_ascii_uppercase())
        && series.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    capitals
        && (1..=6).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && !NOT_IDS.contains(&series)
}

/// One spelling for `DAEMON-006`, `daemon-6` and `daemon 006`.
pub(in super::super) fn normalise(id: &str) -> String {
    let upper = id.trim().trim_matches(['[', ']', '#']).to_ascii_uppercase();
    match upper.rsplit_once(['-', ' ']) {
        Some((series, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
            let number = number.trim_start_matches('0');
            format!("{series}-{}", if number.is_empty() { "0" } else { number })
        }
        _ => upper,
    }
}

/// Every stretch of a text that could be an id, in its normal form: `auth-12`, `[AUTH-12]`, `PEP 8`, `AUTH-12/13`.
/// Most are none; the catalog knows which ones are.
pub(in super::super) fn mentioned(text: &str) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_' || c == '/'))
        .map(|w| w.trim_matches(['-', '_', '/']))
        .filter(|w| !w.is_empty())
        .collect();
    let mut found: Vec<String> = bracketed(text).map(normalise).collect();
    for (i, word) in words.iter().enumerate() {
        let number = |w: &str| w.len() <= 6 && !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
        if let Some((series, numbers)) = word.rsplit_once('-') {
            let ids = numbers.split('/').filter(|n| number(n)).map(|n| normalise(&format!("{series}-{n}")));
            found.extend(ids);
        }
        if number(word) && i > 0 {
            found.push(normalise(&format!("{}-{word}", words[i - 1])));
        }
    }
    found
}

/// What stands in brackets and is short enough to be a name.
fn bracketed(text: &str) -> impl Iterator<Item = &str> {
    text.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(name, _)| name).filter(|n| n.len() <= 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_define_ids() {
        for (heading, id) in [
            ("DAEMON-006: context assembly", Some("DAEMON-006")),
            ("Context assembly [DAEMON-006]", Some("DAEMON-006")),
            ("AGENT-LIFE-5 (draft)", Some("AGENT-LIFE-5")),
            ("UTF-8 everywhere", None),
            ("SHA-256", None),
            ("How DAEMON-006 is used", None),
            ("pre-2020 files", None),
        ] {
            assert_eq!(in_heading(heading).as_deref(), id, "{heading}");
        }
    }

    #[test]
    fn texts_mention_ids_in_many_spellings() {
        for (text, id) in [
            ("fix [DAEMON-006] please", "DAEMON-6"),
            ("see daemon-6.", "DAEMON-6"),
            ("implement PEP 257", "PEP-257"),
            ("AGENT-005/006 say so", "AGENT-6"),
            ("AGENT-LIFE-05", "AGENT-LIFE-5"),
        ] {
            assert!(mentioned(text).contains(&id.to_owned()), "{text}: {:?}", mentioned(text));
        }
    }
}
