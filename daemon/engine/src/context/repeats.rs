//! Which texts are in the context already, so that the same one under two paths goes in once.
//!
//! Whole files are compared by their revisions, which costs no reading; what is read, section by section by its words:
//! two copies may be quoted in different parts. It decides nothing about order or room.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::library::Document;

type WordsDigest = [u8; 32];

/// What is in, each with the path that it is from.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Files that are in, whole or in part, by revision.
    files: HashMap<String, String>,
    /// Texts and sections that are in; the first path counts.
    texts: HashMap<WordsDigest, String>,
}

/// The digests of a text, as a whole and by its sections.
#[derive(Debug)]
pub(super) struct Words {
    text: WordsDigest,
    sections: Vec<WordsDigest>,
}

impl Words {
    pub(super) fn new<'a>(text: &str, sections: impl Iterator<Item = &'a str>) -> Self {
        Self { text: words_digest(text), sections: sections.map(words_digest).collect() }
    }
}

impl Repeats {
    /// The path of a file that is in and is the same as this one.
    pub(super) fn copied_from(&self, document: &Document) -> Option<&str> {
        self.files.get(&document.revision).map(String::as_str)
    }

    pub(super) fn note_document(&mut self, document: &Document) {
        self.files.entry(document.revision.clone()).or_insert_with(|| document.path.clone());
    }

    /// The path that a text is in from, as a whole or, if all its sections are in, its first one.
    pub(super) fn all_from(&self, words: &Words) -> Option<&str> {
        let whole = self.texts.get(&words.text);
        let first = || {
            let all = words.sections.iter().all(|section| self.texts.contains_key(section));
            words.sections.first().filter(|_| all).and_then(|section| self.texts.get(section))
        };
        whole.or_else(first).map(String::as_str)
    }

    /// Whether any section of a document is in from another path.
    pub(super) fn any_from_another(&self, document: &Document, words: &Words) -> bool {
        let elsewhere = |section: &WordsDigest| self.texts.get(section).is_some_and(|path| *path != document.path);
        words.sections.iter().any(elsewhere)
    }

    pub(super) fn note(&mut self, document: &Document, words: Words) {
        for digest in words.sections.into_iter().chain([words.text]) {
            self.texts.entry(digest).or_insert_with(|| document.path.clone());
        }
    }
}

/// Equal for copies that differ in line breaks and spaces only.
fn words_digest(text: &str) -> WordsDigest {
    let mut digest = Sha256::new();
    for word in text.split_whitespace() {
        digest.update(word.as_bytes());
        digest.update([0]);
    }
    digest.finalize().into()
}
