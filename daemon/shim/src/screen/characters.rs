//! Characters of several bytes, kept whole for the emulator.
//!
//! `vte` 0.15 loses what follows a character that reached it in two pieces (`advance_partial_utf8` counts the bytes of
//! its neighbours as its own). Output is cut anywhere, so the beginning of a character is held back until its end comes.

/// The beginning of a character, until the rest is there.
#[derive(Debug, Default)]
pub(super) struct WholeCharacters {
    held: [u8; 4],
    length: usize,
}

impl WholeCharacters {
    /// Hands `bytes` on, in pieces none of which ends within a character.
    pub(super) fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let mut rest = bytes;
        if self.length > 0 {
            let wanted = character_length(self.held[0]).saturating_sub(self.length);
            let more = rest.iter().take(wanted).take_while(|b| is_continuation(**b)).count();
            self.held[self.length..self.length + more].copy_from_slice(&rest[..more]);
            self.length += more;
            rest = &rest[more..];
            if more < wanted && rest.is_empty() {
                return;
            }
            // Whole, or broken off: either way the emulator knows what to make of it.
            take(&self.held[..self.length]);
            self.length = 0;
        }
        let (whole, begun) = rest.split_at(rest.len() - unfinished_character(rest));
        self.held[..begun.len()].copy_from_slice(begun);
        self.length = begun.len();
        if !whole.is_empty() {
            take(whole);
        }
    }
}

/// The length of the beginning of a character at the end of `bytes`.
pub(super) fn unfinished_character(bytes: &[u8]) -> usize {
    let continuations = bytes.iter().rev().take(3).take_while(|b| is_continuation(**b)).count();
    let Some(first) = bytes.len().checked_sub(continuations + 1).map(|at| bytes[at]) else { return 0 };
    if character_length(first) > continuations + 1 { continuations + 1 } else { 0 }
}

fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}

/// How many bytes a character has that begins with `byte`; 1 for one that begins none.
fn character_length(byte: u8) -> usize {
    match byte {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_ends_within_a_character_and_none_is_lost() {
        let text = "aé€😀e\u{301}ü\x1b[31m你好z";
        for cut in 0..=text.len() {
            for second in cut..=text.len() {
                let mut characters = WholeCharacters::default();
                let mut seen = String::new();
                for piece in [&text.as_bytes()[..cut], &text.as_bytes()[cut..second], &text.as_bytes()[second..]] {
                    characters.feed(piece, |whole| seen.push_str(std::str::from_utf8(whole).unwrap()));
                }
                assert_eq!(seen, text, "cut at {cut} and {second}");
            }
        }
    }

    #[test]
    fn bytes_that_are_no_characters_pass_too() {
        let streams: [&[u8]; 5] = [b"\xff\xfe", b"\xf0\x9fx", b"\xe2\x82\xc3\xa9", b"\x80\x80\x80\x80", b"\xc0\x80"];
        for stream in streams {
            let mut characters = WholeCharacters::default();
            let mut seen = Vec::new();
            stream.iter().for_each(|b| characters.feed(&[*b], |piece| seen.extend_from_slice(piece)));
            characters.feed(b".", |piece| seen.extend_from_slice(piece));
            assert_eq!(seen, [stream, b"."].concat());
        }
    }
}
