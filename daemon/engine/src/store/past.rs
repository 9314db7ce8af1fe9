//! What a project's history tells of its latest spawns, each with its end.
//!
//! Reads only, and no more than the end of the file; the newest first.

use super::StoreError;
use super::history::{TouchedFile, files};
use crate::beneath;
use pu_protocol::layout::ProjectLayout;
use pu_record::RecordError;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// As much of the file's end as is read.
const READ_MAX: u64 = 4 * 1024 * 1024;

/// A spawn as history tells of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastSpawn {
    pub agent_id: String,
    /// The agent's type.
    pub agent: String,
    pub branch: Option<String>,
    /// RFC 3339.
    pub at: String,
    pub prompt: String,
    /// Those that were named beside the prompt.
    pub tags: Vec<String>,
    /// The specs that its context had, each once, the best first.
    pub picked: Vec<String>,
    /// `None` where no end is told.
    pub end: Option<PastEnd>,
}

/// How an agent ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastEnd {
    /// The name of its last state.
    pub state: String,
    pub code: Option<i32>,
    pub touched: Vec<TouchedFile>,
}

/// The spawns in the last few megabytes of a project's history; none where it has none.
pub fn recent_spawns(project: &ProjectLayout) -> Result<Vec<PastSpawn>, StoreError> {
    spawns_in(project, READ_MAX)
}

fn spawns_in(project: &ProjectLayout, at_most: u64) -> Result<Vec<PastSpawn>, StoreError> {
    let read = |path: &Path, at_most| match read_end(path, at_most) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(RecordError::Io { act: "read", path: path.into(), source }),
    };
    let [older, newer] = files(project);
    let current = read(&newer, at_most)?;
    let whole = std::fs::metadata(&newer).map_or(0, |found| found.len());
    let mut bytes = match at_most.checked_sub(whole) {
        Some(room) if room > 0 => read(&older, room)?,
        _ => Vec::new(),
    };
    // The last line of the older file may have been cut off.
    bytes.push(b'\n');
    bytes.extend(current);
    let (mut spawns, mut places) = (Vec::<PastSpawn>::new(), HashMap::<String, usize>::new());
    // A line that does not read (cut off by a full disk, or of a newer release) tells of nobody.
    for line in bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Line>(line).ok()) {
        match line.kind.as_str() {
            "spawned" => {
                let resumes = line.agent.resumes.clone();
                let spawn = line.spawn();
                // An agent that was resumed is at the same task.
                if let Some(at) = resumes.and_then(|before| places.get(&before).copied()) {
                    places.insert(spawn.agent_id, at);
                    spawns[at].end = None;
                    continue;
                }
                // A spawn that was interrupted may have been written twice.
                places.entry(spawn.agent_id.clone()).or_insert_with(|| {
                    spawns.push(spawn);
                    spawns.len() - 1
                });
            }
            "ended" => {
                if let Some(spawn) = places.get(&line.agent_id).and_then(|at| spawns.get_mut(*at)) {
                    spawn.end = Some(PastEnd { state: line.state.state, code: line.state.code, touched: line.touched });
                }
            }
            _ => {}
        }
    }
    spawns.reverse();
    Ok(spawns)
}

/// The last bytes of the file, without the line that they begin within.
pub(super) fn read_end(path: &Path, at_most: u64) -> io::Result<Vec<u8>> {
    let mut file = beneath::open_own(path)?;
    let start = file.metadata()?.len().saturating_sub(at_most);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(at_most).read_to_end(&mut bytes)?;
    if start > 0 {
        let first = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.drain(..first);
    }
    Ok(bytes)
}

