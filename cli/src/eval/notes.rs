//! What a person should know of the tasks, the answers and the run before believing the figures.
//!
//! Nothing of it is fatal: each is counted, and the first ten are named.

use super::{EvalTask, Qrels, TaskOutcome, Tasks};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// So many are named.
const NAMED: usize = 10;

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// For programs; never renamed.
    pub(crate) code: &'static str,
    /// What happened, to be read behind the number.
    pub(crate) what: &'static str,
    pub(crate) count: usize,
    /// The first of them.
    pub(crate) first: Vec<String>,
}

/// Everything that there is to note.
pub(super) fn notes(tasks: &Tasks, qrels: Option<&Qrels>, outcomes: &[TaskOutcome]) -> Vec<Note> {
    let mut notes = vec![note(
        "repeated_task",
        "further lines with the id of an earlier task; the first one counts",
        tasks.repeated.iter().cloned(),
    )];
    if let Some(qrels) = qrels {
        let known: HashSet<&str> = tasks.tasks.iter().map(|task| task.id.as_str()).collect();
        let strange = qrels.tasks().filter(|id| !known.contains(id)).map(str::to_owned);
        let unanswered = tasks.tasks.iter().filter(|task| qrels.of(&task.id).is_none()).map(|task| task.id.clone());
        let missing: BTreeSet<&String> = outcomes.iter().flat_map(|outcome| &outcome.unknown).collect();
        notes.extend([
            note("repeated_answer", "answers that were given before", qrels.repeated.iter().cloned()),
            note("unknown_task", "tasks with answers and without a line; they are not scored", strange),
            note("unanswered_task", "tasks without answers; they are run and not scored", unanswered),
            note(
                "unknown_document",
                "documents of the answers that are not indexed; they count as not found",
                missing.into_iter().cloned(),
            ),
        ]);
    }
    notes.push(note("assembler_skipped", "assemblers that were skipped", skipped(&tasks.tasks, outcomes).into_iter()));
    let warnings: BTreeSet<&String> = outcomes.iter().flat_map(|outcome| &outcome.warnings).collect();
    notes.push(note("warning", "warnings of the daemon", warnings.into_iter().cloned()));
    notes.retain(|note| note.count > 0);
    notes
}

fn note(code: &'static str, what: &'static str, mut all: impl Iterator<Item = String>) -> Note {
    let first: Vec<String> = all.by_ref().take(NAMED).collect();
    Note { code, what, count: first.len() + all.count(), first }
}

/// Who was skipped, why and how often: `tags: deadline in 3 tasks, first in t7`.
fn skipped(tasks: &[EvalTask], outcomes: &[TaskOutcome]) -> Vec<String> {
    let mut times: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    for (task, outcome) in tasks.iter().zip(outcomes) {
        for assembler in &outcome.assemblers {
            if let Some(error) = &assembler.error {
                times.entry((&assembler.name, &error.code)).or_insert((0, &task.id)).0 += 1;
            }
        }
    }
    let said = times.into_iter().map(|((name, code), (count, first))| {
        format!("{name}: {code} in {count} task{}, first in {first}", if count == 1 { "" } else { "s" })
    });
    said.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::context::{AssemblerError, AssemblerReport};

    #[test]
    fn what_makes_figures_doubtful_is_counted_and_named() {
        let lines: String = (0..13).map(|i| format!("{{\"_id\":\"t{i}\",\"text\":\"x\"}}\n")).collect();
        let tasks = Tasks::parse(&(lines + "{\"_id\":\"t3\",\"text\":\"y\"}\n")).unwrap();
        let qrels = Qrels::parse("t0\ta\t1\nt0\ta\t1\nt1\tgone\t1\nother\ta\t1\n").unwrap();
        let error = Some(AssemblerError { code: "deadline".into(), message: "slow".into() });
        let slow = AssemblerReport { name: "tags".into(), error, ..AssemblerReport::default() };
        let mut outcomes = vec![TaskOutcome { warnings: vec!["w".into()], ..TaskOutcome::default() }; 13];
        outcomes[1].unknown = vec!["gone".into()];
        outcomes[2].assemblers = vec![AssemblerReport::default(), slow.clone()];
        outcomes[4].assemblers = vec![slow];
        let all = notes(&tasks, Some(&qrels), &outcomes);
        let seen: Vec<(&str, usize, String)> = all.iter().map(|n| (n.code, n.count, n.first.join(" "))).collect();
        let expected = [
            ("repeated_task", 1, "t3"),
            ("repeated_answer", 1, "t0 a"),
            ("unknown_task", 1, "other"),
            ("unanswered_task", 11, "t2 t3 t4 t5 t6 t7 t8 t9 t10 t11"),
            ("unknown_document", 1, "gone"),
            ("assembler_skipped", 1, "tags: deadline in 2 tasks, first in t2"),
            ("warning", 1, "w"),
        ];
        assert_eq!(seen, expected.map(|(code, count, first)| (code, count, first.to_owned())));
        assert_eq!(notes(&Tasks::default(), None, &[]), []);
    }
}
