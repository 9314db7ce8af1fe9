//! What came of a project's tasks, for whoever ranks specs for later ones: `.pu/state/learned.jsonl`.
//!
//! A line is what one moment says of one agent's task; the lines of an agent count together. Unlike history the file is
//! kept short, the oldest goes first, and the user may erase it, as a whole or by task. It knows nothing of ranking.

use super::StoreError;
use super::past::read_end;
use super::plugin_state::{check_folder, with_state_lock};
use pu_protocol::layout::ProjectLayout;
use pu_record::{RecordError, atomic};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;

/// As many tasks as are kept.
const TASKS_MAX: usize = 500;
/// As many lines as there may be before the file is written anew with a line a task.
const LINES_MAX: usize = 2 * TASKS_MAX;
/// And as many bytes; of a longer file, which is not ours, only the end is read.
const FILE_MAX: usize = 1024 * 1024;
/// As much as is left of that when it is written anew.
const KEPT_MAX: usize = FILE_MAX / 2;
/// As much of a prompt: its beginning says what it is about.
const PROMPT_MAX: usize = 1_000;
/// As many files and specs of one task, and as long a name.
const FILES_MAX: usize = 200;
const SPECS_MAX: usize = 64;
const NAME_MAX: usize = 512;

/// What came of a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    pub agent_id: String,
    /// The agent's.
    pub name: String,
    /// RFC 3339: when it was started.
    pub at: String,
    pub prompt: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Ids of the specs that its context had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// Specs that the user named, as they were typed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked_for: Vec<String>,
    /// Ids of specs that the user dropped afterwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<String>,
    /// Files that the agent left in its worktree otherwise than it found them, relative to the project root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub touched: Vec<String>,
    /// What a newer release wrote here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What is kept of tasks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcomes {
    /// One a task, the oldest first.
    pub tasks: Vec<Outcome>,
    /// Lines that could not be read.
    pub damaged: usize,
    lines: usize,
}

impl Outcome {
    /// Whether it says anything of any spec.
    fn teaches(&self) -> bool {
        !(self.asked_for.is_empty() && self.dropped.is_empty() && self.touched.is_empty())
    }

    fn bounded(mut self) -> Self {
        self.prompt.truncate(self.prompt.floor_char_boundary(PROMPT_MAX));
        for list in [&mut self.tags, &mut self.given, &mut self.asked_for, &mut self.dropped, &mut self.touched] {
            list.retain(|name| name.len() <= NAME_MAX);
        }
        for list in [&mut self.tags, &mut self.given, &mut self.asked_for, &mut self.dropped] {
            list.truncate(SPECS_MAX);
        }
        self.touched.truncate(FILES_MAX);
        self
    }

    /// Takes in what a later line says of the same task.
    fn take_in(&mut self, later: Self) {
        let add = |known: &mut Vec<String>, new: Vec<String>| {
            for name in new {
                if !known.contains(&name) {
                    known.push(name);
                }
            }
        };
        add(&mut self.given, later.given);
        add(&mut self.asked_for, later.asked_for);
        add(&mut self.dropped, later.dropped);
        add(&mut self.touched, later.touched);
        self.extra.extend(later.extra);
    }
}

/// What came of the project's tasks, as far back as it is kept. A line that does not read is passed over and counted.
pub fn read_outcomes(project: &ProjectLayout) -> Result<Outcomes, StoreError> {
    check_folder(project)?;
    read(&project.learned())
}

fn read(path: &Path) -> Result<Outcomes, StoreError> {
    let bytes = match read_end(path, FILE_MAX as u64) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcomes::default()),
        Err(source) => return Err(RecordError::Io { act: "read", path: path.into(), source }.into()),
    };
    let mut outcomes = Outcomes::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        outcomes.lines += 1;
        match serde_json::from_slice::<Outcome>(line).map(Outcome::bounded) {
            Ok(outcome) if !outcome.agent_id.is_empty() => match places.get(&outcome.agent_id).copied() {
                Some(at) => outcomes.tasks[at].take_in(outcome),
                None => {
                    places.insert(outcome.agent_id.clone(), outcomes.tasks.len());
                    outcomes.tasks.push(outcome);
                }
            },
            _ => outcomes.damaged += 1,
        }
    }
    outcomes.shorten();
    Ok(outcomes)
}

