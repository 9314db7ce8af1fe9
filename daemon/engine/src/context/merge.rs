//! Makes one ranking of what several assemblers proposed.
//!
//! Pure. A proposal is for a spec or for one section of it; equal ones collapse into one candidate that keeps who
//! proposed it and why. Its score is that of its best proposer, `b`, and a little more where others agree:
//!
//! ```text
//! score = b + AGREEMENT · (1 − b) · (1 − Π (1 − sᵢ))      over the scores sᵢ of the other assemblers
//! ```
//!
//! So agreement never lowers a score, never passes 1, a proposer that is sure counts for more than one that guesses, and
//! many weak voices never beat one that is certain. The order is by score, then path, then place in the file.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How much of the way from the best score to 1 full agreement goes.
const AGREEMENT: f32 = 0.2;

/// What one assembler proposes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proposal {
    pub assembler: String,
    pub spec: String,
    pub section: Option<String>,
    /// 0 to 1.
    pub score: f32,
    pub reason: String,
}

/// Everything that was proposed for one spec or one section of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Merged {
    pub spec: String,
    pub path: String,
    pub section: Option<String>,
    pub why: Why,
    /// Asked for by the user: the budget takes it first and no threshold cuts it.
    pub explicit: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proposer {
    pub assembler: String,
    pub score: f32,
    pub reason: String,
}

/// Who chose something, how surely, and for which reasons.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Why {
    pub score: f32,
    /// The best first; each assembler once.
    pub proposers: Vec<Proposer>,
}

impl Why {
    /// `keyword`, or `keyword, tags`.
    pub(super) fn assembler(&self) -> String {
        let names: Vec<&str> = self.proposers.iter().map(|p| p.assembler.as_str()).collect();
        names.join(", ")
    }

    /// The reason, or, of several assemblers, each with its name.
    pub(super) fn reason(&self) -> String {
        match self.proposers.as_slice() {
            [one] => one.reason.clone(),
            _ => self.with_names(),
        }
    }

    /// `keyword: matches lock; tags: tagged daemon`.
    pub(super) fn with_names(&self) -> String {
        let reasons: Vec<String> = self.proposers.iter().map(|p| format!("{}: {}", p.assembler, p.reason)).collect();
        reasons.join("; ")
    }
}

/// Merges proposals. `place` gives the path of a spec and where a section stands in it; a proposal without a place is
/// one that the host has dropped already, and is passed over.
pub(super) fn merge(
    proposals: &[Proposal],
    place: impl Fn(&str, Option<&str>) -> Option<(String, usize)>,
    is_explicit: impl Fn(&Proposal) -> bool,
) -> Vec<Merged> {
    let mut groups: BTreeMap<(&str, Option<&str>), Vec<&Proposal>> = BTreeMap::new();
    for proposal in proposals {
        groups.entry((&proposal.spec, proposal.section.as_deref())).or_default().push(proposal);
    }
    let mut merged: Vec<(usize, Merged)> = groups
        .into_iter()
        .filter_map(|((spec, section), group)| {
            let (path, ordinal) = place(spec, section)?;
            let explicit = group.iter().any(|p| is_explicit(p));
            let proposers = proposers(&group);
            let why = Why { score: score(&proposers), proposers };
            let section = section.map(str::to_owned);
            Some((ordinal, Merged { spec: spec.to_owned(), path, section, why, explicit }))
        })
        .collect();
    merged.sort_by(|(a_at, a), (b_at, b)| rank(a, b).then(a_at.cmp(b_at)));
    merged.into_iter().map(|(_, m)| m).collect()
}

/// The user's first, then the higher score, then the path.
fn rank(a: &Merged, b: &Merged) -> Ordering {
    b.explicit.cmp(&a.explicit).then(b.why.score.total_cmp(&a.why.score)).then_with(|| a.path.cmp(&b.path))
}

/// Each assembler once, by its best proposal; the best first, and equals in the order of the chain.
fn proposers(group: &[&Proposal]) -> Vec<Proposer> {
    let mut proposers: Vec<Proposer> = Vec::new();
    for proposal in group {
        let score = if proposal.score.is_finite() { proposal.score.clamp(0.0, 1.0) } else { 0.0 };
        let new = Proposer { assembler: proposal.assembler.clone(), score, reason: proposal.reason.clone() };
        match proposers.iter_mut().find(|p| p.assembler == new.assembler) {
            Some(known) if known.score < new.score => *known = new,
            Some(_) => {}
            None => proposers.push(new),
        }
    }
    proposers.sort_by(|a, b| b.score.total_cmp(&a.score));
    proposers
}

