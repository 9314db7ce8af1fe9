//! Looks at what a plugin answered: only picks of specs that exist, with sane scores and readable reasons, go on.
//! Whatever is dropped or changed is reported, never fatal. Pure.

use std::collections::BTreeSet;

use super::contract::{Assembly, Label, Pick};

const PICKS_MAX: usize = 64;
const REASON_MAX: usize = 500;
const SECTION_MAX: usize = 500;
const SECTION_BAD: &str = "its section has more than 500 characters, or control characters";
const LABELS_MAX: usize = 32;
const LABEL_MAX: usize = 64;
const NOTES_MAX: usize = 32;
/// A thousand bad picks are reported by the first few and a count.
const REPORTS_MAX: usize = 32;

/// Something of an answer that did not go on as the plugin gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// What it was: `pick auth.md`, `label`, `note`.
    pub what: String,
    pub why: String,
}

/// An answer that went through the checks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    pub assembly: Assembly,
    pub dropped: Vec<Dropped>,
}

/// Checks an answer; `exists` says whether there is a spec of an id.
pub fn check(answer: Assembly, exists: impl Fn(&str) -> bool) -> Checked {
    let mut report = Report::default();
    let picks = check_picks(answer.picks, exists, &mut report);
    let labels = check_labels(answer.labels, &mut report);
    let notes = check_notes(&answer.notes, &mut report);
    Checked { assembly: Assembly { labels, picks, notes }, dropped: report.finish() }
}

fn check_picks(picks: Vec<Pick>, exists: impl Fn(&str) -> bool, report: &mut Report) -> Vec<Pick> {
    let mut kept: Vec<Pick> = Vec::new();
    let mut seen = BTreeSet::new();
    for mut pick in picks {
        // Before anything that costs: a million picks are looked at no longer than it takes to count them.
        if kept.len() == PICKS_MAX {
            report.more(|| pick_name(&pick), || format!("a plugin has at most {PICKS_MAX} picks"));
            continue;
        }
        if !pick.score.is_finite() {
            report.more(|| pick_name(&pick), || format!("its score is {}", pick.score));
        } else if pick.section.as_deref().is_some_and(is_no_section) {
            report.more(|| pick_name(&pick), || SECTION_BAD.to_owned());
        } else if seen.contains(&(pick.spec.clone(), pick.section.clone())) {
            report.more(|| pick_name(&pick), || "it was picked before".to_owned());
        } else if !exists(&pick.spec) {
            report.more(|| pick_name(&pick), || "there is no such spec".to_owned());
        } else {
            tidy(&mut pick, report);
            seen.insert((pick.spec.clone(), pick.section.clone()));
            kept.push(pick);
        }
    }
    kept
}

/// Whether no section can be called so.
fn is_no_section(id: &str) -> bool {
    // No more is looked at than a section may have, however long the text is.
    id.chars().nth(SECTION_MAX).is_some() || id.chars().any(is_unseen)
}

/// Brings a pick that is kept within the contract's bounds.
fn tidy(pick: &mut Pick, report: &mut Report) {
    if !(0.0..=1.0).contains(&pick.score) {
        let taken = pick.score.clamp(0.0, 1.0);
        report.more(|| pick_name(pick), || format!("kept, but its score {} was taken as {taken}", pick.score));
        pick.score = taken;
    }
    let reason = one_line(&pick.reason, REASON_MAX);
    if reason != pick.reason {
        report.more(|| pick_name(pick), || "kept, but its reason was cut or had control characters".to_owned());
        pick.reason = reason;
    }
}

fn check_labels(labels: Vec<Label>, report: &mut Report) -> Vec<Label> {
    let mut kept: Vec<Label> = Vec::new();
    for mut label in labels {
        let name = one_line(&label.name, LABEL_MAX);
        let why = if kept.len() == LABELS_MAX {
            format!("a plugin gives at most {LABELS_MAX} labels")
        } else if name.is_empty() || name != label.name {
            format!("a label has 1 to {LABEL_MAX} characters and no control characters")
        } else if !label.confidence.is_finite() {
            format!("its confidence is {}", label.confidence)
        } else if kept.iter().any(|other| other.name == name) {
            "it was given before".to_owned()
        } else {
            label.confidence = label.confidence.clamp(0.0, 1.0);
            kept.push(label);
            continue;
        };
        report.more(|| format!("label {name}"), || why);
    }
    kept
}

fn check_notes(notes: &[String], report: &mut Report) -> Vec<String> {
    let extra = notes.len().saturating_sub(NOTES_MAX);
    if extra > 0 {
        report.more(|| format!("{extra} notes"), || format!("a plugin gives at most {NOTES_MAX} notes"));
    }
    notes.iter().take(NOTES_MAX).map(|note| one_line(note, REASON_MAX)).filter(|note| !note.is_empty()).collect()
}

fn pick_name(pick: &Pick) -> String {
    format!("pick {}", one_line(&pick.spec, 200))
}

/// A text as one line without control characters, of at most `most` characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    // No more is looked at than can be kept, however long the text is.
    let mut line: String = text.chars().take(most + 1).map(|c| if is_unseen(c) { ' ' } else { c }).collect();
    if line.chars().count() > most {
        line = line.chars().take(most.saturating_sub(1)).collect();
        line.push('…');
    }
    line.trim().to_owned()
}

