//! The names of keys: what `C-c`, `M-x` or `Enter` stand for, and the bytes that a terminal sends for them.
//!
//! Pure. Which keys a program wants, and what it does with them, is not known here.

use crate::failure::Failure;

/// A key with its modifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) base: Base,
    pub(crate) ctrl: bool,
    pub(crate) alt: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    Char(char),
    /// A key that sends a sequence of its own.
    Sequence(&'static str),
}

/// Names as tmux has them, and as people say them.
const NAMED: &[(&str, &str)] = &[
    ("Enter", "\r"),
    ("Return", "\r"),
    ("Tab", "\t"),
    ("BTab", "\x1b[Z"),
    ("Esc", "\x1b"),
    ("Escape", "\x1b"),
    ("Space", " "),
    ("BSpace", "\x7f"),
    ("Backspace", "\x7f"),
    ("Up", "\x1b[A"),
    ("Down", "\x1b[B"),
    ("Right", "\x1b[C"),
    ("Left", "\x1b[D"),
    ("Home", "\x1b[H"),
    ("End", "\x1b[F"),
    ("PageUp", "\x1b[5~"),
    ("PageDown", "\x1b[6~"),
    ("Insert", "\x1b[2~"),
    ("Delete", "\x1b[3~"),
    ("F1", "\x1bOP"),
    ("F2", "\x1bOQ"),
    ("F3", "\x1bOR"),
    ("F4", "\x1bOS"),
    ("F5", "\x1b[15~"),
    ("F6", "\x1b[17~"),
    ("F7", "\x1b[18~"),
    ("F8", "\x1b[19~"),
    ("F9", "\x1b[20~"),
    ("F10", "\x1b[21~"),
    ("F11", "\x1b[23~"),
    ("F12", "\x1b[24~"),
];

impl Key {
    /// Reads `C-c`, `^c`, `M-x`, `C-M-x`, `Enter` or a single character.
    pub(crate) fn parse(name: &str) -> Result<Self, Failure> {
        let mut key = Self { base: Base::Char(' '), ctrl: false, alt: false };
        let mut rest = name;
        loop {
            rest = match rest.as_bytes() {
                [b'C' | b'c', b'-', _, ..] => {
                    key.ctrl = true;
                    &rest[2..]
                }
                [b'M' | b'm', b'-', _, ..] => {
                    key.alt = true;
                    &rest[2..]
                }
                [b'^', _, ..] => {
                    key.ctrl = true;
                    &rest[1..]
                }
                _ => break,
            };
        }
        key.base = Base::parse(rest).ok_or_else(|| unknown(name))?;
        if key.ctrl {
            key.base = match key.base {
                Base::Char(c) => Base::Char(c.to_ascii_lowercase()),
                other => other,
            };
            control_byte(&key.base).ok_or_else(|| unknown(name))?;
        }
        Ok(key)
    }

    /// The bytes that a terminal without a newer keyboard protocol sends for the key.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.alt {
            out.push(0x1b);
        }
        match (&self.base, control_byte(&self.base)) {
            (_, Some(byte)) if self.ctrl => out.push(byte),
            (Base::Char(c), _) => out.extend(c.to_string().bytes()),
            (Base::Sequence(s), _) => out.extend(s.bytes()),
        }
        out
    }
}

impl Base {
    fn parse(name: &str) -> Option<Self> {
        let mut chars = name.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return (!c.is_control()).then_some(Self::Char(c));
        }
        let (_, bytes) = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(if *bytes == " " { Self::Char(' ') } else { Self::Sequence(bytes) })
    }
}

/// What Ctrl makes of a key; nothing for a key that it makes nothing of.
fn control_byte(base: &Base) -> Option<u8> {
    let Base::Char(c) = base else { return None };
    match *c {
        c @ 'a'..='z' => Some(c as u8 - b'a' + 1),
        '@' | ' ' => Some(0),
        c @ '['..='_' => Some(c as u8 - b'@'),
        '?' => Some(0x7f),
        _ => None,
    }
}

fn unknown(name: &str) -> Failure {
    Failure::Usage(format!("`{name}` is no key: keys are written C-c, M-x, Enter, Esc, Up, F5 or as one character"))
}

/// Reads keys separated by blanks.
pub(crate) fn parse_sequence(text: &str) -> Result<Vec<Key>, Failure> {
    text.split_whitespace().map(Key::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_the_bytes_that_terminals_send() {
        for (name, bytes) in [
            ("C-c", &b"\x03"[..]),
            ("c-C", b"\x03"),
            ("^C", b"\x03"),
            ("C-\\", b"\x1c"),
            ("C-]", b"\x1d"),
            ("C-@", b"\0"),
            ("C-Space", b"\0"),
            ("C-?", b"\x7f"),
            ("M-x", b"\x1bx"),
            ("C-M-a", b"\x1b\x01"),
            ("M-Enter", b"\x1b\r"),
            ("Enter", b"\r"),
            ("esc", b"\x1b"),
            ("Up", b"\x1b[A"),
            ("F5", b"\x1b[15~"),
            ("-", b"-"),
            ("^", b"^"),
            ("é", "é".as_bytes()),
            ("C", b"C"),
            ("M-C", b"\x1bC"),
        ] {
            assert_eq!(Key::parse(name).unwrap().bytes(), bytes, "{name}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for name in ["", "C-", "C-é", "C-Up", "Entr", "ab", "\x1b"] {
            assert!(matches!(Key::parse(name), Err(Failure::Usage(_))), "{name:?}");
        }
    }
}
