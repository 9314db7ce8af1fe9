//! Counts tokens as a language model does (o200k), so that a budget is in the unit that the agent pays in.
//!
//! The vocabulary (some megabytes) is loaded at the first count, not at start: a daemon whose index is current never loads it.

/// The number of o200k tokens of a text.
pub fn count(text: &str) -> u32 {
    u32::try_from(bpe_openai::o200k_base().count(text)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_as_tiktoken_o200k_does() {
        // Reference counts from OpenAI's published examples of o200k_base.
        for (text, tokens) in [("", 0), ("hello world", 2), ("antidisestablishmentarianism", 6), ("2 + 2 = 4", 7)] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }
}
