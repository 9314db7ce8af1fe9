//! Finding the detach keys in what is typed.
//!
//! Pure. Every byte that is not part of the detach keys comes out again, in order; only the keys themselves are kept
//! back while they may still become the whole sequence.

use super::typed::{Event, Token, Tokens};
use crate::failure::Failure;
use crate::keys::{Base, Key, parse_sequence};
use std::collections::VecDeque;
use std::time::Duration;

/// A key that no agent needs (in a terminal in cooked mode it would be SIGQUIT), then `d` for detach: a single key
/// would be missing for somebody.
pub(crate) const DEFAULT: &str = "C-\\ d";

/// How long the beginning of the sequence is kept back while nothing follows.
const SEQUENCE_PAUSE: Duration = Duration::from_secs(1);
/// How long an escape character may wait for the rest of its sequence.
const ESCAPE_PAUSE: Duration = Duration::from_millis(25);

/// The keys that detach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetachKeys {
    keys: Vec<Key>,
    text: String,
}

impl DetachKeys {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let keys = parse_sequence(text)?;
        if keys.is_empty() {
            return Err(Failure::Usage("detach keys are missing: an attached terminal must have a way out".into()));
        }
        if let Some(key) = keys.iter().find(|k| matches!(k.base, Base::Sequence(_))) {
            let name = String::from_utf8_lossy(&key.bytes()).escape_debug().to_string();
            return Err(Failure::Usage(format!(
                "`{text}` cannot detach: only characters can, with C- and M-, not {name}"
            )));
        }
        Ok(Self { keys, text: text.split_whitespace().collect::<Vec<_>>().join(" ") })
    }

    /// As people write them.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// What became of typed bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// For the agent.
    pub(crate) forward: Vec<u8>,
    /// The detach keys were typed; what came after them is dropped.
    pub(crate) detached: bool,
}

#[derive(Debug)]
pub(crate) struct Detector {
    keys: DetachKeys,
    tokens: Tokens,
    /// Invariant: the keys of these are a beginning of the detach keys, shorter than all of them.
    held: VecDeque<Token>,
    pasting: bool,
}

