//! Keeps an agent inside the alternate screen that `pu attach` shows it on.
//!
//! The user's own screen lies behind that one and comes back when they detach, so an agent's switches between its two
//! screens must not reach the terminal. Everything else passes unchanged; nothing is drawn here.

/// Longer than any list of modes that programs send.
const SEQUENCE_MAX: usize = 64;
const ESC: u8 = 0x1b;
/// The modes that switch screens.
const SWITCHES: [&[u8]; 3] = [b"47", b"1047", b"1049"];
/// What a switch to a fresh screen looks like from inside one.
const CLEAR: &[u8] = b"\x1b[0m\x1b[H\x1b[2J";
/// A full reset without the way back to the user's screen.
const RESET: &[u8] = b"\x1b[!p\x1b[0m\x1b[H\x1b[2J";

#[derive(Debug, Default)]
pub(crate) struct ScreenFilter {
    /// The beginning of a sequence whose end has not come.
    partial: Vec<u8>,
}

impl ScreenFilter {
    /// Passes bytes on to `out`. Whether the agent went back to its primary screen: what was on that one only the shim
    /// knows, and a redraw is due.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        let mut went_back = false;
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.partial.is_empty() {
                let plain = rest.iter().position(|&b| b == ESC).unwrap_or(rest.len());
                out.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
                if !rest.is_empty() {
                    self.partial.push(ESC);
                    rest = &rest[1..];
                }
                continue;
            }
            went_back |= self.step(rest[0], out);
            rest = &rest[1..];
        }
        went_back
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        match (self.partial.as_slice(), byte) {
            (_, ESC) => {
                out.append(&mut self.partial);
                self.partial.push(ESC);
                false
            }
            ([ESC], b'c') => {
                self.partial.clear();
                out.extend_from_slice(RESET);
                false
            }
            ([ESC], b'[') => self.keep(byte),
            ([ESC, b'[', ..], 0x20..=0x3f) if self.partial.len() < SEQUENCE_MAX => self.keep(byte),
            ([ESC, b'[', b'?', ..], b'h' | b'l') => self.modes(byte, out),
            _ => {
                self.partial.push(byte);
                out.append(&mut self.partial);
                false
            }
        }
    }

    fn keep(&mut self, byte: u8) -> bool {
        self.partial.push(byte);
        false
    }

    /// A list of private modes is set or reset: the switches are taken out of it.
    fn modes(&mut self, verb: u8, out: &mut Vec<u8>) -> bool {
        let sequence = std::mem::take(&mut self.partial);
        let modes: Vec<&[u8]> = sequence[3..].split(|&b| b == b';').collect();
        let kept: Vec<&[u8]> = modes.iter().copied().filter(|mode| !SWITCHES.contains(mode)).collect();
        if kept.len() == modes.len() {
            out.extend_from_slice(&sequence);
            out.push(verb);
            return false;
        }
        if !kept.is_empty() {
            out.extend_from_slice(b"\x1b[?");
            out.extend_from_slice(&kept.join(&b';'));
            out.push(verb);
        }
        if verb == b'h' {
            out.extend_from_slice(CLEAR);
        }
        verb == b'l'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_taken_out_and_nothing_else_wherever_reads_are_cut() {
        for (input, wanted, back) in [
            (&b"plain \x1b[31mred\x1b[0m \x1b]0;t\x07"[..], &b"plain \x1b[31mred\x1b[0m \x1b]0;t\x07"[..], false),
            (b"\x1b[?25l\x1b[?2004h", b"\x1b[?25l\x1b[?2004h", false),
            (b"a\x1b[?1049hb", b"a\x1b[0m\x1b[H\x1b[2Jb", false),
            (b"a\x1b[?1049lb", b"ab", true),
            (b"\x1b[?47l", b"", true),
            (b"\x1b[?1049;2004hx", b"\x1b[?2004h\x1b[0m\x1b[H\x1b[2Jx", false),
            (b"\x1b[?25;1047lx", b"\x1b[?25lx", true),
            (b"\x1bcx", b"\x1b[!p\x1b[0m\x1b[H\x1b[2Jx", false),
            (b"\x1b\x1b[?1049lx", b"\x1bx", true),
            (b"\x1b[1049hx\x1b(B\x1b7", b"\x1b[1049hx\x1b(B\x1b7", false),
        ] {
            for cut in 0..=input.len() {
                let mut filter = ScreenFilter::default();
                let mut out = Vec::new();
                let mut went_back = filter.feed(&input[..cut], &mut out);
                went_back |= filter.feed(&input[cut..], &mut out);
                let shown = input.escape_ascii().to_string();
                assert_eq!(out.escape_ascii().to_string(), wanted.escape_ascii().to_string(), "{shown} cut at {cut}");
                assert_eq!(went_back, back, "{shown} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_sequence_without_end_is_not_kept_for_ever() {
        let mut filter = ScreenFilter::default();
        let mut out = Vec::new();
        let long = [b"\x1b[?".as_slice(), &b"1;".repeat(100)].concat();
        filter.feed(&long, &mut out);
        assert!(out.len() + SEQUENCE_MAX >= long.len(), "{}", out.len());
        assert!(long.starts_with(&out));
    }
}
