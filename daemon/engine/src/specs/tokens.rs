//! Counts tokens as a language model does (o200k), so that a budget is in the unit that the agent pays in.
//!
//! The vocabulary (some megabytes) is loaded at the first count, not at start: a daemon whose index is current never loads it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The number of o200k tokens of a text.
pub fn count(text: &str) -> u32 {
    u32::try_from(bpe_openai::o200k_base().count(text)).unwrap_or(u32::MAX)
}

/// The paragraphs that were counted of late: contexts are put together from the same ones again and again.
static PARAGRAPHS: Mutex<Paragraphs> = Mutex::new(Paragraphs { counts: None, bytes: 0 });

/// Bytes of paragraphs that are remembered; beyond that all are forgotten and the remembering begins anew.
const REMEMBERED_MAX: usize = 4 << 20;

struct Paragraphs {
    counts: Option<HashMap<Box<str>, u32>>,
    bytes: usize,
}

/// As [`count`], for a text of which most was counted before.
///
/// Exact: the tokenizer takes a text apart before it makes tokens, and no part of it goes on behind a blank line unless
/// what follows is white space or a slash.
pub fn count_known(text: &str) -> u32 {
    let mut known = PARAGRAPHS.lock().unwrap_or_else(PoisonError::into_inner);
    paragraphs(text).map(|paragraph| known.count(paragraph)).fold(0, u32::saturating_add)
}

impl Paragraphs {
    fn count(&mut self, paragraph: &str) -> u32 {
        let counts = self.counts.get_or_insert_default();
        if let Some(tokens) = counts.get(paragraph) {
            return *tokens;
        }
        if self.bytes + paragraph.len() > REMEMBERED_MAX {
            counts.clear();
            self.bytes = 0;
        }
        let tokens = count(paragraph);
        counts.insert(paragraph.into(), tokens);
        self.bytes += paragraph.len();
        tokens
    }
}

/// The text cut behind blank lines, where the tokenizer cuts too.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let cut = rest.match_indices("\n\n").map(|(at, blank)| at + blank.len()).find(|at| {
            let next = rest[*at..].chars().next();
            next.is_some_and(|next| !next.is_whitespace() && next != '/')
        });
        let (paragraph, behind) = rest.split_at(cut.unwrap_or(rest.len()));
        rest = behind;
        (!paragraph.is_empty()).then_some(paragraph)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_as_many_tokens_as_its_paragraphs() {
        let specs = [include_str!("../../../../specs/ipc.md"), include_str!("../../../../specs/plugins.md")];
        let nasty = [
            "a\n\nb",
            "a.\n\n/b",
            "a.\n\n\n/b\n\n c",
            "\n\n\n\nx",
            "x\n\n",
            "\r\n\r\na\n\n\r\nb",
            "}\n\n}\n\n};\n\n//",
            "1\n\n2\n\n'll\n\n\u{a0}x\n\n\u{3000}y",
            "é\n\n漢字\n\n🦀🦀\n\n\t\tx",
            "…\n\n…\n\n\u{301}e",
            " \n\n \n\na",
        ];
        for text in specs.into_iter().chain(nasty) {
            assert_eq!(paragraphs(text).collect::<String>(), text);
            for _ in 0..2 {
                assert_eq!(count_known(text), count(text), "{text:?}");
            }
        }
    }

    #[test]
    fn counts_as_tiktoken_o200k_does() {
        // Reference counts from OpenAI's published examples of o200k_base.
        for (text, tokens) in [("", 0), ("hello world", 2), ("antidisestablishmentarianism", 6), ("2 + 2 = 4", 7)] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }
}
