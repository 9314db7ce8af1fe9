//! Cuts what is not about the task, so that a task that no spec is about gets none.
//!
//! Pure. Two bars, both by score, and neither for what the user asked for or for a hard rule, which do not set them either:
//! - `min_score`, which the best proposal must reach: else what was found is the best of nothing, and all of it is cut;
//! - `near_best`: a share of the best proposal's score, since beside a strong match a weak one only distracts.
//!
//! What the task's agent loads by itself is cut whatever its score, and sets no bar: it is not to be there twice.

use super::merge::Merged;

/// The two bars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold {
    pub min_score: f32,
    pub near_best: f32,
}

const NATIVE: &str = "the agent loads it by itself";

/// Why each candidate is cut; `None` for one that stays.
pub(super) fn cuts(candidates: &[Merged], threshold: Threshold) -> Vec<Option<String>> {
    let best = candidates.iter().filter(|c| c.is_ranked()).map(|c| c.why.score).fold(0.0, f32::max);
    let near = threshold.near_best * best;
    candidates
        .iter()
        .map(|c| match c.why.score {
            _ if c.explicit => None,
            _ if c.native => Some(NATIVE.to_owned()),
            _ if c.why.rule.is_some() => None,
            score if best < threshold.min_score => Some(format!(
                "score {score:.2}: no spec is about the task, since none reaches {:.2}",
                threshold.min_score
            )),
            score if score < near => Some(format!(
                "score {score:.2} under {near:.2}, which is {:.0} % of the best",
                threshold.near_best * 100.0
            )),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::hard_rule::HardRule;
    use super::super::merge::Why;
    use super::*;

    fn candidate(score: f32, explicit: bool) -> Merged {
        let (spec, path) = ("a".to_owned(), "a.md".to_owned());
        let why = Why { score, ..Why::default() };
        Merged { spec, path, section: None, why, explicit, native: false }
    }

    fn rule(score: f32) -> Merged {
        let why = Why { score, rule: Some(HardRule::Always), ..Why::default() };
        Merged { why, ..candidate(score, false) }
    }

    #[test]
    fn the_weak_are_cut_with_the_reason_and_the_asked_for_stay() {
        let candidates = [candidate(0.0, true), candidate(0.8, false), candidate(0.3, false), candidate(0.1, false)];
        let cuts = cuts(&candidates, Threshold { min_score: 0.2, near_best: 0.5 });
        let weak = |score| format!("score {score} under 0.40, which is 50 % of the best");
        let expected = [None, None, Some(&*weak("0.30")), Some(&*weak("0.10"))];
        assert_eq!(cuts.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn hard_rules_are_not_cut_and_neither_they_nor_what_the_agent_has_raise_the_bar() {
        let native = |one: Merged| Merged { native: true, ..one };
        let candidates =
            [rule(1.0), rule(0.0), native(candidate(0.9, false)), native(rule(1.0)), candidate(0.3, false)];
        let cuts = cuts(&candidates, Threshold { min_score: 0.2, near_best: 0.5 });
        assert_eq!(
            cuts.iter().map(Option::as_deref).collect::<Vec<_>>(),
            [None, None, Some(NATIVE), Some(NATIVE), None]
        );
    }

    #[test]
    fn where_nothing_is_near_all_are_cut_and_what_stands_beside_something_near_is_not() {
        let bars = Threshold { min_score: 0.2, near_best: 0.5 };
        let candidates = [candidate(0.19, false), candidate(0.18, false)];
        let why = "score 0.18: no spec is about the task, since none reaches 0.20";
        assert_eq!(cuts(&candidates, bars)[1].as_deref(), Some(why));
        assert!(cuts(&candidates, bars).iter().all(Option::is_some));
        assert_eq!(cuts(&[candidate(0.3, false), candidate(0.18, false)], bars), [None, None]);
    }
}
