//! What the daemon answered to one task, as far as it is scored.

use pu_protocol::answer::ContextAnswer;
use pu_protocol::context::{AssemblerReport, Pick};
use std::collections::HashSet;
use std::time::Duration;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TaskOutcome {
    /// All that is ranked, the best first: each spec once, by its best proposal. Hard rules are in the contexts alone: that
    /// a rule holds says nothing of how well specs are found.
    pub(crate) ranking: Vec<(String, f32)>,
    /// What is in the context.
    pub(crate) picks: Vec<Pick>,
    pub(crate) tokens: u32,
    pub(crate) budget: u32,
    pub(crate) assemblers: Vec<AssemblerReport>,
    pub(crate) warnings: Vec<String>,
    /// Specs that the task needs and the index does not have.
    pub(crate) unknown: Vec<String>,
    /// From the request to its answer.
    pub(crate) elapsed: Duration,
}

impl TaskOutcome {
    pub(crate) fn new(answer: ContextAnswer, elapsed: Duration) -> Self {
        let report = answer.report;
        let mut known = HashSet::new();
        let candidates = report.candidates.unwrap_or_default().into_iter();
        let ranking = candidates
            .filter(|candidate| candidate.pick.rule.is_none())
            .map(|candidate| (candidate.pick.path, candidate.pick.score))
            .filter(|(path, _)| known.insert(path.clone()))
            .collect();
        Self {
            ranking,
            picks: report.picks,
            tokens: report.tokens,
            budget: report.budget,
            assemblers: report.assemblers,
            warnings: report.warnings,
            unknown: answer.unknown,
            elapsed,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use pu_protocol::context::{Candidate, ContextReport};

    pub(crate) fn pick(path: &str, section: Option<&str>, score: f32, tokens: u32) -> Pick {
        Pick { path: path.into(), section: section.map(Into::into), score, tokens, ..Pick::default() }
    }

    #[test]
    fn a_spec_stands_where_its_best_proposal_does() {
        let candidate = |pick| Candidate { pick, ..Candidate::default() };
        let candidates = vec![
            candidate(Pick { rule: Some("always".into()), ..pick("a", None, 1.0, 10) }),
            candidate(pick("b", Some("s"), 0.9, 10)),
            candidate(pick("a", None, 0.5, 10)),
            candidate(pick("b", None, 0.4, 99)),
        ];
        let report = ContextReport { candidates: Some(candidates), ..ContextReport::default() };
        let answer = ContextAnswer { report, text: None, unknown: vec!["c".into()] };
        let outcome = TaskOutcome::new(answer, Duration::ZERO);
        assert_eq!(outcome.ranking, [("b".to_owned(), 0.9), ("a".to_owned(), 0.5)]);
        assert_eq!(outcome.unknown, ["c"]);
    }
}
