//! Finds the commands to the terminal (OSC) in the agent's output, however the output is cut.
//!
//! It reads along and holds nothing back: the bytes go their way whatever is found. What it keeps is bounded.

/// Statuses and titles are shorter; what is longer (clipboards, images) is passed over.
const LONGEST: usize = 4096;

const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    Osc,
}

#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    /// What has come of the command so far; one byte more than the longest at most.
    held: Vec<u8>,
}

impl Scanner {
    /// Takes in output and calls `found` with the text of each command that ends in it.
    pub(super) fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            rest = match self.state {
                State::Ground => match rest.iter().position(|b| *b == ESC) {
                    Some(at) => {
                        self.state = State::Escape;
                        &rest[at + 1..]
                    }
                    None => return,
                },
                State::Escape => {
                    self.state = match *byte {
                        b']' => State::Osc,
                        ESC => State::Escape,
                        _ => State::Ground,
                    };
                    self.held.clear();
                    after
                }
                State::Osc => self.collect(rest, &mut found),
            };
        }
    }

    /// Goes on with a command; answers what follows it.
    fn collect<'b>(&mut self, bytes: &'b [u8], found: &mut impl FnMut(&[u8])) -> &'b [u8] {
        let end = bytes.iter().position(|b| matches!(*b, BEL | CAN | SUB | ESC));
        let text = &bytes[..end.unwrap_or(bytes.len())];
        let room = (LONGEST + 1).saturating_sub(self.held.len());
        self.held.extend_from_slice(&text[..text.len().min(room)]);
        let Some(at) = end else { return &[] };
        let end = bytes[at];
        if matches!(end, BEL | ESC) && self.held.len() <= LONGEST {
            found(&self.held);
        }
        // An ESC is the first half of the terminator, and begins anew in any case.
        self.state = if end == ESC { State::Escape } else { State::Ground };
        &bytes[at + 1..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(pieces: &[&[u8]]) -> Vec<String> {
        let mut scanner = Scanner::default();
        let mut found = Vec::new();
        for piece in pieces {
            scanner.feed(piece, |text| found.push(String::from_utf8_lossy(text).into_owned()));
        }
        assert!(scanner.held.len() <= LONGEST + 1);
        found
    }

    #[test]
    fn commands_are_found_however_the_output_is_cut() {
        let table: &[(&[u8], &[&str])] = &[
            (b"", &[]),
            (b"plain text ] with ; signs", &[]),
            (b"\x1b]0;title\x07", &["0;title"]),
            (b"a\x1b]7501;state=idle\x1b\\b\x1b]2;x\x07c", &["7501;state=idle", "2;x"]),
            (b"\x1b[31mred\x1b]2;x\x1b\\", &["2;x"]),
            (b"\x1b\x1b]2;x\x07", &["2;x"]),
            (b"\x1b]2;given up\x18\x1b]2;x\x07", &["2;x"]),
            (b"\x1b]2;a\x1b]2;b\x07", &["2;a", "2;b"]),
            (b"\x1b]2;never ended", &[]),
            (b"\x1b]\x07", &[""]),
            ("\x1b]0;✳ Claude\x07".as_bytes(), &["0;✳ Claude"]),
        ];
        for (stream, expected) in table {
            assert_eq!(found_in(&[stream]), *expected, "{stream:?} at once");
            for cut in 0..=stream.len() {
                assert_eq!(found_in(&[&stream[..cut], &stream[cut..]]), *expected, "{stream:?} cut at {cut}");
            }
            let single: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(found_in(&single), *expected, "{stream:?} byte by byte");
        }
    }

    #[test]
    fn one_without_an_end_fills_no_memory_and_hides_nothing() {
        let long = vec![b'A'; 1000];
        let mut pieces: Vec<&[u8]> = vec![b"\x1b]52;c;"];
        pieces.extend(std::iter::repeat_n(&long[..], 100));
        pieces.push(b"\x07\x1b]2;x\x07");
        assert_eq!(found_in(&pieces), ["2;x"]);
    }
}
