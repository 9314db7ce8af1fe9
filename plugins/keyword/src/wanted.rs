//! The words of a task, to be found again in what a search hit. Pure.

use std::collections::BTreeMap;

use crate::asks::Ask;
use crate::words;

/// English words that say nothing about what a task is about. They only keep a reason readable: which words count in
/// a search is for the index to know.
const EMPTY: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "can", "do", "does", "for", "from", "has", "have", "how",
    "if", "in", "into", "is", "it", "its", "not", "of", "on", "or", "our", "should", "so", "that", "the", "their",
    "then", "this", "to", "was", "we", "what", "when", "which", "will", "with", "you",
];

/// Words by their stems, so that looking a text up costs by its length, however many words a prompt has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    /// Each once, in the order of the task.
    words: Vec<String>,
    /// Which of them have this stem, as places in `words`.
    by_stem: BTreeMap<String, Vec<usize>>,
}

impl Wanted {
    /// The words that the searches look for and that mean something.
    pub(crate) fn of(asks: &[Ask]) -> Self {
        let all = asks.iter().flat_map(|ask| words::of(&ask.query.text));
        all.filter(|word| !EMPTY.contains(&word.as_str())).collect()
    }

    /// The places of the words that a text in lower case has, in the order of the text; a place may come again.
    pub(crate) fn places_in(&self, lower_case: &str) -> impl Iterator<Item = usize> {
        words::stems(lower_case).filter_map(move |stem| self.by_stem.get(stem)).flatten().copied()
    }

    /// The word at one of those places.
    pub(crate) fn word(&self, place: usize) -> &str {
        &self.words[place]
    }
}

impl FromIterator<String> for Wanted {
    fn from_iter<I: IntoIterator<Item = String>>(all: I) -> Self {
        let mut wanted = Self::default();
        for word in all {
            let same_stem = wanted.by_stem.entry(words::stem(&word).to_owned()).or_default();
            if same_stem.iter().all(|place| wanted.words[*place] != word) {
                same_stem.push(wanted.words.len());
                wanted.words.push(word);
            }
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_plugin_sdk::Query;

    #[test]
    fn each_telling_word_is_there_once_and_found_by_its_stem() {
        let ask = |text: &str| Ask { weight: 1.0, query: Query::new(text) };
        let wanted = Wanted::of(&[ask("The token of a LeaseTable"), ask("tokens, token")]);
        assert_eq!(wanted.words, ["token", "leasetable", "lease", "table", "tokens"]);
        let found: Vec<&str> = wanted.places_in("one table, two tokens").map(|place| wanted.word(place)).collect();
        assert_eq!(found, ["table", "token", "tokens"]);
    }
}
