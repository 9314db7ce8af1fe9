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
//!
//! What is proposed as a hard rule stands apart, before all that is ranked: that a rule holds is no better reason for the
//! words of a task to mean it. A spec that is both is two candidates.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::hard_rule::HardRule;

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
    /// It is to be there whatever the task's words.
    pub rule: Option<HardRule>,
}

/// Where what was proposed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub path: String,
    /// The section's place in its file; 0 for the whole.
    pub ordinal: usize,
    /// See [`Merged::native`].
    pub native: bool,
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
    /// The task's agent loads the spec by itself, and nobody asked for it.
    pub native: bool,
}

impl Merged {
    /// Whether it is its score that decides about it.
    pub(super) fn is_ranked(&self) -> bool {
        !self.explicit && !self.native && self.why.rule.is_none()
    }
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
    /// What kind of hard rule it is, if it is one: no threshold cuts it.
    pub rule: Option<HardRule>,
    /// What earlier tasks like this say of it, which the score takes in.
    pub learned: Option<String>,
}

impl Why {
    /// `keyword`, or `keyword, tags`.
    pub(super) fn assembler(&self) -> String {
        let names: Vec<&str> = self.proposers.iter().map(|p| p.assembler.as_str()).collect();
        names.join(", ")
    }

    /// Takes in who else chose the same, each once: what is there for several reasons is told with all of them.
    pub(super) fn add_proposers(&mut self, other: &Self) {
        for proposer in &other.proposers {
            if !self.proposers.iter().any(|known| known.assembler == proposer.assembler) {
                self.proposers.push(proposer.clone());
            }
        }
    }

    /// The reason, or, of several assemblers, each with its name.
    pub(super) fn reason(&self) -> String {
        match self.proposers.as_slice() {
            [one] => self.and_learned(one.reason.clone()),
            _ => self.with_names(),
        }
    }

    /// `keyword: matches lock; tags: tagged daemon`.
    pub(super) fn with_names(&self) -> String {
        let reasons: Vec<String> = self.proposers.iter().map(|p| format!("{}: {}", p.assembler, p.reason)).collect();
        self.and_learned(reasons.join("; "))
    }

    fn and_learned(&self, reason: String) -> String {
        match &self.learned {
            Some(learned) => format!("{reason}; {learned}"),
            None => reason,
        }
    }
}

/// Merges proposals. `place` says where a spec or a section of it stands; a proposal without a place is one that the host
/// has dropped already, and is passed over.
pub(super) fn merge(
    proposals: &[Proposal],
    place: impl Fn(&str, Option<&str>) -> Option<Place>,
    is_explicit: impl Fn(&Proposal) -> bool,
) -> Vec<Merged> {
    let mut groups: BTreeMap<(&str, Option<&str>, bool), Vec<&Proposal>> = BTreeMap::new();
    for proposal in proposals {
        let key = (proposal.spec.as_str(), proposal.section.as_deref(), proposal.rule.is_some());
        groups.entry(key).or_default().push(proposal);
    }
    let mut merged: Vec<(usize, Merged)> = groups
        .into_iter()
        .filter_map(|((spec, section, _), group)| {
            let Place { path, ordinal, native } = place(spec, section)?;
            let explicit = group.iter().any(|p| is_explicit(p));
            let proposers = proposers(&group);
            let rule = group.iter().find_map(|p| p.rule);
            let why = Why { score: score(&proposers), proposers, rule, learned: None };
            let section = section.map(str::to_owned);
            Some((ordinal, Merged { spec: spec.to_owned(), path, section, why, explicit, native }))
        })
        .collect();
    merged.sort_by(|(a_at, a), (b_at, b)| rank(a, b).then(a_at.cmp(b_at)));
    merged.into_iter().map(|(_, m)| m).collect()
}

/// The user's first, then hard rules, then the higher score, then the path.
pub(super) fn rank(a: &Merged, b: &Merged) -> Ordering {
    let first = |m: &Merged| (m.explicit, m.why.rule.is_some());
    first(b).cmp(&first(a)).then(b.why.score.total_cmp(&a.why.score)).then_with(|| a.path.cmp(&b.path))
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
        let (reason, section) = (format!("because {score}"), section.map(Into::into));
        Proposal { assembler: assembler.into(), spec: spec.into(), section, score, reason, rule: None }
    }

    fn place(spec: &str, section: Option<&str>) -> Option<Place> {
        let (path, ordinal) = (format!("specs/{spec}.md"), section.map_or(0, str::len));
        (spec != "gone").then_some(Place { path, ordinal, native: spec == "native" })
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
        let learned = |m: &Merged| Why { learned: Some("2 tasks".into()), ..m.why.clone() };
        assert_eq!(learned(&all[0]).reason(), "because 0.65; 2 tasks");
        assert_eq!(learned(&all[1]).reason(), "keyword: because 0.6; tags: because 0.5; 2 tasks");
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
    fn a_hard_rule_stands_before_what_is_ranked_and_lifts_nothing() {
        let rule = |spec, score| Proposal { rule: Some(HardRule::Globs), ..proposal("tags", spec, None, score) };
        let proposals = [
            proposal("keyword", "a", None, 1.0),
            proposal("keyword", "z", None, 0.4),
            rule("z", 0.9),
            proposal("user", "y", None, 1.0),
            proposal("keyword", "native", None, 0.8),
        ];
        let all = merged(&proposals);
        let seen: Vec<(&str, bool, f32)> =
            all.iter().map(|m| (m.spec.as_str(), m.why.rule.is_some(), m.why.score)).collect();
        let expected =
            [("y", false, 1.0), ("z", true, 0.9), ("a", false, 1.0), ("native", false, 0.8), ("z", false, 0.4)];
        assert_eq!(seen, expected);
        let ranked: Vec<bool> = all.iter().map(Merged::is_ranked).collect();
        assert_eq!(ranked, [false, false, true, false, true]);
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
