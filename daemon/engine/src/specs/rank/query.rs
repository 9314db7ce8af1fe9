//! A task's text as weighted words.

use std::collections::HashMap;

use tantivy::tokenizer::TokenStream as _;

use super::super::analyzer::analyzer;
use super::super::schema::TextField;
use super::super::snapshot::Snapshot;
use super::{bm25, common};

/// A long task is searched by its most telling words; a word is a bit of a `u64`, so this is at most 64.
const MAX_WORDS: usize = 64;
/// How much text is looked at at all.
const MAX_BYTES: usize = 64 << 10;

/// How soon repeating a word in the task stops to matter: BM25's third constant, which long tasks need.
const K3: f32 = 3.0;

/// The words of a task that are searched.
#[derive(Debug, Default)]
pub(in super::super) struct Query {
    pub words: Vec<Word>,
    /// Words that follow each other in the text, as indexes of `words`, with how often they do.
    pub pairs: Vec<(usize, usize, f32)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Word {
    /// As the index has it.
    pub stem: String,
    /// As the task has it, the first time.
    pub shown: String,
    /// How often it stands in the text (twice for each time in the first line), saturated; 1 for once.
    pub weight: f32,
    /// In which share of the specs of other projects it is.
    pub common: f32,
}

impl Word {
    /// 0 for a word that every text has, 1 for one that is in hardly any.
    pub(super) fn specificity(&self) -> f32 {
        common::specificity(self.common)
    }
}

impl Query {
    /// Takes the words of `text`; of very many, those that tell most about the specs of this snapshot.
    pub(in super::super) fn new(text: &str, snapshot: &Snapshot) -> tantivy::Result<Query> {
        let mut query = Query::analyse(text);
        if query.words.len() > MAX_WORDS {
            query.shorten(snapshot)?;
        }
        Ok(query)
    }

    fn analyse(text: &str) -> Query {
        let text = text.trim_start();
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        let subject = text.find('\n').unwrap_or(text.len());
        let mut query = Query::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut pairs: HashMap<(usize, usize), f32> = HashMap::new();
        let mut previous: Option<(usize, usize)> = None;
        let mut analyzer = analyzer();
        let mut stream = analyzer.token_stream(text);
        while let Some(token) = stream.next() {
            let word = *known.entry(token.text.clone()).or_insert_with(|| {
                let shown = text[token.offset_from..token.offset_to].to_owned();
                let common = common::share(&token.text);
                query.words.push(Word { stem: token.text.clone(), shown, weight: 0.0, common });
                query.words.len() - 1
            });
            query.words[word].weight += if token.offset_from < subject { 2.0 } else { 1.0 };
            // Of an identifier the joined form comes first, at the position of its first part: the part replaces it.
            if let Some((before, position)) = previous
                && position < token.position
                && before != word
            {
                *pairs.entry((before, word)).or_insert(0.0) += 1.0;
            }
            previous = Some((word, token.position));
        }
        for word in &mut query.words {
            word.weight *= (K3 + 1.0) / (word.weight + K3);
        }
        query.pairs = pairs.into_iter().map(|((a, b), n)| (a, b, n)).collect();
        query.pairs.sort_unstable_by_key(|p| (p.0, p.1));
        query
    }

    /// Keeps the words with the greatest weight × rarity, in the order of the text.
    fn shorten(&mut self, snapshot: &Snapshot) -> tantivy::Result<()> {
        let documents = snapshot.length(TextField::Body).documents;
        let readers = bm25::Readers::open(snapshot, TextField::Body)?;
        let mut value = Vec::with_capacity(self.words.len());
        for (i, word) in self.words.iter().enumerate() {
            let found = readers.documents_with(snapshot, word)?;
            // A word that no spec has cannot tell specs apart.
            value.push((i, if found == 0 { 0.0 } else { word.weight * bm25::rarity(documents, found) }));
        }
        value.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| self.words[a.0].stem.cmp(&self.words[b.0].stem)));
        value.truncate(MAX_WORDS);
        let mut kept: Vec<usize> = value.into_iter().map(|v| v.0).collect();
        kept.sort_unstable();
        let place: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        self.pairs = self.pairs.iter().filter_map(|(a, b, n)| Some((*place.get(a)?, *place.get(b)?, *n))).collect();
        self.words = kept.into_iter().map(|i| self.words[i].clone()).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_first_line_count_twice() {
        let query = Query::analyse("Fix retries\n\nThe retry of the socket");
        let weights: Vec<(&str, f32)> = query.words.iter().map(|w| (w.shown.as_str(), w.weight)).collect();
        assert_eq!(weights, [("Fix", 1.6), ("retries", 2.0), ("socket", 1.0)]);
    }

    #[test]
    fn pairs_are_neighbours_without_stop_words_and_joined_forms() {
        let query = Query::analyse("open the SpecIndex fast");
        let shown = |i: usize| query.words[i].shown.as_str();
        let pairs: Vec<(&str, &str)> = query.pairs.iter().map(|(a, b, _)| (shown(*a), shown(*b))).collect();
        assert!(pairs.contains(&("Spec", "Index")) && pairs.contains(&("Index", "fast")), "{pairs:?}");
    }
}
