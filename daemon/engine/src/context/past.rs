//! What the plugins of one assembly may know of the past: what each kept, and the project's past tasks.
//!
//! Read before a plugin is called, outside of its time, and only for one that imports it; the history once for all of
//! them. That something cannot be read is told as a note and fails nothing. It writes nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use pu_protocol::layout::ProjectLayout;

use super::task;
use crate::plugins::{ChangedFile, Grant, Granted, PastTask, StateEntries};
use crate::store::{self, PastSpawn, StoreError};

/// What history says of an agent whose end it does not tell.
const RUNNING: &str = "running";

pub(super) struct Past {
    root: PathBuf,
    layout: ProjectLayout,
    /// The newest first, or why they cannot be read.
    tasks: OnceLock<Result<Arc<[PastTask]>, String>>,
}

impl Past {
    pub(super) fn of(root: &Path, layout: ProjectLayout) -> Self {
        Self { root: root.to_owned(), layout, tasks: OnceLock::new() }
    }

    /// What there is for an assembler that was granted all that it needs, and what is to be told of it. Blocks.
    pub(super) fn granted(&self, assembler: &str, needs: &[Grant]) -> (Granted, Vec<String>) {
        let (mut granted, mut notes) = (Granted::default(), Vec::new());
        for need in needs {
            match need {
                Grant::State => granted.state = self.state(assembler, &mut notes),
                Grant::History => granted.past = self.tasks(&mut notes),
            }
        }
        (granted, notes)
    }

    fn state(&self, assembler: &str, notes: &mut Vec<String>) -> Option<Arc<StateEntries>> {
        match store::read_plugin_state(&self.layout, assembler) {
            Ok(entries) => Some(Arc::new(entries)),
            Err(StoreError::Record(error)) if error.is_damaged() => {
                notes.push(format!("its state was taken as empty: {error}"));
                Some(Arc::default())
            }
            Err(error) => {
                notes.push(format!("its state cannot be read: {error}"));
                None
            }
        }
    }

    fn tasks(&self, notes: &mut Vec<String>) -> Option<Arc<[PastTask]>> {
        let read = || match store::recent_spawns(&self.layout) {
            Ok(spawns) => Ok(spawns.into_iter().map(|spawn| past_task(spawn, &self.root)).collect()),
            Err(error) => Err(error.to_string()),
        };
        match self.tasks.get_or_init(read) {
            Ok(tasks) => Some(Arc::clone(tasks)),
            Err(why) => {
                notes.push(format!("the past tasks cannot be read: {why}"));
                None
            }
        }
    }
}

/// What a component is tested with that stands in no chain: an empty state, and a project without a past.
pub(super) fn nothing_yet(needs: &[Grant]) -> Granted {
    let has = |grant| needs.contains(&grant);
    Granted { state: has(Grant::State).then(Arc::default), past: has(Grant::History).then(Arc::default) }
}

/// A spawn as plugins see it: like a task, without a place of this machine.
fn past_task(spawn: PastSpawn, root: &Path) -> PastTask {
    let prompt = task::without_root(&spawn.prompt, root);
    let tags = task::tags(&spawn.tags, &prompt);
    let end = spawn.end.unwrap_or_else(|| store::PastEnd { state: RUNNING.to_owned(), ..store::PastEnd::default() });
    let touched = end.touched.into_iter().map(|file| ChangedFile { path: file.path, status: file.status });
    PastTask {
        id: spawn.agent_id,
        tags,
        prompt,
        agent: spawn.agent,
        branch: spawn.branch,
        outcome: end.state,
        exit_code: end.code,
        picked: spawn.picked,
        touched_files: touched.collect(),
        started: Some(spawn.at).filter(|at| !at.is_empty()),
        extra: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        _folder: tempfile::TempDir,
        root: PathBuf,
        layout: ProjectLayout,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().to_owned();
            let layout = ProjectLayout::new(&root);
            std::fs::create_dir_all(layout.root()).unwrap();
            Self { _folder: folder, root, layout }
        }

        fn granted(&self, needs: &[Grant]) -> (Granted, Vec<String>) {
            Past::of(&self.root, self.layout.clone()).granted("ledger", needs)
        }

        fn write(&self, path: &Path, text: &str) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
            assert!(path.starts_with(&self.root));
        }
    }

    #[test]
    fn only_what_is_needed_is_read_and_nothing_is_made_by_that() {
        let world = World::new();
        let (granted, notes) = world.granted(&[]);
        assert!(granted.state.is_none() && granted.past.is_none() && notes.is_empty());
        let (granted, notes) = world.granted(&Grant::ALL);
        assert!(granted.state.unwrap().is_empty() && granted.past.unwrap().is_empty() && notes.is_empty());
        assert_eq!(std::fs::read_dir(world.layout.root()).unwrap().count(), 0);
    }

    #[test]
    fn a_past_task_is_told_as_a_task_is_and_with_its_end() {
        let world = World::new();
        let spawned = serde_json::json!({
            "kind": "spawned", "at": "2026-01-01T00:00:00Z", "tags": ["Billing"],
            "prompt": format!("Fix #rounding in {}/src/a.rs", world.root.display()),
            "agent": {"agent_id": "a1", "name": "n", "agent": "claude"}, "context": {"picks": [{"spec": "LEDGER"}]},
        });
        let ended = serde_json::json!({
            "kind": "ended", "at": "2026-01-01T00:01:00Z", "agent_id": "a1", "name": "n",
            "state": {"state": "killed", "signal": "SIGTERM", "ended_at": "2026-01-01T00:01:00Z"},
            "touched": [{"path": "src/a.rs", "status": "modified"}],
        });
        world.write(&world.layout.history(), &format!("{spawned}\n"));
        let running = world.granted(&[Grant::History]).0.past.unwrap();
        assert_eq!((running[0].outcome.as_str(), running[0].touched_files.len()), ("running", 0));
        world.write(&world.layout.history(), &format!("{spawned}\n{ended}\n"));
        let past = world.granted(&[Grant::History]).0.past.unwrap();
        let expected = PastTask {
            id: "a1".into(),
            prompt: "Fix #rounding in src/a.rs".into(),
            tags: vec!["Billing".into(), "rounding".into()],
            agent: "claude".into(),
            outcome: "killed".into(),
            picked: vec!["LEDGER".into()],
            touched_files: vec![ChangedFile { path: "src/a.rs".into(), status: "modified".into() }],
            started: Some("2026-01-01T00:00:00Z".into()),
            ..PastTask::default()
        };
        assert_eq!(*past, [expected]);
    }

    #[test]
    fn what_cannot_be_read_is_a_note_and_the_file_is_left() {
        let world = World::new();
        let state = world.layout.plugin_state("ledger");
        world.write(&state, "{\"version\":");
        std::fs::create_dir(world.layout.history()).unwrap();
        let (granted, notes) = world.granted(&Grant::ALL);
        assert!(granted.state.unwrap().is_empty(), "a damaged state is an empty one");
        assert!(granted.past.is_none());
        assert!(notes[0].contains("taken as empty") && notes[0].contains("ledger.json"), "{notes:?}");
        assert!(notes[1].contains("history.jsonl"), "{notes:?}");
        assert_eq!(std::fs::read(&state).unwrap(), b"{\"version\":");
        world.write(&state, "{\"version\":99}");
        let (granted, notes) = world.granted(&[Grant::State]);
        assert!(granted.state.is_none() && notes[0].contains("cannot be read"), "{notes:?}");
    }
}
