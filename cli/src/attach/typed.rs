//! Typed bytes cut into what a terminal sends as one: a character, a control key, an escape sequence.
//!
//! Understands as much as telling keys apart needs: legacy control characters, the kitty keyboard protocol and xterm's
//! modifyOtherKeys. It changes no byte and decides nothing.

use crate::keys::{Base, Key};

/// A longer sequence than any key has is passed on as it comes.
const SEQUENCE_MAX: usize = 64;
const ESC: u8 = 0x1b;

/// Kitty's codes for modifier keys by themselves (left Shift to ISO level 5 shift), which come between keys.
const MODIFIER_KEYS: std::ops::RangeInclusive<u32> = 57441..=57454;
const LOCK_KEYS: std::ops::RangeInclusive<u32> = 57358..=57360;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Key(Key),
    /// Part of pressing a key without being one: a release, a modifier.
    Between,
    PasteStart,
    PasteEnd,
    /// No key that matters here.
    Other,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) bytes: Vec<u8>,
    pub(crate) event: Event,
}

impl Token {
    pub(crate) fn key(&self) -> Option<&Key> {
        match &self.event {
            Event::Key(key) => Some(key),
            _ => None,
        }
    }
}

/// Cuts a stream of bytes into tokens, however the stream is cut itself.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    buffer: Vec<u8>,
}

impl Tokens {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole token.
    pub(crate) fn next(&mut self) -> Option<Token> {
        let length = length(&self.buffer)?;
        Some(self.cut(length))
    }

    /// What has come of a token whose rest does not come: an escape key, say.
    pub(crate) fn flush(&mut self) -> Option<Token> {
        (!self.buffer.is_empty()).then(|| self.cut(self.buffer.len()))
    }

    pub(crate) fn has_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    fn cut(&mut self, length: usize) -> Token {
        let rest = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let event = event(&bytes);
        Token { bytes, event }
    }
}

/// How many bytes the first token has; nothing while its end has not come.
fn length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [] => None,
        [ESC] => None,
        [ESC, b'[', rest @ ..] => match rest.iter().position(|b| !(0x20..=0x3f).contains(b)) {
            Some(end) if (0x40..=0x7e).contains(&rest[end]) => Some(2 + end + 1),
            // No escape sequence after all: an Alt-[ and something else.
            Some(end) => Some(2 + end),
            None if rest.len() >= SEQUENCE_MAX => Some(bytes.len()),
            None => None,
        },
        [ESC, b'O'] => None,
        [ESC, b'O', final_byte, ..] if (0x40..=0x7e).contains(final_byte) => Some(3),
        [ESC, ESC, ..] => Some(1),
        [ESC, rest @ ..] => Some(1 + character_length(rest)?),
        other => character_length(other),
    }
}

/// The length of a UTF-8 character; one byte for what is none.
fn character_length(bytes: &[u8]) -> Option<usize> {
    let wanted = match bytes.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some(1),
    };
    let got = bytes.iter().skip(1).take(wanted - 1).take_while(|b| (0x80..=0xbf).contains(*b)).count() + 1;
    match got == wanted {
        true => Some(wanted),
        false if got == bytes.len() => None,
        false => Some(1),
    }
}

fn event(bytes: &[u8]) -> Event {
    match bytes {
        b"\x1b[200~" => Event::PasteStart,
        b"\x1b[201~" => Event::PasteEnd,
        [ESC, b'[', params @ .., b'u'] => kitty(params),
        [ESC, b'[', params @ .., b'~'] => modify_other_keys(params),
        [ESC, b'[' | b'O', _, ..] => Event::Other,
        [ESC, rest @ ..] if !rest.is_empty() => plain(rest, true),
        other => plain(other, false),
    }
}

