//! Finds the earlier tasks whose words are like a task's.
//!
//! Pure. Likeness is the cosine of the two sets of words, a word weighing more the fewer of the earlier tasks have it. The
//! same tasks in the same order give the same figures.

use std::collections::{BTreeSet, HashMap};

use super::earlier::Earlier;
use crate::specs;

/// From here on two tasks are alike. Figures in `specs/context-assembly.md` say why so low: what is alike by little counts
/// little.
const ALIKE: f32 = 0.08;
/// As many as are looked at for one task, the most alike.
const LIKE_MAX: usize = 50;
/// As much of a text, in bytes: no more is kept of an earlier one.
const TEXT_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(in crate::context) struct Lessons {
    /// Those of agents before commits, the newest first.
    earlier: Vec<Earlier>,
    /// The earlier tasks that have a word, by their places.
    having: HashMap<String, Vec<usize>>,
    /// How long the vector of each one's words is.
    lengths: Vec<f32>,
    /// What could not be read.
    pub(in crate::context) warnings: Vec<String>,
}

impl Lessons {
    pub(super) fn of(earlier: Vec<Earlier>, warnings: Vec<String>) -> Self {
        let words: Vec<BTreeSet<String>> = earlier.iter().map(|one| words(&one.text, &one.tags)).collect();
        let mut having: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, words) in words.iter().enumerate() {
            for word in words {
                having.entry(word.clone()).or_default().push(place);
            }
        }
        let mut lessons = Self { earlier, having, lengths: Vec::new(), warnings };
        lessons.lengths = words.iter().map(|words| lessons.length(words)).collect();
        lessons
    }

    pub(in crate::context) fn is_empty(&self) -> bool {
        self.earlier.is_empty()
    }

    pub(super) fn all(&self) -> &[Earlier] {
        &self.earlier
    }

    /// The earlier tasks that are like one of these words, each with how much, 0 to 1; the most alike first, and of equals
    /// the newest.
    pub(super) fn like(&self, words: &BTreeSet<String>) -> Vec<(&Earlier, f32)> {
        let mut products = vec![0.0_f32; self.earlier.len()];
        for word in words {
            let weight = self.weight(word).powi(2);
            for place in self.having.get(word).into_iter().flatten() {
                products[*place] += weight;
            }
        }
        let length = self.length(words);
        let alike = products.into_iter().zip(&self.lengths).zip(&self.earlier);
        let mut alike: Vec<(&Earlier, f32)> = alike
            .filter(|((product, _), _)| *product > 0.0)
            .map(|((product, of_earlier), earlier)| (earlier, (product / (length * of_earlier)).min(1.0)))
            .filter(|(_, likeness)| *likeness >= ALIKE)
            .collect();
        // A stable sort.
        alike.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        alike.truncate(LIKE_MAX);
        alike
    }

    fn length(&self, words: &BTreeSet<String>) -> f32 {
        words.iter().map(|word| self.weight(word).powi(2)).sum::<f32>().sqrt()
    }

    /// As BM25 weighs a word.
    fn weight(&self, word: &str) -> f32 {
        let (all, having) = (self.earlier.len() as f32, self.having.get(word).map_or(0, Vec::len) as f32);
        (1.0 + (all - having + 0.5) / (having + 0.5)).ln()
    }
}

/// The words that a task is known by.
pub(super) fn words(text: &str, tags: &[String]) -> BTreeSet<String> {
    let start = &text[..text.floor_char_boundary(TEXT_MAX)];
    specs::words(&format!("{start} {}", tags.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::super::earlier::tests::agent;
    use super::*;

    fn like(lessons: &Lessons, text: &str) -> Vec<(String, f32)> {
        let alike = lessons.like(&words(text, &[]));
        alike.into_iter().map(|(earlier, likeness)| (earlier.text.clone(), likeness)).collect()
    }

    fn lessons(texts: &[&str]) -> Lessons {
        Lessons::of(texts.iter().map(|text| agent(text, &[])).collect(), Vec::new())
    }

    #[test]
    fn the_same_words_are_wholly_alike_and_no_common_ones_not_at_all() {
        let lessons = lessons(&["Round the invoice totals", "Draw the thumbnails", ""]);
        let alike = like(&lessons, "the totals of invoices, rounded");
        assert_eq!(alike.len(), 1);
        assert_eq!(alike[0].0, "Round the invoice totals");
        assert!((alike[0].1 - 1.0).abs() < 1e-5, "{alike:?}");
        assert_eq!(like(&lessons, "quokka habitat"), []);
        assert_eq!(like(&lessons, ""), []);
        assert_eq!(like(&Lessons::default(), "anything"), []);
    }

    #[test]
    fn a_word_that_all_tasks_have_makes_none_alike_and_a_rare_one_does() {
        let texts: Vec<String> = (0..20).map(|n| format!("fix bug number{n} in module{n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let lessons = lessons(&texts);
        assert_eq!(like(&lessons, "fix the bug of the ledger"), []);
        let alike = like(&lessons, "what module7 does");
        assert_eq!(alike.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["fix bug number7 in module7"]);
    }

    #[test]
    fn of_equals_the_first_comes_first_and_their_number_is_bounded() {
        let texts = vec!["round it"; LIKE_MAX + 10];
        let lessons = lessons(&texts);
        let words = words("round it", &[]);
        let alike = lessons.like(&words);
        assert_eq!(alike.len(), LIKE_MAX);
        assert!(std::ptr::eq(alike[0].0, &lessons.all()[0]));
        let again: Vec<f32> = lessons.like(&words).into_iter().map(|(_, likeness)| likeness).collect();
        assert_eq!(alike.into_iter().map(|(_, likeness)| likeness).collect::<Vec<_>>(), again);
    }
}
