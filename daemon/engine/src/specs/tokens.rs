//! Counts tokens as a language model does (o200k), so that a budget is in the unit that the agent pays in.
//!
//! The vocabulary (some megabytes) is loaded at the first count, not at start: a daemon whose index is current never loads it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// What words cost. The tokenizer takes a text apart into words before it makes tokens, no token spans two of them, and
/// the words of a project's specs are the same few thousand again and again: to look one up is ten times as quick as to
/// count it.
static WORDS: RwLock<Option<HashMap<Box<str>, u32>>> = RwLock::new(None);

/// Longer words are rare, and long enough for the tokenizer to be worth its while.
const WORD_MAX: usize = 24;
/// So many words are remembered, some megabytes; beyond that all are forgotten and the remembering begins anew.
const WORDS_MAX: usize = 1 << 16;

/// The number of o200k tokens of a text.
pub fn count(text: &str) -> u32 {
    let tokenizer = bpe_openai::o200k_base();
    let mut tokens = 0_u32;
    let mut unknown: Vec<&str> = Vec::new();
    {
        let known = WORDS.read().unwrap_or_else(PoisonError::into_inner);
        for word in tokenizer.split(text) {
            match known.as_ref().and_then(|known| known.get(word)) {
                Some(cost) => tokens = tokens.saturating_add(*cost),
                None => unknown.push(word),
            }
        }
    }
    // Counted without the lock: one that waits to write would hold back all who read.
    let cost = |word: &str| u32::try_from(tokenizer.bpe.count(word.as_bytes())).unwrap_or(u32::MAX);
    let counted: Vec<(&str, u32)> = unknown.into_iter().map(|word| (word, cost(word))).collect();
    remember(counted.iter().filter(|(word, _)| word.len() <= WORD_MAX));
    counted.iter().fold(tokens, |sum, (_, cost)| sum.saturating_add(*cost))
}

fn remember<'a>(new: impl Iterator<Item = &'a (&'a str, u32)>) {
    let mut new = new.peekable();
    if new.peek().is_none() {
        return;
    }
    let mut known = WORDS.write().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    for (word, cost) in new {
        if known.len() >= WORDS_MAX {
            known.clear();
        }
        known.insert((*word).into(), *cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_changes_no_count() {
        let specs = [include_str!("../../../../specs/ipc.md"), include_str!("../../../../specs/plugins.md")];
        let nasty = [
            "a.\n\n\n/b\n\n c",
            "\r\n\r\na\n\n\r\nb",
            "1\n\n2\n\n'll\n\n\u{a0}x\n\n\u{3000}y",
            "é\n\n漢字\n\n🦀🦀\n\n\t\tx",
            "…\n\n…\n\n\u{301}e   ",
            "averyveryverylongwordthatnobodywouldremember_and_then_some",
        ];
        for text in specs.into_iter().chain(nasty) {
            for _ in 0..2 {
                assert_eq!(count(text) as usize, bpe_openai::o200k_base().count(text), "{text:?}");
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
