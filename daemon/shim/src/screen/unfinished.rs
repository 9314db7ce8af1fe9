//! Where the output stops in the middle of something: an escape sequence or a character of several bytes.
//!
//! A redraw is followed by the output from its offset on. If that begins in the middle of a sequence, a terminal would
//! print the rest as text; so a redraw ends with the beginning that is kept here. It follows the states of
//! `vte`, without their effects.

use super::characters::unfinished_character;

/// What is kept of one sequence; a longer one (a clipboard, an image) is cut, which its receiver survives.
const KEEP: usize = 4096;
/// A command to the terminal (OSC) that is longer than this is none that the emulator knows: titles, links and colours
/// are shorter, clipboards and images are not for it.
pub(super) const OSC_MAX: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After an intermediate: one final byte ends it.
    EscapeIntermediate,
    Csi,
    /// Ends with BEL too.
    Osc,
    /// DCS, SOS, PM, APC.
    Text,
}

#[derive(Debug, Default)]
pub(super) struct Unfinished {
    state: State,
    bytes: Vec<u8>,
    /// How long the sequence is so far, with what is not kept of it.
    length: usize,
}

impl Unfinished {
    /// The beginning of what is not finished, to be repeated before what follows.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether this is in the middle of an OSC that is too long to be of use. `vte` collects every byte of one, and of
    /// no other sequence.
    pub(super) fn is_overlong(&self) -> bool {
        self.state == State::Osc && self.length > OSC_MAX
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        // ESC begins anew from every state, so nothing before the last one matters.
        let (state, rest) = match bytes.iter().rposition(|b| *b == 0x1b) {
            Some(at) => (State::Ground, &bytes[at..]),
            None => (self.state, bytes),
        };
        if state == State::Ground && self.state != State::Ground {
            self.bytes.clear();
        }
        if state == State::Ground && rest.first() != Some(&0x1b) {
            return self.keep_character(rest);
        }
        let mut state = state;
        let mut used = 0;
        for byte in rest {
            state = next(state, *byte);
            used += 1;
            if state == State::Ground {
                break;
            }
        }
        self.state = state;
        if state == State::Ground {
            self.bytes.clear();
            self.keep_character(&rest[used..]);
        } else {
            if rest.first() == Some(&0x1b) {
                self.bytes.clear();
                self.length = 0;
            }
            self.length += rest.len();
            let room = KEEP.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&rest[..rest.len().min(room)]);
        }
    }

    /// In plain text only a character at the very end can be unfinished.
    fn keep_character(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(&text[text.len().saturating_sub(3)..]);
        let keep = unfinished_character(&self.bytes);
        let from = self.bytes.len() - keep;
        self.bytes.drain(..from);
    }
}

/// What follows the OSC in whose middle `bytes` begin; nothing if it does not end in them. An ESC that ends it begins
/// the next sequence.
pub(super) fn after_osc(bytes: &[u8]) -> &[u8] {
    match bytes.iter().position(|b| matches!(b, 0x07 | 0x18 | 0x1a | 0x1b)) {
        Some(at) if bytes[at] == 0x1b => &bytes[at..],
        Some(at) => &bytes[at + 1..],
        None => &[],
    }
}

fn next(state: State, byte: u8) -> State {
    match (state, byte) {
        (_, 0x1b) => State::Escape,
        (_, 0x18 | 0x1a) => State::Ground,
        (State::Escape, b'[') => State::Csi,
        (State::Escape, b']') => State::Osc,
        (State::Escape, b'P' | b'X' | b'^' | b'_') => State::Text,
        (State::Escape | State::EscapeIntermediate, 0x20..=0x2f) => State::EscapeIntermediate,
        (State::Escape | State::EscapeIntermediate, 0x30..=0x7e) => State::Ground,
        (State::Csi, 0x40..=0x7e) => State::Ground,
        (State::Osc, 0x07) => State::Ground,
        (state, _) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_kept_until_its_end_comes() {
        let table: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b"plain", b""),
            (b"a\x1b", b"\x1b"),
            (b"a\x1b[3", b"\x1b[3"),
            (b"a\x1b[31m", b""),
            (b"a\x1b[31mb", b""),
            (b"\x1b]2;tit", b"\x1b]2;tit"),
            (b"\x1b]2;tit\x07x", b""),
            (b"\x1b]2;tit\x1b\\x", b""),
            (b"\x1b]2;tit\x1b", b"\x1b"),
            (b"\x1bPq\x07", b"\x1bPq\x07"),
            (b"\x1b(", b"\x1b("),
            (b"\x1b(B", b""),
            (b"\x1b[3\x18x", b""),
            ("é".as_bytes(), b""),
            (b"x\xc3", b"\xc3"),
            (b"x\xf0\x9f\x98", b"\xf0\x9f\x98"),
            ("x😀".as_bytes(), b""),
            (b"\x1b[0m\xe2\x82", b"\xe2\x82"),
            (b"\x80\x80", b""),
        ];
        for (stream, expected) in table {
            let mut whole = Unfinished::default();
            whole.feed(stream);
            assert_eq!(whole.bytes(), *expected, "{stream:?} at once");
            for cut in 0..=stream.len() {
                let mut cut_in_two = Unfinished::default();
                cut_in_two.feed(&stream[..cut]);
                cut_in_two.feed(&stream[cut..]);
                assert_eq!(cut_in_two.bytes(), *expected, "{stream:?} cut at {cut}");
            }
            let mut piecemeal = Unfinished::default();
            stream.iter().for_each(|b| piecemeal.feed(&[*b]));
            assert_eq!(piecemeal.bytes(), *expected, "{stream:?} byte by byte");
        }
    }

    #[test]
    fn an_endless_sequence_is_cut() {
        let mut unfinished = Unfinished::default();
        unfinished.feed(b"\x1b]52;c;");
        (0..100).for_each(|_| unfinished.feed(&[b'A'; 1000]));
        assert_eq!(unfinished.bytes().len(), KEEP);
        unfinished.feed(b"\x07done");
        assert_eq!(unfinished.bytes(), b"");
    }

    #[test]
    fn only_an_osc_can_be_overlong_and_only_until_its_end() {
        let long = vec![b'A'; OSC_MAX];
        let overlong = |pieces: &[&[u8]]| {
            let mut unfinished = Unfinished::default();
            pieces.iter().for_each(|piece| unfinished.feed(piece));
            unfinished.is_overlong()
        };
        assert!(overlong(&[b"\x1b]2;", &long]));
        assert!(overlong(&[b"\x1b", b"]", &long]));
        assert!(overlong(&[&[b"text\x1b]2;".as_slice(), &long].concat()]));
        assert!(!overlong(&[b"\x1b]2;", &long[..1000]]));
        assert!(!overlong(&[b"\x1b]2;", &long, b"\x07"]));
        assert!(!overlong(&[b"\x1b]2;", &long, b"\x1b]2;"]), "the next one begins anew");
        assert!(!overlong(&[b"\x1bPq", &long]), "vte does not collect it");
        assert!(!overlong(&[&long, &long]));
    }

    #[test]
    fn what_follows_an_osc_begins_behind_its_end() {
        let table: [(&[u8], &[u8]); 6] = [
            (b"", b""),
            (b"more", b""),
            (b"more\x07text", b"text"),
            (b"\x18text\x07", b"text\x07"),
            (b"more\x1b\\text", b"\x1b\\text"),
            (b"more\x1a", b""),
        ];
        for (bytes, expected) in table {
            assert_eq!(after_osc(bytes), expected, "{bytes:?}");
        }
    }
}
