//! Lets what earlier tasks teach count in a ranking.
//!
//! Pure. A candidate's odds, `score / (1 - score)`, are multiplied:
//!
//! ```text
//! odds' = odds · (1 + LIFT · s) / (1 + DROP · d)      s = 1 − Π (1 − likeness)   over the like tasks that speak for it,
//!                                                     d the same                 over those that speak against it
//! ```
//!
//! So what nobody proposed stays out, a score of 0 or 1 stays what it is, none passes 1, and what is near the middle moves
//! the furthest. What the user asked for, hard rules, and what the agent has already do not move.

use std::collections::BTreeMap;

use super::earlier::{Area, Said, Saying, Source};
use super::lessons::{self, Lessons};
use crate::context::merge::{self, Merged};
use crate::specs::SpecCatalog;

const LIFT: f32 = 4.0;
const DROP: f32 = 4.0;

/// What all like tasks say of one spec.
struct Lesson {
    /// What the odds are multiplied by.
    odds: f32,
    reason: String,
}

/// Moves what is ranked, and puts all in its order again. `prompt` and `tags` are the task's.
pub(in crate::context) fn apply(
    candidates: &mut [Merged],
    lessons: &Lessons,
    catalog: &SpecCatalog,
    prompt: &str,
    tags: &[String],
) {
    if lessons.is_empty() || candidates.is_empty() {
        return;
    }
    let alike = lessons.like(&lessons::words(prompt, tags));
    let alike: Vec<(Source, f32, Saying<'_>)> =
        alike.into_iter().map(|(earlier, likeness)| (earlier.source, likeness, Saying::of(earlier, catalog))).collect();
    if alike.is_empty() {
        return;
    }
    let mut known: BTreeMap<String, Option<Lesson>> = BTreeMap::new();
    for candidate in candidates.iter_mut().filter(|candidate| candidate.is_ranked()) {
        let spec = &candidate.spec;
        let lesson = known.entry(spec.clone()).or_insert_with(|| lesson(spec, &alike, catalog));
        if let Some(lesson) = lesson {
            candidate.why.score = moved(candidate.why.score, lesson.odds);
            candidate.why.learned = Some(lesson.reason.clone());
        }
    }
    candidates.sort_by(merge::rank);
}

fn lesson(spec: &str, alike: &[(Source, f32, Saying<'_>)], catalog: &SpecCatalog) -> Option<Lesson> {
    let spec = catalog.find(spec)?;
    let area = Area::of(spec);
    let (mut not_for, mut not_against) = (1.0_f32, 1.0_f32);
    let mut counts: BTreeMap<(Said, Source), usize> = BTreeMap::new();
    for (source, likeness, saying) in alike {
        let Some(said) = saying.of_spec(spec, &area) else { continue };
        match said {
            Said::Dropped => not_against *= 1.0 - *likeness,
            Said::AskedFor | Said::Changed | Said::Named => not_for *= 1.0 - *likeness,
        }
        *counts.entry((said, *source)).or_default() += 1;
    }
    let odds = (1.0 + LIFT * (1.0 - not_for)) / (1.0 + DROP * (1.0 - not_against));
    (!counts.is_empty()).then(|| Lesson { odds, reason: reason(&counts) })
}

fn moved(score: f32, odds: f32) -> f32 {
    (score * odds / (1.0 - score + score * odds)).clamp(0.0, 1.0)
}

/// `3 earlier tasks like this changed it and 1 commit like this named it`.
fn reason(counts: &BTreeMap<(Said, Source), usize>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|((said, source), count)| {
            let noun = match source {
                Source::Agent => "earlier task",
                Source::Commit => "commit",
            };
            let plural = if *count == 1 { "" } else { "s" };
            let verb = match said {
                Said::Dropped => "did not want it",
                Said::AskedFor => "asked for it",
                Said::Changed => "changed it",
                Said::Named => "named it",
            };
            format!("{count} {noun}{plural} like this {verb}")
        })
        .collect();
    parts.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::super::earlier::Earlier;
    use super::super::earlier::tests::{agent, catalog};
    use super::*;
    use crate::agents::Commit;
    use crate::context::hard_rule::HardRule;
    use crate::context::merge::Why;

    const TASK: &str = "Round the invoice totals";

    fn candidate(spec: &str, path: &str, score: f32) -> Merged {
        let why = Why { score, ..Why::default() };
        Merged { spec: spec.into(), path: path.into(), section: None, why, explicit: false, native: false }
    }

    fn ledger(score: f32) -> Merged {
        candidate("LEDGER", "specs/ledger.md", score)
    }

    fn images(score: f32) -> Merged {
        candidate("specs/images", "specs/images.md", score)
    }

    fn lifted(mut candidates: Vec<Merged>, earlier: Vec<Earlier>) -> Vec<(String, f32, String)> {
        let lessons = Lessons::of(earlier, Vec::new());
        apply(&mut candidates, &lessons, &catalog(), TASK, &[]);
        candidates.into_iter().map(|c| (c.spec, c.why.score, c.why.learned.unwrap_or_default())).collect()
    }

    #[test]
    fn what_a_like_task_changed_comes_first_and_says_so() {
        let earlier = vec![agent("Round the totals of an invoice", &["specs/ledger.md"])];
        let after = lifted(vec![images(0.5), ledger(0.4)], earlier);
        assert_eq!((after[0].0.as_str(), after[0].2.as_str()), ("LEDGER", "1 earlier task like this changed it"));
        assert!(after[0].1 > 0.7 && after[0].1 < 0.8, "{after:?}");
        assert_eq!(after[1], ("specs/images".to_owned(), 0.5, String::new()));
    }

    #[test]
    fn commits_and_tasks_count_together_and_are_told_apart() {
        let touched = vec!["specs/ledger.md".to_owned()];
        let commit = Commit { message: "Round invoice totals".into(), touched, ..Commit::default() };
        let mut asks = agent(TASK, &[]);
        asks.asked_for = vec!["LEDGER-001".into()];
        let earlier = vec![agent(TASK, &["specs/ledger.md"]), asks, Earlier::of_commit(commit.clone())];
        let after = lifted(vec![ledger(0.4)], earlier);
        assert_eq!(
            after[0].2,
            "1 earlier task like this asked for it and 1 earlier task like this changed it and 1 commit like this changed it"
        );
        let two = vec![Earlier::of_commit(commit.clone()), Earlier::of_commit(commit)];
        assert_eq!(lifted(vec![ledger(0.4)], two)[0].2, "2 commits like this changed it");
    }

    #[test]
    fn what_was_dropped_goes_down_and_no_further_than_it_may() {
        let mut drops = agent(TASK, &[]);
        drops.dropped = vec!["LEDGER".into()];
        let after = lifted(vec![ledger(0.6), images(0.5)], vec![drops.clone()]);
        assert_eq!((after[1].0.as_str(), after[1].2.as_str()), ("LEDGER", "1 earlier task like this did not want it"));
        assert!(after[1].1 > 0.2 && after[1].1 < 0.3, "{after:?}");
        let both = lifted(vec![ledger(0.6)], vec![drops, agent(TASK, &["specs/ledger.md"])]);
        assert!((both[0].1 - 0.6).abs() < 1e-5, "one word against the other: {both:?}");
    }

    #[test]
    fn nothing_comes_of_nothing_and_what_is_certain_stays() {
        let earlier: Vec<Earlier> = (0..50).map(|_| agent(TASK, &["specs/ledger.md"])).collect();
        assert_eq!(lifted(vec![images(0.5)], earlier.clone()).len(), 1, "nobody proposed it");
        assert_eq!(lifted(vec![ledger(0.0)], earlier.clone())[0].1, 0.0);
        assert_eq!(lifted(vec![ledger(1.0)], earlier.clone())[0].1, 1.0);
        for score in [0.01_f32, 0.1, 0.5, 0.9] {
            let after = lifted(vec![ledger(score)], earlier.clone())[0].1;
            assert!(after > score && after < 1.0 && after <= (1.0 + LIFT) * score, "{score}: {after}");
        }
    }

    #[test]
    fn what_is_not_ranked_does_not_move() {
        let earlier = vec![agent(TASK, &["specs/ledger.md"])];
        let asked = Merged { explicit: true, ..ledger(0.4) };
        let native = Merged { native: true, ..ledger(0.4) };
        let rule = Merged { why: Why { rule: Some(HardRule::Always), ..ledger(0.4).why }, ..ledger(0.4) };
        for (spec, score, reason) in lifted(vec![asked, rule, native], earlier) {
            assert_eq!((spec.as_str(), score, reason.as_str()), ("LEDGER", 0.4, ""));
        }
    }

    #[test]
    fn a_task_that_is_like_none_is_ranked_as_without_a_past() {
        let earlier = vec![agent("Draw thumbnails", &["specs/images.md"])];
        let after = lifted(vec![images(0.5), ledger(0.5)], earlier);
        assert_eq!(after.iter().map(|(spec, ..)| spec.as_str()).collect::<Vec<_>>(), ["specs/images", "LEDGER"]);
        assert!(after.iter().all(|(_, score, reason)| *score == 0.5 && reason.is_empty()));
    }

    #[test]
    fn the_same_past_gives_the_same_figures() {
        let earlier = || vec![agent("Round totals", &["specs/ledger.md"]), agent("Round images", &["specs/images.md"])];
        let candidates = || vec![images(0.5), ledger(0.4), candidate("specs/login", "specs/login.md", 0.3)];
        assert_eq!(lifted(candidates(), earlier()), lifted(candidates(), earlier()));
    }
}
