//! What one task's ranking and context are worth, each from 0 to 1.
//!
//! A spec is needed or not: grades do not count, and what is needed and was not found counts as much as it should.

use pu_protocol::context::Pick;
use std::collections::BTreeSet;

/// Ranks that are looked at.
const DEPTH: usize = 10;
const RECALL_DEPTH: usize = 5;
/// A passage below this says too little for its spec to count as given.
const PASSAGE_TOKENS: u32 = 150;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TaskScore {
    pub(crate) ndcg_10: f64,
    pub(crate) recall_5: f64,
    pub(crate) success_1: f64,
    pub(crate) mrr_10: f64,
}

/// Scores a ranking, the best first and each path once, against the paths that are needed, one at least.
pub(crate) fn of_ranking<'a>(ranking: impl Iterator<Item = &'a str>, needed: &BTreeSet<String>) -> TaskScore {
    let hits: Vec<bool> = ranking.take(DEPTH).map(|path| needed.contains(path)).collect();
    let gained: f64 = hits.iter().enumerate().filter(|(_, hit)| **hit).map(|(rank, _)| gain(rank)).sum();
    let ideal: f64 = (0..needed.len().min(DEPTH)).map(gain).sum();
    let found = hits.iter().take(RECALL_DEPTH).filter(|hit| **hit).count();
    let first = hits.iter().position(|hit| *hit);
    TaskScore {
        ndcg_10: gained / ideal,
        recall_5: found as f64 / needed.len() as f64,
        success_1: if first == Some(0) { 1.0 } else { 0.0 },
        mrr_10: first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64),
    }
}

/// The share of what is needed that the context gives: whole, or by a passage that is long enough to say something.
pub(crate) fn of_context(picks: &[Pick], needed: &BTreeSet<String>) -> f64 {
    let counts = |pick: &&Pick| pick.section.is_none() || pick.tokens >= PASSAGE_TOKENS;
    let given: BTreeSet<&str> = picks.iter().filter(counts).map(|pick| pick.path.as_str()).collect();
    let found = needed.iter().filter(|path| given.contains(path.as_str())).count();
    found as f64 / needed.len() as f64
}

/// What a hit at this rank (from zero) adds.
fn gain(rank: usize) -> f64 {
    1.0 / ((rank + 2) as f64).log2()
}

#[cfg(test)]
mod tests {
    use super::super::outcome::tests::pick;
    use super::*;

    fn set(paths: &str) -> BTreeSet<String> {
        paths.split_whitespace().map(str::to_owned).collect()
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-12
    }

    /// The figures are those of a second implementation, the `score.py` that the evaluation sets come with.
    #[test]
    fn rankings_are_worth_what_another_scorer_says() {
        for (ranking, needed, ndcg, recall, success, mrr) in [
            ("a b c", "a", 1.0, 1.0, 1.0, 1.0),
            ("b a c", "a", 0.6309297535714575, 1.0, 0.0, 0.5),
            ("x y z", "a", 0.0, 0.0, 0.0, 0.0),
            ("", "a", 0.0, 0.0, 0.0, 0.0),
            ("x y a z b", "a b", 0.5437713091520254, 1.0, 0.0, 0.3333333333333333),
            ("a x b", "a b c", 0.7039180890341347, 0.6666666666666666, 1.0, 1.0),
            ("x1 x2 x3 x4 x5 a", "a", 0.3562071871080222, 0.0, 0.0, 0.16666666666666666),
            ("x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 a", "a", 0.0, 0.0, 0.0, 0.0),
            (
                "n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12",
                "n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12",
                1.0,
                0.4166666666666667,
                1.0,
                1.0,
            ),
            ("x1 a x2 b x3 c x4 d x5 e", "a b c d e f", 0.6119659338046917, 0.3333333333333333, 0.0, 0.5),
        ] {
            let score = of_ranking(ranking.split_whitespace(), &set(needed));
            let seen = [score.ndcg_10, score.recall_5, score.success_1, score.mrr_10];
            let wanted = [ndcg, recall, success, mrr];
            assert!(
                seen.iter().zip(wanted).all(|(a, b)| close(*a, b)),
                "{ranking} for {needed}: {seen:?}, not {wanted:?}"
            );
        }
    }

    #[test]
    fn a_spec_is_given_whole_or_by_a_passage_that_says_something() {
        for (picks, needed, wanted) in [
            (vec![pick("a", None, 0.9, 20)], "a", 1.0),
            (vec![pick("a", Some("s"), 0.9, 149)], "a", 0.0),
            (vec![pick("a", Some("s"), 0.9, 149), pick("a", Some("t"), 0.9, 149)], "a", 0.0),
            (vec![pick("a", Some("s"), 0.9, 149), pick("a", Some("t"), 0.9, 150)], "a", 1.0),
            (vec![pick("a", None, 0.9, 20), pick("x", None, 0.5, 20)], "a b", 0.5),
            (vec![], "a", 0.0),
        ] {
            assert!(close(of_context(&picks, &set(needed)), wanted), "{picks:?} for {needed}");
        }
    }
}
