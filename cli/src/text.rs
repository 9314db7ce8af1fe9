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

/// Control characters, line breaks of Unicode's own, and what makes text read in another order than it is stored.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

/// A terminal's output as plain text, piece by piece: escape sequences go, whichever pieces they are split over, and so
/// does every character that a terminal would obey; every way to start a line again (CR LF, CR) becomes a line break.
#[derive(Default)]
pub(crate) struct Plain {
    strip: StripBytes,
    /// The beginning of a character whose end has not come yet.
    partial: Vec<u8>,
    /// The piece before ended with a carriage return that may belong to a line feed of the next one.
    after_return: bool,
}

impl Plain {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> String {
        // Stripping comes second: it lets through the byte that breaks a character off, be it an escape.
        let text = self.decode(bytes);
        let mut out = String::with_capacity(text.len());
        for part in self.strip.strip_next(text.as_bytes()) {
            for c in String::from_utf8_lossy(part).chars() {
                if is_unsafe(c) && !matches!(c, '\n' | '\t' | '\r') {
                    continue;
                }
                let after_return = std::mem::replace(&mut self.after_return, c == '\r');
                match c {
                    '\n' if after_return => {}
                    '\r' => out.push('\n'),
                    _ => out.push(c),
                }
            }
        }
        out
    }

    /// Whole characters, with U+FFFD for what is none. One that is cut off at the end is kept for the next piece.
    fn decode(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        self.partial = all.split_off(all.len() - unfinished(&all));
        String::from_utf8_lossy(&all).into_owned()
    }
}

/// How many bytes at the end begin a character and do not end it.
fn unfinished(bytes: &[u8]) -> usize {
    let begins = |count: &usize| {
        let end = std::str::from_utf8(&bytes[bytes.len() - count..]);
        end.is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
    };
    (1..=bytes.len().min(3)).find(begins).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(printable("plain äöü 漢字"), "plain äöü 漢字");
        assert_eq!(printable("a\x1b]0;t\x07b\u{9b}2Jc\x7f\n"), "a\\u{1b}]0;t\\u{7}b\\u{9b}2Jc\\u{7f}\\n");
        assert_eq!(printable("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        assert_eq!(printable("a\u{61c}b\u{2028}c"), "a\\u{61c}b\\u{2028}c");
        assert_eq!(printable_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn a_long_text_is_cut_by_characters() {
        assert_eq!(brief("one\ntwo", 10), "one");
        assert_eq!(brief("äöüäöü", 4), "äöü…");
    }

    #[test]
    fn stripping_does_not_depend_on_where_reads_fall() {
        for (raw, wanted) in [
            (&b"\x1b[1mone\x1b[0m\r\ntwo\x1b]0;title\x07\rthree \xe2\x9c\x93\r\n"[..], "one\ntwo\nthree ✓\n"),
            (b"broken off by an escape: \xc2\x1b[2J.", "broken off by an escape: \u{fffd}."),
            (b"a control character beyond ASCII: \xc2\x9b31m.", "a control character beyond ASCII: 31m."),
            (b"\xe2\x80\xaetxt.exe\t\x00\x08\x0c\r\x7f\n", "txt.exe\t\n"),
            (b"\xf0\x9f\x98\x80 \xff\xe2\x9c! \xe0\x80", "😀 \u{fffd}\u{fffd}! \u{fffd}\u{fffd}"),
        ] {
            assert_eq!(Plain::default().feed(raw), wanted);
            for cut in 0..raw.len() {
                let mut plain = Plain::default();
                let pieces = plain.feed(&raw[..cut]) + &plain.feed(&raw[cut..]);
                assert_eq!(pieces, wanted, "cut at {cut}");
            }
        }
    }
}