fn score(proposers: &[Proposer]) -> f32 {
    let Some((best, others)) = proposers.split_first() else { return 0.0 };
    let disagreement: f32 = others.iter().map(|p| 1.0 - p.score).product();
    (best.score + AGREEMENT * (1.0 - best.score) * (1.0 - disagreement)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::test_library::Dice;

    fn proposal(assembler: &str, spec: &str, section: Option<&str>, score: f32) -> Proposal {
        let reason = format!("because {score}");
        Proposal { assembler: assembler.into(), spec: spec.into(), section: section.map(Into::into), score, reason }
    }

    fn place(spec: &str, section: Option<&str>) -> Option<(String, usize)> {
        (spec != "gone").then(|| (format!("specs/{spec}.md"), section.map_or(0, str::len)))
    }

    fn merged(proposals: &[Proposal]) -> Vec<Merged> {
        merge(proposals, place, |p| p.assembler == "user")
    }

    #[test]
    fn equal_proposals_collapse_and_agreement_counts_a_little() {
        let all = merged(&[
            proposal("keyword", "a", None, 0.6),
            proposal("tags", "a", None, 0.5),
            proposal("keyword", "b", None, 0.65),
            proposal("keyword", "b", None, 0.2),
            proposal("keyword", "a", Some("x"), 0.1),
        ]);
        let seen: Vec<(&str, Option<&str>)> = all.iter().map(|m| (m.spec.as_str(), m.section.as_deref())).collect();
        assert_eq!(seen, [("b", None), ("a", None), ("a", Some("x"))]);
        assert!((all[1].why.score - (0.6 + 0.2 * 0.4 * 0.5)).abs() < 1e-6);
        assert_eq!(all[1].why.assembler(), "keyword, tags");
        assert_eq!(all[1].why.reason(), "keyword: because 0.6; tags: because 0.5");
        assert_eq!(all[0].why.reason(), "because 0.65");
    }

    #[test]
    fn ties_go_by_path_then_by_place_in_the_file_and_what_is_gone_is_passed_over() {
        let all = merged(&[
            proposal("k", "b", None, 0.5),
            proposal("k", "a", Some("xx"), 0.5),
            proposal("k", "gone", None, 0.9),
            proposal("k", "a", Some("y"), 0.5),
        ]);
        let seen: Vec<(&str, Option<&str>)> = all.iter().map(|m| (m.spec.as_str(), m.section.as_deref())).collect();
        assert_eq!(seen, [("a", Some("y")), ("a", Some("xx")), ("b", None)]);
    }

    #[test]
    fn what_the_user_asked_for_is_first() {
        let all = merged(&[proposal("k", "a", None, 1.0), proposal("user", "z", None, 1.0)]);
        assert_eq!(all[0].spec, "z");
        assert!(all[0].explicit && !all[1].explicit);
    }

    #[test]
    fn scores_stay_in_range_and_the_order_of_the_proposals_does_not_matter() {
        let mut dice = Dice::new(7);
        for _ in 0..300 {
            let mut proposals: Vec<Proposal> = (0..dice.below(24))
                .map(|_| {
                    let section = [None, Some("x"), Some("yy")][dice.below(3)];
                    let spec = ["a", "b", "c"][dice.below(3)];
                    // Each assembler has one score for a place, as the host's check of duplicates ensures.
                    let assembler = ["k", "t", "m"][dice.below(3)];
                    let seed = spec.len() + section.map_or(0, str::len) * 7 + usize::from(assembler.as_bytes()[0]);
                    proposal(assembler, spec, section, (seed * 37 % 101) as f32 / 100.0)
                })
                .collect();
            let once = merged(&proposals);
            for m in &once {
                let best = m.why.proposers.iter().map(|p| p.score).fold(0.0, f32::max);
                assert!(m.why.score >= best && m.why.score <= 1.0);
                assert!(m.why.score <= best + AGREEMENT * (1.0 - best) + 1e-6);
            }
            assert!(once.windows(2).all(|w| w[0].why.score >= w[1].why.score));
            proposals.reverse();
            let again = merged(&proposals);
            assert_eq!(once.len(), again.len());
            for (a, b) in once.iter().zip(&again) {
                assert_eq!((&a.spec, &a.section, a.why.proposers.len()), (&b.spec, &b.section, b.why.proposers.len()));
                assert!((a.why.score - b.why.score).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_score_that_is_no_number_counts_nothing() {
        let all = merged(&[proposal("k", "a", None, f32::NAN), proposal("t", "b", None, 7.0)]);
        assert_eq!((all[0].spec.as_str(), all[0].why.score), ("b", 1.0));
        assert_eq!(all[1].why.score, 0.0);
    }
}