impl Outcomes {
    /// Leaves as many tasks as are kept: those that say nothing go first, then the oldest.
    fn shorten(&mut self) {
        let mut over = self.tasks.len().saturating_sub(TASKS_MAX);
        self.tasks.retain(|task| {
            let goes = over > 0 && !task.teaches();
            over -= usize::from(goes);
            !goes
        });
        self.tasks.drain(..over);
    }
}

/// Adds what is known of an agent's task to what is kept, durably.
pub fn record_outcome(project: &ProjectLayout, outcome: Outcome) -> Result<(), StoreError> {
    let path = project.learned();
    let line = line_of(&path, &outcome.bounded())?;
    with_state_lock(project, || {
        atomic::append_line(&path, &line)?;
        let is_long = std::fs::metadata(&path).is_ok_and(|found| found.len() > FILE_MAX as u64);
        let outcomes = read(&path)?;
        if is_long || outcomes.lines > LINES_MAX {
            write(&path, &outcomes.tasks)?;
        }
        Ok(())
    })
}

/// Erases the tasks that `goes` says, and what could not be read with them; answers how many tasks there were of those.
pub fn forget_outcomes(project: &ProjectLayout, goes: impl Fn(&Outcome) -> bool) -> Result<usize, StoreError> {
    let path = project.learned();
    if read_outcomes(project)? == Outcomes::default() {
        return Ok(0);
    }
    with_state_lock(project, || {
        let Outcomes { tasks, .. } = read(&path)?;
        let before = tasks.len();
        let kept: Vec<Outcome> = tasks.into_iter().filter(|task| !goes(task)).collect();
        if kept.is_empty() {
            atomic::remove_file(&path)?;
        } else {
            write(&path, &kept)?;
        }
        Ok(before - kept.len())
    })
}

/// The newest of these, as many as there is room for.
fn write(path: &Path, tasks: &[Outcome]) -> Result<(), StoreError> {
    let mut lines = Vec::new();
    let mut room = KEPT_MAX;
    for task in tasks.iter().rev() {
        let line = line_of(path, task)? + "\n";
        if line.len() > room {
            break;
        }
        room -= line.len();
        lines.push(line);
    }
    lines.reverse();
    Ok(atomic::write_atomic(path, lines.concat().as_bytes(), atomic::PRIVATE_FILE)?)
}