impl Detector {
    pub(crate) fn new(keys: DetachKeys) -> Self {
        Self { keys, tokens: Tokens::default(), held: VecDeque::new(), pasting: false }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Typed {
        self.tokens.feed(bytes);
        let mut typed = Typed::default();
        while let Some(token) = self.tokens.next() {
            if self.take(token, &mut typed.forward) {
                typed.detached = true;
                break;
            }
        }
        typed
    }

    /// Gives out what was kept back: nothing more came in time.
    pub(crate) fn flush(&mut self) -> Typed {
        let mut typed = Typed::default();
        if let Some(token) = self.tokens.flush() {
            typed.detached = self.take(token, &mut typed.forward);
        } else {
            for token in self.held.drain(..) {
                typed.forward.extend(token.bytes);
            }
        }
        typed
    }

    /// How long to wait before `flush`; nothing if nothing is kept back.
    pub(crate) fn pause(&self) -> Option<Duration> {
        if self.tokens.has_partial() {
            return Some(ESCAPE_PAUSE);
        }
        (!self.held.is_empty()).then_some(SEQUENCE_PAUSE)
    }

    /// Whether this token completes the detach keys.
    fn take(&mut self, token: Token, forward: &mut Vec<u8>) -> bool {
        match token.event {
            Event::PasteStart => self.pasting = true,
            Event::PasteEnd => self.pasting = false,
            _ => {}
        }
        self.held.push_back(token);
        loop {
            let keys: Vec<&Key> = self.held.iter().filter_map(Token::key).collect();
            let matches = !self.pasting && keys.iter().zip(&self.keys.keys).all(|(a, b)| *a == b);
            let only_keys = self.held.iter().all(|t| !matches!(t.event, Event::Other | Event::PasteEnd));
            if matches && only_keys && keys.len() == self.keys.keys.len() {
                return true;
            }
            if matches && only_keys && !keys.is_empty() && self.held.front().is_some_and(|t| t.key().is_some()) {
                return false;
            }
            match self.held.pop_front() {
                Some(token) => forward.extend(token.bytes),
                None => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detector(keys: &str) -> Detector {
        Detector::new(DetachKeys::parse(keys).unwrap())
    }

    /// Feeds the pieces and flushes at the end.
    fn run(keys: &str, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut detector = detector(keys);
        let mut forward = Vec::new();
        for piece in pieces {
            let typed = detector.feed(piece);
            forward.extend(typed.forward);
            if typed.detached {
                return (forward, true);
            }
        }
        while detector.pause().is_some() {
            forward.extend(detector.flush().forward);
        }
        (forward, false)
    }

    /// Every way in which a terminal may say Ctrl-\ and then d.
    const SPELLINGS: &[&[u8]] = &[
        b"\x1cd",
        // The kitty keyboard protocol, from the least to the most talkative.
        b"\x1b[92;5ud",
        b"\x1b[92;5u\x1b[100u",
        b"\x1b[92;5:1u\x1b[92;5:3u\x1b[100;1:1u",
        b"\x1b[92:124;5u\x1b[100;;100u",
        // The modifier keys themselves, and Num Lock and Caps Lock held on.
        b"\x1b[57442;5u\x1b[92;197u\x1b[92;197:3u\x1b[57442;5:3u\x1b[100;193u",
        // xterm's modifyOtherKeys.
        b"\x1b[27;5;92~d",
    ];

    #[test]
    fn the_keys_are_found_in_every_encoding_wherever_reads_are_cut() {
        for spelling in SPELLINGS {
            for cut in 0..=spelling.len() {
                let (forward, detached) = run(DEFAULT, &[b"ls\r", &spelling[..cut], &spelling[cut..]]);
                assert!(detached, "{:?} cut at {cut}", spelling.escape_ascii().to_string());
                let rest = forward.strip_prefix(b"ls\r").expect("what was typed before goes through");
                assert!(!rest.contains(&0x1c) && !rest.ends_with(b"d"), "{rest:?}");
            }
            let (_, bytewise) = run(DEFAULT, &spelling.chunks(1).collect::<Vec<_>>());
            assert!(bytewise, "{:?} byte by byte", spelling.escape_ascii().to_string());
        }
    }

    #[test]
    fn everything_else_goes_through_unchanged() {
        for text in [
            &b"plain text\r"[..],
            b"\x1c",
            b"\x1cx",
            b"\x1c\x1c",
            b"\x1c\x1b[Ad",
            b"d\x1c",
            b"\x1b",
            b"\x1b[A\x1b[1;5C\x1bOP",
            b"\x1b[M !!\x1b[<0;10;10M",
            b"\x1b]11;rgb:0000/0000/0000\x1b\\",
            b"\x1bPq data\x1b\\",
            b"\x1b[200~pasted \x1cd text\x1b[201~",
            "äöü 漢字 😀".as_bytes(),
            b"\xff\xfe broken \xc3",
            b"\x1b[92;6u",
            b"\x1b[92;5:3u\x1b[100u",
        ] {
            for cut in 0..=text.len() {
                let (forward, detached) = run(DEFAULT, &[&text[..cut], &text[cut..]]);
                assert!(!detached, "{:?}", text.escape_ascii().to_string());
                assert_eq!(forward, text, "{:?} cut at {cut}", text.escape_ascii().to_string());
            }
        }
    }

    #[test]
    fn a_false_start_may_end_in_the_keys() {
        assert_eq!(run(DEFAULT, &[b"\x1c\x1cd"]), (b"\x1c".to_vec(), true));
        assert_eq!(run("C-a C-a d", &[b"\x01\x01\x01d"]), (b"\x01".to_vec(), true));
    }

    #[test]
    fn a_paste_that_has_the_keys_in_it_does_not_detach_but_the_keys_after_it_do() {
        let (forward, detached) = run(DEFAULT, &[b"\x1b[200~\x1cd\x1b[201~", b"\x1cd"]);
        assert_eq!((forward.as_slice(), detached), (&b"\x1b[200~\x1cd\x1b[201~"[..], true));
    }

    #[test]
    fn a_single_key_and_alt_keys_can_detach() {
        assert_eq!(run("C-]", &[b"a\x1d"]), (b"a".to_vec(), true));
        assert_eq!(run("M-q", &[b"a\x1bq"]), (b"a".to_vec(), true));
        assert_eq!(run("M-q", &[b"\x1b[113;3u"]), (Vec::new(), true));
    }

    #[test]
    fn only_what_may_still_become_something_waits() {
        let mut detector = detector(DEFAULT);
        assert_eq!(detector.pause(), None);
        assert_eq!(detector.feed(b"x\x1c"), Typed { forward: b"x".to_vec(), detached: false });
        assert_eq!(detector.pause(), Some(SEQUENCE_PAUSE));
        assert_eq!(detector.flush().forward, b"\x1c");
        detector.feed(b"\x1b");
        assert_eq!(detector.pause(), Some(ESCAPE_PAUSE));
        assert_eq!(detector.flush().forward, b"\x1b");
        assert_eq!(detector.pause(), None);
    }

    #[test]
    fn keys_that_no_terminal_could_tell_are_refused() {
        for bad in ["", "  ", "Up", "C-\\ Enter", "nonsense"] {
            assert!(matches!(DetachKeys::parse(bad), Err(Failure::Usage(_))), "{bad:?}");
        }
        assert_eq!(DetachKeys::parse("  C-\\   d ").unwrap().text(), DEFAULT);
    }
}
