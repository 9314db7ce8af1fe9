//! Writes what a plugin picks now into the file of golden tasks, and leaves all else in it as it is.
//!
//! Pure: from text to text.

use super::judge::{names, spelled};
use super::list::{Entry, List};
use super::{GoldenTask, NotGolden};
use pu_protocol::context::Pick;
use pu_protocol::plugin::PluginRun;
use toml_edit::{Array, DocumentMut, Item, Table};

/// The file's text with each task's `must_pick` as it is picked in `runs`, and how many tasks that changed.
///
/// Tasks that expect something else and have no `must_pick` stay as they are, and so do those that failed.
pub(crate) fn update(text: &str, tasks: &[GoldenTask], runs: &[PluginRun]) -> Result<(String, usize), NotGolden> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| NotGolden { line: None, why: error.to_string() })?;
    let Some(tables) = document.get_mut("task").and_then(Item::as_array_of_tables_mut) else {
        return Err(NotGolden { line: None, why: "only tasks written as [[task]] can be renewed".to_owned() });
    };
    let mut changed = 0;
    for ((table, task), run) in tables.iter_mut().zip(tasks).zip(runs) {
        let wanted = task.must_pick.is_some() || !task.expects_an_answer();
        if wanted && task.expect_error.is_none() && run.report.error.is_none() && renew(table, &run.picks) {
            changed += 1;
        }
    }
    Ok((document.to_string(), changed))
}

/// Entries that still hold stay as they are spelled; what is not picked goes, what is new comes to the end.
fn renew(table: &mut Table, picks: &[Pick]) -> bool {
    if picks.is_empty() && !table.contains_key("must_pick") {
        return false;
    }
    let item = table.entry("must_pick").or_insert_with(|| toml_edit::value(Array::new()));
    let Some(array) = item.as_array_mut() else { return false };
    let mut list = List::of(array);
    let before = list.entries.len();
    list.entries.retain(|entry| entry.name().is_some_and(|name| picks.iter().any(|pick| names(name, pick))));
    let mut changed = list.entries.len() != before;
    for pick in picks {
        if !list.entries.iter().filter_map(Entry::name).any(|name| names(name, pick)) {
            list.push(&spelled(pick));
            changed = true;
        }
    }
    if changed {
        list.write(array);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::{pick, run};
    use super::super::{Golden, judge};
    use super::*;
    use pu_protocol::context::AssemblerError;

    fn updated(text: &str, runs: &[PluginRun]) -> (String, usize) {
        update(text, &Golden::parse(text).unwrap().tasks, runs).unwrap()
    }

    #[test]
    fn what_is_picked_is_written_down_and_comments_stay() {
        let text = r#"# Why there are golden tasks.
specs = "specs"

[[task]] # the first
prompt = "one"
must_pick = [
    # above it
    "specs/a.md", # spelled as a path
    # above what goes
    "GONE", # beside what goes
    "B#s" # the last
]

[[task]]
prompt = "two" # what it is about
must_pick = ["A"]
must_not_pick = ["D"]
"#;
        let runs = [run(&[pick("A", None), pick("B", Some("s")), pick("C", None)]), run(&[pick("E", Some("t"))])];
        let (new, changed) = updated(text, &runs);
        assert_eq!(changed, 2);
        insta::assert_snapshot!(new, @r#"
        # Why there are golden tasks.
        specs = "specs"

        [[task]] # the first
        prompt = "one"
        must_pick = [
            # above it
            "specs/a.md", # spelled as a path
            "B#s", # the last
            "C",
        ]

        [[task]]
        prompt = "two" # what it is about
        must_pick = ["E#t"]
        must_not_pick = ["D"]
        "#);
        let golden = Golden::parse(&new).unwrap();
        assert!(golden.tasks.iter().zip(&runs).all(|(task, run)| judge(task, run).passed()));
        assert_eq!(updated(&new, &runs), (new.clone(), 0), "what holds is left alone to the byte");
    }

    #[test]
    fn only_tasks_that_are_about_picks_change() {
        let text = "[[task]]\nprompt = \"new\"\n\n[[task]]\nprompt = \"b\"\nmust_label = [\"x\"]\n\n\
                    [[task]]\nprompt = \"c\"\nexpect_error = \"trap\"\n\n[[task]]\nprompt = \"d\"\nmust_pick = [\"A\"]\n";
        let mut failed = run(&[]);
        failed.report.error = Some(AssemblerError { code: "trap".into(), message: String::new() });
        let runs = [run(&[pick("A", None)]), run(&[pick("A", None)]), failed.clone(), failed];
        let (new, changed) = updated(text, &runs);
        assert_eq!(changed, 1);
        assert_eq!(new, text.replacen("prompt = \"new\"\n", "prompt = \"new\"\nmust_pick = [\"A\"]\n", 1));
    }
}
