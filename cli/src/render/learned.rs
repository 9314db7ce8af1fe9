//! What was learnt from use, as people check it: a row a task, with what it says of which specs.

use super::{View, count, grouped};
use crate::text::{brief, printable};
use pu_protocol::learned::{LearnedReport, LearnedTask};

const TASK_MAX: usize = 60;
const COMMIT_ID: usize = 10;

pub(crate) fn report(report: &LearnedReport, view: &View) -> String {
    let mut parts = Vec::new();
    if !report.learns {
        let off = "learning is switched off ([context] learn = false): nothing is recorded, and none of this counts";
        parts.push(view.style.warn(off));
    }
    if report.tasks.is_empty() {
        parts.push("nothing was learnt yet".to_owned());
    } else {
        let rows =
            report.tasks.iter().map(|task| [who(task), age(task, view), brief(&task.task, TASK_MAX), teaches(task)]);
        parts.push(view.table(["FROM", "AGE", "TASK", "WHAT IT TEACHES"], rows));
    }
    if report.more > 0 {
        parts.push(format!("and {} more", grouped(report.more.into())));
    }
    if report.commits > 0 {
        parts.push(format!("{} looked at", count(usize::try_from(report.commits).unwrap_or(usize::MAX), "commit")));
    }
    parts.extend(report.warnings.iter().map(|warning| view.style.warn(&format!("warning   {}", printable(warning)))));
    parts.join("\n")
}

fn who(task: &LearnedTask) -> String {
    if task.source == "commit" {
        return format!("commit {}", task.id.chars().take(COMMIT_ID).collect::<String>());
    }
    format!("{} ({})", task.name, task.id)
}

fn age(task: &LearnedTask, view: &View) -> String {
    if task.at.is_empty() { String::new() } else { view.age(&task.at) }
}

/// `changed AUTH, docs/deploy; dropped BILL`.
fn teaches(task: &LearnedTask) -> String {
    let parts: Vec<String> = [
        ("asked for", &task.asked_for),
        ("changed", &task.changed),
        ("named", &task.named),
        ("dropped", &task.dropped),
    ]
    .into_iter()
    .filter(|(_, specs)| !specs.is_empty())
    .map(|(verb, specs)| format!("{verb} {}", specs.join(", ")))
    .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;

    fn task() -> LearnedTask {
        LearnedTask {
            source: "agent".into(),
            id: "a1b2c3d4".into(),
            name: "round".into(),
            task: "Round the totals".into(),
            changed: vec!["BILL".into(), "docs/deploy".into()],
            dropped: vec!["IMG".into()],
            ..LearnedTask::default()
        }
    }

    #[test]
    fn each_task_says_what_it_teaches() {
        let commit = LearnedTask {
            source: "commit".into(),
            id: "0123456789abcdef".into(),
            task: "Evil \x1b[2J".into(),
            named: vec!["AUTH".into()],
            ..LearnedTask::default()
        };
        let silent = LearnedTask { changed: vec![], dropped: vec![], ..task() };
        let tasks = vec![task(), silent, commit];
        let all = LearnedReport { learns: true, tasks, commits: 1200, more: 3, warnings: vec!["1 line".into()] };
        let told = report(&all, &view());
        for part in [
            "round (a1b2c3d4)",
            "changed BILL, docs/deploy; dropped IMG",
            "nothing",
            "commit 0123456789 ",
            "named AUTH",
            "and 3 more",
            "1,200 commits looked at",
            "warning   1 line",
        ] {
            assert!(told.contains(part), "{part} is not in:\n{told}");
        }
        assert!(!told.contains('\x1b'), "{told:?}");
    }

    #[test]
    fn that_nothing_is_learnt_is_said() {
        assert_eq!(
            report(&LearnedReport { learns: true, ..LearnedReport::default() }, &view()),
            "nothing was learnt yet"
        );
        let off = report(&LearnedReport { tasks: vec![task()], ..LearnedReport::default() }, &view());
        assert!(off.starts_with("learning is switched off") && off.contains("changed BILL"), "{off}");
    }
}
