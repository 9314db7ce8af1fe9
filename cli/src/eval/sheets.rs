//! The two tables that other programs score: the whole rankings, and what was put into the contexts.
//!
//! Text only: who writes it to a file is not known here.

use super::{EvalTask, TaskOutcome};
use std::borrow::Cow;
use std::fmt::Write;

/// `query-id <tab> path <tab> score`, the best first, each path once a task.
pub(crate) fn ranking(tasks: &[EvalTask], outcomes: &[TaskOutcome]) -> String {
    let mut out = String::new();
    for (task, outcome) in tasks.iter().zip(outcomes) {
        for (path, score) in &outcome.ranking {
            // Writing to a string does not fail.
            let _ = writeln!(out, "{}\t{}\t{score}", task.id, field(path));
        }
    }
    out
}

/// `query-id <tab> path <tab> section <tab> tokens`; no section where the spec is in as a whole.
pub(crate) fn injected(tasks: &[EvalTask], outcomes: &[TaskOutcome]) -> String {
    let mut out = String::new();
    for (task, outcome) in tasks.iter().zip(outcomes) {
        for pick in &outcome.picks {
            let section = pick.section.as_deref().map(field).unwrap_or_default();
            let _ = writeln!(out, "{}\t{}\t{section}\t{}", task.id, field(&pick.path), pick.tokens);
        }
    }
    out
}

/// A name without what would end its field or its line: such characters are spelled out.
fn field(name: &str) -> Cow<'_, str> {
    if !name.contains(['\t', '\n', '\r']) {
        return Cow::Borrowed(name);
    }
    name.replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r").into()
}

#[cfg(test)]
mod tests {
    use super::super::outcome::tests::pick;
    use super::*;

    #[test]
    fn a_line_a_spec() {
        let tasks = ["t1", "t2"].map(|id| EvalTask { id: id.into(), text: "x".into() });
        let outcomes = [
            TaskOutcome {
                ranking: vec![("docs/a.md".into(), 0.9), ("docs/tab\there.md".into(), 0.125)],
                picks: vec![pick("docs/a.md", None, 0.9, 120), pick("docs/b.md", Some("the-end"), 0.5, 300)],
                ..TaskOutcome::default()
            },
            TaskOutcome::default(),
        ];
        assert_eq!(ranking(&tasks, &outcomes), "t1\tdocs/a.md\t0.9\nt1\tdocs/tab\\there.md\t0.125\n");
        assert_eq!(injected(&tasks, &outcomes), "t1\tdocs/a.md\t\t120\nt1\tdocs/b.md\tthe-end\t300\n");
    }
}