/// A line of history, as much of it as is told here: the candidates of a context are most of a line and are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    kind: String,
    at: String,
    agent: Started,
    prompt: String,
    tags: Vec<String>,
    context: Context,
    agent_id: String,
    state: State,
    touched: Vec<TouchedFile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Started {
    agent_id: String,
    agent: String,
    branch: Option<String>,
    resumes: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context {
    picks: Vec<Picked>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Picked {
    spec: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    state: String,
    code: Option<i32>,
}

impl Line {
    fn spawn(self) -> PastSpawn {
        let mut picked: Vec<String> = Vec::new();
        for pick in self.context.picks {
            if !picked.contains(&pick.spec) {
                picked.push(pick.spec);
            }
        }
        PastSpawn {
            agent_id: self.agent.agent_id,
            agent: self.agent.agent,
            branch: self.agent.branch,
            at: self.at,
            prompt: self.prompt,
            tags: self.tags,
            picked,
            end: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{AgentRow, SpawnCommit, commit_end, commit_spawn};
    use pu_protocol::context::{ContextReport, Pick};
    use pu_protocol::{AgentState, Exit};

    fn project() -> (tempfile::TempDir, ProjectLayout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(layout.root()).unwrap();
        (folder, layout)
    }

    fn spawn(id: &str) -> SpawnCommit {
        let pick = |spec: &str, section: Option<&str>| Pick {
            spec: spec.into(),
            section: section.map(str::to_owned),
            ..Pick::default()
        };
        SpawnCommit {
            agent: AgentRow {
                agent_id: id.into(),
                agent: "claude".into(),
                branch: Some(format!("pu/{id}")),
                created_at: "2026-01-01T00:00:00.000Z".into(),
                ..AgentRow::default()
            },
            prompt: format!("task {id}"),
            tags: vec!["billing".into()],
            context: ContextReport {
                picks: vec![pick("B", Some("x")), pick("A", None), pick("B", Some("y"))],
                ..ContextReport::default()
            },
            ..SpawnCommit::default()
        }
    }

    #[test]
    fn what_was_committed_is_told_the_newest_first_and_with_its_end() {
        let (_folder, layout) = project();
        assert_eq!(recent_spawns(&layout).unwrap(), []);
        for id in ["one", "two"] {
            commit_spawn(&layout, &spawn(id)).unwrap();
        }
        let exit = Exit { code: Some(3), signal: None, ended_at: "2026-01-01T00:01:00Z".into(), left_running: vec![] };
        let touched = vec![TouchedFile { path: "src/a.rs".into(), status: "added".into() }];
        commit_end(&layout, "one", "one", &AgentState::Exited { exit }, || touched.clone()).unwrap();
        let told = recent_spawns(&layout).unwrap();
        assert_eq!(told.iter().map(|spawn| spawn.agent_id.as_str()).collect::<Vec<_>>(), ["two", "one"]);
        assert_eq!(told[0].end, None);
        assert_eq!(told[1].end, Some(PastEnd { state: "exited".into(), code: Some(3), touched }));
        let two = &told[0];
        assert_eq!(
            (two.agent.as_str(), two.branch.as_deref(), two.prompt.as_str()),
            ("claude", Some("pu/two"), "task two")
        );
        assert_eq!((&two.tags, &two.picked), (&vec!["billing".to_owned()], &vec!["B".to_owned(), "A".to_owned()]));
        assert_eq!(two.at, "2026-01-01T00:00:00.000Z");
    }

    #[test]
    fn an_agent_that_was_resumed_is_one_task_with_its_last_end() {
        let (_folder, layout) = project();
        commit_spawn(&layout, &spawn("one")).unwrap();
        let lost = AgentState::Lost { reason: "a reboot".into() };
        commit_end(&layout, "one", "one", &lost, Vec::new).unwrap();
        let mut again = spawn("two");
        again.agent.resumes = Some("one".into());
        commit_spawn(&layout, &again).unwrap();
        let exit = Exit { code: Some(0), signal: None, ended_at: "2026-01-01T00:01:00Z".into(), left_running: vec![] };
        commit_end(&layout, "two", "two", &AgentState::Exited { exit }, Vec::new).unwrap();
        let told = recent_spawns(&layout).unwrap();
        assert_eq!((told.len(), told[0].agent_id.as_str()), (1, "one"));
        assert_eq!(told[0].end.as_ref().map(|end| end.state.as_str()), Some("exited"));
    }

    #[test]
    fn only_the_end_of_a_long_history_is_read_and_what_does_not_read_is_passed_over() {
        let (_folder, layout) = project();
        for id in ["one", "two"] {
            commit_spawn(&layout, &spawn(id)).unwrap();
        }
        pu_record::atomic::append_line(&layout.history(), "{\"kind\":\"spawned\",\"agent\":{\"agent_").unwrap();
        pu_record::atomic::append_line(&layout.history(), "{\"kind\":\"of_next_year\",\"agent_id\":\"two\"}").unwrap();
        commit_spawn(&layout, &spawn("two")).unwrap();
        let ids = |at_most: u64| -> Vec<String> {
            spawns_in(&layout, at_most).unwrap().into_iter().map(|spawn| spawn.agent_id).collect()
        };
        assert_eq!(ids(READ_MAX), ["two", "one"], "a spawn that was written twice is one");
        let length = std::fs::metadata(layout.history()).unwrap().len();
        assert_eq!(ids(length - 1), ["two"], "the first line is not whole");
        assert!(ids(10).is_empty());
    }

    #[test]
    fn what_is_no_file_is_an_error() {
        let (_folder, layout) = project();
        std::fs::create_dir(layout.history()).unwrap();
        let error = recent_spawns(&layout).unwrap_err().to_string();
        assert!(error.contains("history.jsonl"), "{error}");
    }
}