/// A character or a control character, as terminals have always sent them.
fn plain(bytes: &[u8], alt: bool) -> Event {
    let key = |c: char, ctrl| Event::Key(Key { base: Base::Char(c), ctrl, alt });
    match bytes {
        [0] => key(' ', true),
        [byte @ 0x01..=0x1a] => key(char::from(byte - 1 + b'a'), true),
        [byte @ 0x1c..=0x1f] => key(char::from(byte + b'@'), true),
        [0x7f] => key('?', true),
        other => match std::str::from_utf8(other).ok().and_then(|s| s.chars().next()) {
            Some(c) if !c.is_control() => key(c, false),
            _ => Event::Other,
        },
    }
}

/// `code[:shifted[:base]] ; modifiers[:event] ; text`, each part possibly empty.
fn kitty(params: &[u8]) -> Event {
    let Ok(text) = std::str::from_utf8(params) else { return Event::Other };
    let mut fields = text.split(';').map(|field| field.split(':'));
    let Some(code) = fields.next().and_then(|mut f| f.next()?.parse::<u32>().ok()) else { return Event::Other };
    let mut second = fields.next().into_iter().flatten();
    let modifiers = number_or(second.next(), 1);
    let kind = number_or(second.next(), 1);
    if kind == 3 || MODIFIER_KEYS.contains(&code) || LOCK_KEYS.contains(&code) {
        return Event::Between;
    }
    modified(code, modifiers)
}

/// `27 ; modifiers ; code`.
fn modify_other_keys(params: &[u8]) -> Event {
    let fields: Option<Vec<u32>> =
        std::str::from_utf8(params).ok().and_then(|text| text.split(';').map(|f| f.parse().ok()).collect());
    match fields.as_deref() {
        Some([27, modifiers, code]) => modified(*code, *modifiers),
        _ => Event::Other,
    }
}

/// Modifiers are one more than their bits: 1 Shift, 2 Alt, 4 Ctrl, 8 and up Super, Hyper, Meta, then 64 and 128 for the
/// locks, which do not make another key.
fn modified(code: u32, modifiers: u32) -> Event {
    let bits = modifiers.saturating_sub(1) & !0b1100_0000;
    let (shift, alt, ctrl) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
    match char::from_u32(code) {
        Some(c) if bits & !0b111 == 0 && !(shift && (alt || ctrl)) && !c.is_control() => {
            let c = if shift { c.to_ascii_uppercase() } else { c };
            Event::Key(Key { base: Base::Char(c), ctrl, alt })
        }
        _ => Event::Other,
    }
}

fn number_or(text: Option<&str>, default: u32) -> u32 {
    text.and_then(|t| t.parse().ok()).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_where_a_terminal_would_cut_them() {
        let mut tokens = Tokens::default();
        tokens.feed(b"a\x03\x1b[A\x1bOP\x1bx\x1b\x1b[92;5u\xc3\xa9\xff\x1b[200~");
        let mut cut = Vec::new();
        while let Some(token) = tokens.next() {
            cut.push(token.bytes);
        }
        let wanted: [&[u8]; 10] =
            [b"a", b"\x03", b"\x1b[A", b"\x1bOP", b"\x1bx", b"\x1b", b"\x1b[92;5u", b"\xc3\xa9", b"\xff", b"\x1b[200~"];
        assert_eq!(cut, wanted);
        assert!(!tokens.has_partial());
    }

    #[test]
    fn keys_are_the_same_in_every_protocol() {
        for (bytes, name) in [
            (&b"\x1c"[..], "C-\\"),
            (b"\x1b[92;5u", "C-\\"),
            (b"\x1b[27;5;92~", "C-\\"),
            (b"\x1b[92;69u", "C-\\"),
            (b"q", "q"),
            (b"\x1b[113u", "q"),
            (b"\x1bq", "M-q"),
            (b"\x1b[113;3u", "M-q"),
            (b"\x1b[97;2u", "A"),
            (b"\0", "C-Space"),
        ] {
            assert_eq!(event(bytes), Event::Key(Key::parse(name).unwrap()), "{:?}", bytes.escape_ascii().to_string());
        }
    }
}
