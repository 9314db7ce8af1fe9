//! Turns text into the words that the index holds: lower case, English stems, code identifiers split by case and
//! underscore with the joined form kept, so that `SpecIndex`, `spec_index` and `specindex` meet.
//!
//! The same analyzer serves documents and queries; it knows nothing of markup or fields.

use std::collections::BTreeSet;

use tantivy::tokenizer::{Language, Stemmer, StopWordFilter, TextAnalyzer, Token, TokenStream, Tokenizer};

/// Longer runs are hashes and encoded data, not words.
const MAX_WORD_BYTES: usize = 64;

/// The analyzer of every text field.
pub(super) fn analyzer() -> TextAnalyzer {
    let words = TextAnalyzer::builder(IdentifierTokenizer);
    match StopWordFilter::new(Language::English) {
        Some(stop) => words.filter(stop).filter(Stemmer::new(Language::English)).build(),
        None => words.filter(Stemmer::new(Language::English)).build(),
    }
}

/// The words of a text as the index has them, each once and sorted.
pub fn words(text: &str) -> BTreeSet<String> {
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    let mut words = BTreeSet::new();
    while let Some(token) = stream.next() {
        words.insert(token.text.clone());
    }
    words
}

/// Splits text into words and the parts of identifiers.
#[derive(Clone, Copy)]
struct IdentifierTokenizer;

impl Tokenizer for IdentifierTokenizer {
    type TokenStream<'a> = IdentifierStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> IdentifierStream<'a> {
        IdentifierStream { text, cursor: 0, position: 0, pending: Vec::new(), token: Token::default() }
    }
}

struct IdentifierStream<'a> {
    text: &'a str,
    cursor: usize,
    /// The position of the next part.
    position: usize,
    /// What is left of the run that the cursor has passed, last first.
    pending: Vec<Piece>,
    token: Token,
}

/// A stretch of the text that becomes one token.
struct Piece {
    from: usize,
    to: usize,
    position: usize,
}

impl TokenStream for IdentifierStream<'_> {
    fn advance(&mut self) -> bool {
        while self.pending.is_empty() {
            let Some((from, to)) = next_run(self.text, self.cursor) else { return false };
            self.cursor = to;
            self.split(from, to);
        }
        let Some(piece) = self.pending.pop() else { return false };
        self.token.reset();
        self.token.offset_from = piece.from;
        self.token.offset_to = piece.to;
        self.token.position = piece.position;
        for c in self.text[piece.from..piece.to].chars().filter(|c| *c != '_') {
            self.token.text.extend(c.to_lowercase());
        }
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

impl IdentifierStream<'_> {
    /// Queues the joined form (when there are several parts) and the parts of a run.
    fn split(&mut self, from: usize, to: usize) {
        let run = &self.text[from..to];
        let parts = parts(run);
        let start = self.position;
        self.position += parts.len();
        let compound = parts.len() > 1 && !run.chars().any(is_ideograph);
        if parts.len() == 1 || compound {
            self.queue(from, to, start);
        }
        if parts.len() > 1 {
            for (i, (a, b)) in parts.iter().enumerate() {
                // A single letter of `mTLS` or `i_max` says nothing alone.
                let letter = compound && b - a == 1 && run.as_bytes()[*a].is_ascii_alphabetic();
                if !letter {
                    self.queue(from + a, from + b, start + i);
                }
            }
        }
        self.pending.reverse();
    }

    fn queue(&mut self, from: usize, to: usize, position: usize) {
        if to - from <= MAX_WORD_BYTES && self.text[from..to].chars().any(char::is_alphanumeric) {
            self.pending.push(Piece { from, to, position });
        }
    }
}

/// The next stretch of letters, digits and underscores at or after `at`.
fn next_run(text: &str, at: usize) -> Option<(usize, usize)> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let from = at + text[at..].find(word)?;
    let to = text[from..].find(|c| !word(c)).map_or(text.len(), |n| from + n);
    Some((from, to))
}

/// Cuts a run at underscores, where lower case or a digit meets upper case, before the last capital of an acronym that a
/// word follows (`HTTPServer`), and around every ideograph, since those scripts have no spaces.
fn parts(run: &str) -> Vec<(usize, usize)> {
    let chars: Vec<(usize, char)> = run.char_indices().collect();
    let mut parts = Vec::new();
    let mut start = None;
    for (i, &(at, c)) in chars.iter().enumerate() {
        let previous = i.checked_sub(1).map(|p| chars[p].1);
        let next = chars.get(i + 1).map(|n| n.1);
        if start.is_some_and(|s| s < at) && (c == '_' || cuts(previous, c, next)) {
            parts.extend(start.map(|s| (s, at)));
            start = None;
        }
        if c != '_' && start.is_none() {
            start = Some(at);
        }
    }
    parts.extend(start.map(|s| (s, run.trim_end_matches('_').len())));
    parts
}

fn cuts(previous: Option<char>, c: char, next: Option<char>) -> bool {
    let Some(previous) = previous else { return false };
    if is_ideograph(c) || is_ideograph(previous) {
        return true;
    }
    c.is_uppercase() && (!previous.is_uppercase() && previous != '_' || next.is_some_and(char::is_lowercase))
}

/// Scripts that write without spaces between words: each character is a word of its own.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, usize)> {
        let mut analyzer = analyzer();
        let mut stream = analyzer.token_stream(text);
        let mut words = Vec::new();
        while let Some(token) = stream.next() {
            words.push((token.text.clone(), token.position));
        }
        words
    }

    #[test]
    fn splits_identifiers_and_keeps_their_joined_form() {
        for (text, expected) in [
            ("SpecIndex", vec!["specindex", "spec", "index"]),
            ("spec_index", vec!["specindex", "spec", "index"]),
            ("specindex", vec!["specindex"]),
            ("HTTPServer", vec!["httpserver", "http", "server"]),
            ("__getattr__", vec!["getattr"]),
            ("Base64Encoder", vec!["base64encod", "base64", "encod"]),
            ("mTLS", vec!["mtls", "tls"]),
            ("the running daemons", vec!["run", "daemon"]),
            ("DAEMON-006", vec!["daemon", "006"]),
            ("utf8 v2", vec!["utf8", "v2"]),
            ("__", vec![]),
            ("Straße ÉTÉ", vec!["straße", "été"]),
            ("規格書", vec!["規", "格", "書"]),
        ] {
            let found: Vec<String> = words(text).into_iter().map(|w| w.0).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn the_words_of_a_text_are_there_once() {
        let found: Vec<String> = super::words("Retry the retries of SpecIndex").into_iter().collect();
        assert_eq!(found, ["index", "retri", "spec", "specindex"]);
    }

    #[test]
    fn positions_count_parts_and_leave_room_for_stop_words() {
        let at = |text: &str| words(text).into_iter().map(|w| w.1).collect::<Vec<_>>();
        assert_eq!(at("retry the SpecIndex now"), [0, 2, 2, 3, 4]);
    }

    #[test]
    fn drops_encoded_data() {
        assert!(words(&"x".repeat(65)).is_empty());
    }
}
