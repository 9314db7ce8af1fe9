//! Text from elsewhere made fit for a terminal: names, specs, messages, agents' output.
//!
//! Never changes what a program gets (`--json`, `--raw`): only what a person sees.

use anstream::adapter::StripBytes;
use std::borrow::Cow;

/// One line of foreign text with every character spelled out that a terminal would obey instead of show.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// Foreign text of many lines: line breaks and tabs stay.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

fn escape(text: &str, allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_unsafe(c) && !allowed(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) && !allowed(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Control characters, and those that make text read in another order than it is stored.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first line of a text, cut to `max` characters.
pub(crate) fn brief(text: &str, max: usize) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    if line.chars().count() <= max {
        return printable(line).into_owned();
    }
    let cut: String = line.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", printable(cut.trim_end()))
}

/// A terminal's output as plain text, piece by piece: escape sequences go, whichever pieces they are split over, and
/// every way to start a line again (CR LF, CR) becomes a line break.
#[derive(Default)]
pub(crate) struct Plain {
    strip: StripBytes,
    /// The piece before ended with a carriage return that may belong to a line feed of the next one.
    after_return: bool,
}

impl Plain {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for part in self.strip.strip_next(bytes) {
            for &byte in part {
                let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
                match byte {
                    b'\n' if after_return => {}
                    b'\r' => out.push(b'\n'),
                    _ => out.push(byte),
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(printable("plain äöü 漢字"), "plain äöü 漢字");
        assert_eq!(printable("a\x1b]0;t\x07b\u{9b}2Jc\x7f\n"), "a\\u{1b}]0;t\\u{7}b\\u{9b}2Jc\\u{7f}\\n");
        assert_eq!(printable("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        assert_eq!(printable_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn a_long_text_is_cut_by_characters() {
        assert_eq!(brief("one\ntwo", 10), "one");
        assert_eq!(brief("äöüäöü", 4), "äöü…");
    }

    #[test]
    fn stripping_does_not_depend_on_where_reads_fall() {
        let raw = b"\x1b[1mone\x1b[0m\r\ntwo\x1b]0;title\x07\rthree \xe2\x9c\x93\r\n";
        let whole = Plain::default().feed(raw);
        assert_eq!(String::from_utf8(whole.clone()).unwrap(), "one\ntwo\nthree ✓\n");
        for cut in 0..raw.len() {
            let mut plain = Plain::default();
            let mut pieces = plain.feed(&raw[..cut]);
            pieces.extend(plain.feed(&raw[cut..]));
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }
}
