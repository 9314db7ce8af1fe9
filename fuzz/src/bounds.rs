//! What the host promises of every answer that it lets through, and of the report on what it did not.
//!
//! Written from the contract, not from the host's code: the figures stand here a second time on purpose.

use std::collections::BTreeSet;

use pu_engine::plugins::{Assembly, Checked, Label, Pick};

use crate::finding::{Broken, ensure};

const PICKS_MAX: usize = 64;
const REASON_MAX: usize = 500;
const LABELS_MAX: usize = 32;
const LABEL_MAX: usize = 64;
const NOTES_MAX: usize = 32;
/// Lines of the report, the one that counts the rest included.
const REPORT_MAX: usize = 33;

type Key<'a> = (&'a str, Option<&'a str>);

fn key(pick: &Pick) -> Key<'_> {
    (&pick.spec, pick.section.as_deref())
}

/// Whether this can be shown to a user as it is.
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// What holds for an answer that was let through, whatever the plugin gave.
pub fn answer(kept: &Assembly, exists: impl Fn(&str) -> bool) -> Result<(), Broken> {
    picks(&kept.picks, exists)?;
    labels(&kept.labels)?;
    ensure(kept.notes.len() <= NOTES_MAX, || format!("{} notes", kept.notes.len()))?;
    for note in &kept.notes {
        ensure(fits(note, REASON_MAX), || format!("the note {note:?}"))?;
    }
    Ok(())
}

fn picks(picks: &[Pick], exists: impl Fn(&str) -> bool) -> Result<(), Broken> {
    ensure(picks.len() <= PICKS_MAX, || format!("{} picks", picks.len()))?;
    let mut seen = BTreeSet::new();
    for pick in picks {
        ensure(exists(&pick.spec), || format!("a pick of {:?}, which does not exist", pick.spec))?;
        ensure((0.0..=1.0).contains(&pick.score), || format!("a pick with the score {}", pick.score))?;
        ensure(seen.insert(key(pick)), || format!("two picks of {:?}", key(pick)))?;
        ensure(fits(&pick.reason, REASON_MAX), || format!("the reason {:?}", pick.reason))?;
    }
    Ok(())
}

fn labels(labels: &[Label]) -> Result<(), Broken> {
    ensure(labels.len() <= LABELS_MAX, || format!("{} labels", labels.len()))?;
    let mut seen = BTreeSet::new();
    for label in labels {
        let sound = fits(&label.name, LABEL_MAX) && !label.name.is_empty() && seen.insert(&label.name);
        ensure(sound, || format!("the label {:?}", label.name))?;
        ensure((0.0..=1.0).contains(&label.confidence), || format!("a label with confidence {}", label.confidence))?;
    }
    Ok(())
}

fn fits(text: &str, most: usize) -> bool {
    text.chars().count() <= most && is_clean(text)
}

/// What holds between an answer and what became of it: nothing sound is lost, nothing is made up, all is accounted for.
pub fn check(given: &Assembly, checked: &Checked, exists: impl Fn(&str) -> bool) -> Result<(), Broken> {
    let kept = &checked.assembly;
    answer(kept, &exists)?;
    let changed = changes(given, kept)?;
    let sound: BTreeSet<_> =
        given.picks.iter().filter(|pick| pick.score.is_finite() && exists(&pick.spec)).map(key).collect();
    ensure(kept.picks.len() == sound.len().min(PICKS_MAX), || {
        format!("{} of {} sound picks were kept", kept.picks.len(), sound.len())
    })?;
    let dropped = given.picks.len() - kept.picks.len() + given.labels.len() - kept.labels.len();
    let expected = dropped + changed + usize::from(given.notes.len() > NOTES_MAX);
    report(checked, expected)
}

/// How many changes to the picks that were kept have to be told.
fn changes(given: &Assembly, kept: &Assembly) -> Result<usize, Broken> {
    let mut changes = 0;
    let mut left = given.picks.iter();
    for pick in &kept.picks {
        // Those that are kept stand in the order in which they were given.
        let Some(original) = left.find(|original| key(original) == key(pick) && original.score.is_finite()) else {
            return Err(Broken(format!("nobody picked {:?} at this place", key(pick))));
        };
        let score = original.score.clamp(0.0, 1.0);
        ensure(pick.score.to_bits() == score.to_bits() && pick.extra == original.extra, || {
            format!("{original:?} became {pick:?}")
        })?;
        changes += usize::from(original.score.to_bits() != score.to_bits());
        changes += usize::from(original.reason != pick.reason);
    }
    Ok(changes)
}

/// The report tells exactly so many things, the line that counts the rest included, and can be shown.
fn report(checked: &Checked, expected: usize) -> Result<(), Broken> {
    let lines = &checked.dropped;
    ensure(lines.len() <= REPORT_MAX, || format!("a report of {} lines", lines.len()))?;
    for line in lines {
        ensure(is_clean(&line.what) && is_clean(&line.why), || format!("the line {line:?}"))?;
    }
    let rest = lines.last().and_then(|line| line.what.strip_suffix(" more")?.parse::<usize>().ok());
    let told = rest.map_or(lines.len(), |rest| lines.len() - 1 + rest);
    ensure(told == expected, || format!("the report tells {told} things of {expected}: {lines:?}"))
}