/// Control characters, and those that reorder what a terminal shows.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[derive(Debug, Default)]
struct Report {
    dropped: Vec<Dropped>,
    more: usize,
}

impl Report {
    fn more(&mut self, what: impl FnOnce() -> String, why: impl FnOnce() -> String) {
        if self.dropped.len() < REPORTS_MAX {
            self.dropped.push(Dropped { what: what(), why: why() });
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<Dropped> {
        if self.more > 0 {
            self.dropped.push(Dropped { what: format!("{} more", self.more), why: "not listed one by one".to_owned() });
        }
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(spec: &str, score: f32) -> Pick {
        Pick { spec: spec.into(), score, reason: "because".into(), ..Pick::default() }
    }

    fn checked(picks: Vec<Pick>) -> Checked {
        check(Assembly { picks, ..Assembly::default() }, |id| id.starts_with("ok"))
    }

    #[test]
    fn a_sound_pick_goes_on_unchanged() {
        let checked = checked(vec![pick("ok", 0.5)]);
        assert_eq!((checked.assembly.picks, checked.dropped), (vec![pick("ok", 0.5)], vec![]));
    }

    #[test]
    fn each_unsound_pick_is_dropped_with_its_reason() {
        let cases = [
            (vec![pick("ok", f32::NAN)], "its score is NaN"),
            (vec![pick("ok", f32::INFINITY)], "its score is inf"),
            (vec![pick("../etc/passwd", 0.5)], "there is no such spec"),
            (vec![pick("no\0", 0.5)], "there is no such spec"),
            (vec![pick("ok", 0.5), pick("ok", 0.7)], "it was picked before"),
        ];
        for (picks, why) in cases {
            let (given, checked) = (picks.len(), checked(picks));
            assert_eq!(checked.assembly.picks.len(), given - 1, "{why}");
            assert_eq!(checked.dropped[0].why, why);
            assert!(!checked.dropped[0].what.contains('\0'));
        }
    }

    #[test]
    fn two_sections_of_a_spec_are_two_picks() {
        let section = |name: &str| Pick { section: Some(name.into()), ..pick("ok", 0.5) };
        assert_eq!(checked(vec![section("a"), section("b"), pick("ok", 0.1)]).assembly.picks.len(), 3);
    }

    #[test]
    fn a_pick_of_what_can_be_no_section_is_dropped() {
        let section = |name: &str| Pick { section: Some(name.into()), ..pick("ok", 0.5) };
        let longest = "é".repeat(SECTION_MAX);
        let checked = checked(vec![section("a\u{1b}[2J"), section(&format!("{longest}é")), section(&longest)]);
        assert_eq!(checked.assembly.picks, [section(&longest)]);
        let whys: Vec<&str> = checked.dropped.iter().map(|d| d.why.as_str()).collect();
        assert_eq!(whys, [SECTION_BAD; 2]);
        assert!(SECTION_BAD.contains(&SECTION_MAX.to_string()));
    }

    #[test]
    fn scores_outside_the_range_are_taken_as_its_ends_and_told() {
        for (score, taken) in [(1.5, 1.0), (-0.1, 0.0), (f32::MAX, 1.0)] {
            let checked = checked(vec![pick("ok", score)]);
            assert_eq!(checked.assembly.picks[0].score.to_bits(), f32::to_bits(taken));
            assert_eq!(checked.dropped.len(), 1);
        }
    }

    #[test]
    fn reasons_become_one_readable_line() {
        let long = "x".repeat(5000);
        for (reason, expected) in [
            ("a\nb\u{1b}[31m\0c", "a b [31m c".to_owned()),
            ("a\u{202e}b", "a b".to_owned()),
            (&long, format!("{}…", "x".repeat(499))),
        ] {
            let checked = checked(vec![Pick { reason: reason.into(), ..pick("ok", 0.5) }]);
            assert_eq!(checked.assembly.picks[0].reason, expected);
            assert_eq!(checked.dropped.len(), 1);
        }
    }

    #[test]
    fn a_flood_keeps_the_first_picks_and_a_short_report() {
        let picks = (0..100_000).map(|n| pick(&format!("ok{n}"), 0.5)).collect();
        let checked = checked(picks);
        assert_eq!(checked.assembly.picks.len(), PICKS_MAX);
        assert_eq!(checked.dropped.len(), REPORTS_MAX + 1);
        assert_eq!(checked.dropped[REPORTS_MAX].what, format!("{} more", 100_000 - PICKS_MAX - REPORTS_MAX));
    }

    #[test]
    fn labels_and_notes_have_their_bounds() {
        let label = |name: &str, confidence| Label { name: name.into(), confidence };
        let labels = vec![
            label("bugfix", 2.0),
            label("bugfix", 0.1),
            label("", 0.5),
            label("a\nb", 0.5),
            label("nan", f32::NAN),
            label(&"x".repeat(65), 0.5),
        ];
        let notes = vec!["a\nnote".to_owned(); 40];
        let checked = check(Assembly { labels, notes, ..Assembly::default() }, |_| true);
        assert_eq!(checked.assembly.labels, [label("bugfix", 1.0)]);
        assert_eq!(checked.assembly.notes, vec!["a note"; NOTES_MAX]);
        assert_eq!(checked.dropped.len(), 6);
    }
}