fn line_of(path: &Path, outcome: &Outcome) -> Result<String, StoreError> {
    Ok(serde_json::to_string(outcome).map_err(|source| RecordError::Encode { path: path.into(), source })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, ProjectLayout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(layout.root()).unwrap();
        (folder, layout)
    }

    fn outcome(id: &str) -> Outcome {
        let touched = vec![format!("specs/{id}.md")];
        Outcome { agent_id: id.into(), prompt: format!("task {id}"), touched, ..Outcome::default() }
    }

    fn ids(layout: &ProjectLayout) -> Vec<String> {
        read_outcomes(layout).unwrap().tasks.into_iter().map(|task| task.agent_id).collect()
    }

    #[test]
    fn the_lines_of_a_task_count_together_and_the_oldest_is_first() {
        let (_folder, layout) = project();
        assert_eq!(read_outcomes(&layout).unwrap(), Outcomes::default());
        assert!(!layout.state().exists(), "reading makes nothing");
        let drop = Outcome { agent_id: "a".into(), dropped: vec!["LEDGER".into()], ..Outcome::default() };
        for line in [outcome("a"), outcome("b"), drop.clone(), drop] {
            record_outcome(&layout, line).unwrap();
        }
        let tasks = read_outcomes(&layout).unwrap().tasks;
        let both = Outcome { dropped: vec!["LEDGER".into()], ..outcome("a") };
        assert_eq!(tasks, [both, outcome("b")]);
    }

    #[test]
    fn what_does_not_read_is_counted_and_takes_nothing_with_it() {
        let (_folder, layout) = project();
        record_outcome(&layout, outcome("a")).unwrap();
        for line in ["{\"agent_id\":", "{\"prompt\":\"of nobody\"}", "[1]"] {
            atomic::append_line(&layout.learned(), line).unwrap();
        }
        record_outcome(&layout, outcome("b")).unwrap();
        let read = read_outcomes(&layout).unwrap();
        assert_eq!((read.damaged, ids(&layout)), (3, vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(forget_outcomes(&layout, |task| task.agent_id == "a").unwrap(), 1);
        let read = read_outcomes(&layout).unwrap();
        assert_eq!((read.damaged, ids(&layout)), (0, vec!["b".to_owned()]));
    }

    #[test]
    fn what_is_erased_is_gone_from_the_disk() {
        let (_folder, layout) = project();
        assert_eq!(forget_outcomes(&layout, |_| true).unwrap(), 0);
        assert!(!layout.state().exists(), "nothing is made for it");
        for id in ["a", "b"] {
            record_outcome(&layout, outcome(id)).unwrap();
        }
        assert_eq!(forget_outcomes(&layout, |task| task.agent_id == "a").unwrap(), 1);
        assert!(!std::fs::read_to_string(layout.learned()).unwrap().contains("task a"));
        assert_eq!(forget_outcomes(&layout, |_| true).unwrap(), 1);
        assert!(!layout.learned().exists());
    }

    #[test]
    fn it_stays_short_and_those_that_say_something_stay_longest() {
        let (_folder, layout) = project();
        let mut text = String::new();
        let silent = |n: usize| Outcome { touched: Vec::new(), ..outcome(&format!("silent{n}")) };
        for n in 0..TASKS_MAX {
            text += &(serde_json::to_string(&silent(n)).unwrap() + "\n");
            text += &(serde_json::to_string(&outcome(&format!("n{n}"))).unwrap() + "\n");
        }
        std::fs::create_dir_all(layout.state()).unwrap();
        atomic::write_atomic(&layout.learned(), text.as_bytes(), 0o600).unwrap();
        assert_eq!(ids(&layout).len(), TASKS_MAX);
        record_outcome(&layout, outcome("last")).unwrap();
        let kept = ids(&layout);
        assert_eq!((kept.len(), kept[0].as_str(), kept[TASKS_MAX - 1].as_str()), (TASKS_MAX, "n1", "last"));
        assert_eq!(std::fs::read_to_string(layout.learned()).unwrap().lines().count(), TASKS_MAX);

        let long = "x".repeat(NAME_MAX);
        let huge = |id: &str| Outcome {
            agent_id: id.into(),
            prompt: "ä".repeat(PROMPT_MAX),
            touched: (0..9_000).map(|n| format!("{n:05}{}", &long[5..])).collect(),
            ..Outcome::default()
        };
        for n in 0..20 {
            record_outcome(&layout, huge(&format!("huge{n}"))).unwrap();
        }
        assert!(std::fs::metadata(layout.learned()).unwrap().len() <= FILE_MAX as u64);
        let last = read_outcomes(&layout).unwrap().tasks.pop().unwrap();
        assert_eq!((last.agent_id.as_str(), last.prompt.len(), last.touched.len()), ("huge19", PROMPT_MAX, FILES_MAX));
    }

    #[test]
    fn fields_of_a_newer_release_survive() {
        let (_folder, layout) = project();
        record_outcome(&layout, outcome("b")).unwrap();
        atomic::append_line(&layout.learned(), "{\"agent_id\":\"a\",\"mood\":\"good\"}").unwrap();
        forget_outcomes(&layout, |task| task.agent_id == "b").unwrap();
        assert!(std::fs::read_to_string(layout.learned()).unwrap().contains("\"mood\":\"good\""));
    }

    #[test]
    fn a_link_is_not_written_through() {
        let (folder, layout) = project();
        std::fs::create_dir_all(layout.state()).unwrap();
        let outside = folder.path().join("outside");
        std::os::unix::fs::symlink(&outside, layout.learned()).unwrap();
        let error = record_outcome(&layout, outcome("a")).unwrap_err().to_string();
        assert!(error.contains("learned.jsonl") && error.contains("a link"), "{error}");
        assert!(!outside.exists());
    }
}
