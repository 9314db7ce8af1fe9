//! A project's `manifest.json`: its live agents and its worktrees.
//!
//! Holds relative paths only, so that a project can be moved; says nothing of how an agent is doing. One that is damaged is
//! set aside and made anew of what the history tells.

use super::history::{HistoryEntry, each_line};
use super::{StoreError, set_aside_damaged};
use crate::beneath;
use pu_protocol::layout::ProjectLayout;
use pu_record::{RecordError, atomic, fault, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

/// The version that this release writes. Each released one is read: a file of each is in `released/`.
const VERSION: u32 = 1;
/// How long a daemon waits for another one, of another `PU_HOME`, that is changing the same project's files.
const LOCK_LIMIT: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });
const LOCK_PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    pub version: u32,
    #[serde(default)]
    pub agents: Vec<AgentRow>,
    #[serde(default)]
    pub worktrees: Vec<WorktreeRow>,
    /// Agents that were ended with their daemon and are to go on with a later one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<StoppedRow>,
    /// What a newer PurePoint wrote here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A live agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentRow {
    pub agent_id: String,
    pub name: String,
    pub agent: String,
    /// Relative to the project root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The agent program's own session, for a later resume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    #[serde(default)]
    pub created_at: String,
    /// The id that it had before, where it was resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An agent that its daemon ended when it was stopped itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoppedRow {
    pub agent_id: String,
    #[serde(default)]
    pub name: String,
    /// RFC 3339.
    #[serde(default)]
    pub at: String,
    /// By an application's daemon: the next one of the application takes it up again by itself.
    #[serde(default)]
    pub managed: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A worktree that PurePoint made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorktreeRow {
    /// The folder's name under `.pu/worktrees/`.
    pub name: String,
    pub branch: String,
    /// The commit that the branch began at.
    #[serde(default)]
    pub base: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Manifest {
    /// Puts the row in, in place of an earlier one of the same agent.
    pub fn put_agent(&mut self, row: AgentRow) {
        self.remove_agent(&row.agent_id);
        self.agents.push(row);
    }

    pub fn remove_agent(&mut self, agent_id: &str) {
        self.agents.retain(|row| row.agent_id != agent_id);
    }

    pub fn put_worktree(&mut self, row: WorktreeRow) {
        self.remove_worktree(&row.name);
        self.worktrees.push(row);
    }

    pub fn remove_worktree(&mut self, name: &str) {
        self.worktrees.retain(|row| row.name != name);
    }

    /// Notes an agent that is about to be ended with its daemon.
    pub fn put_stopped(&mut self, row: StoppedRow) {
        self.remove_stopped(&row.agent_id);
        self.stopped.push(row);
    }

    pub fn remove_stopped(&mut self, agent_id: &str) {
        self.stopped.retain(|row| row.agent_id != agent_id);
    }
}

/// The manifest as it stands; empty where there is none. A damaged one is set aside and made anew.
pub fn read_manifest(project: &ProjectLayout) -> Result<Manifest, StoreError> {
    match read(project) {
        Err(StoreError::Record(error)) if error.is_damaged() => {
            let _lock = lock(project)?;
            read_or_rebuild(project)
        }
        outcome => outcome,
    }
}

fn read(project: &ProjectLayout) -> Result<Manifest, StoreError> {
    let path = project.manifest();
    let manifest: Manifest = match beneath::open_own(&path) {
        Ok(file) => json::read_open(file, &path)?,
        Err(refusal) if refusal.is_missing() => Manifest::default(),
        Err(refusal) => return Err(RecordError::Io { act: "read", path, source: refusal.into() }.into()),
    };
    if manifest.version > VERSION {
        return Err(StoreError::Newer { path, found: manifest.version, known: VERSION });
    }
    Ok(manifest)
}

/// Under the lock: nobody else makes it anew at the same time.
fn read_or_rebuild(project: &ProjectLayout) -> Result<Manifest, StoreError> {
    match read(project) {
        Err(StoreError::Record(error)) if error.is_damaged() => {
            // First what it becomes, so that a history that cannot be read either leaves it where it is.
            let rebuilt = of_history(project)?;
            set_aside_damaged(&project.manifest(), &error)?;
            json::write(&project.manifest(), &rebuilt)?;
            Ok(rebuilt)
        }
        outcome => outcome,
    }
}

/// What a history tells of agents that have not ended, and of worktrees that are there. The daemon whose agents they are
/// adds at its next start what is missing still, from its own records.
fn of_history(project: &ProjectLayout) -> Result<Manifest, StoreError> {
    let mut manifest = Manifest { version: VERSION, ..Manifest::default() };
    each_line(project, |line| match serde_json::from_slice(line) {
        Ok(HistoryEntry::Spawned { agent, worktree, .. }) => {
            manifest.put_agent(agent);
            worktree.into_iter().for_each(|row| manifest.put_worktree(*row));
        }
        Ok(HistoryEntry::Ended { agent_id, .. }) => manifest.remove_agent(&agent_id),
        // Cut off, or of a newer release.
        Err(_) => {}
    })?;
    manifest.worktrees.retain(|row| project.worktree(&row.name).exists());
    Ok(manifest)
}

/// Reads, changes and writes the manifest, durably, under a lock that keeps out this daemon's other threads and another
/// user's home working on the same project.
pub fn update_manifest(project: &ProjectLayout, change: impl FnOnce(&mut Manifest)) -> Result<(), StoreError> {
    let _lock = lock(project)?;
    let before = read_or_rebuild(project)?;
    let mut manifest = before.clone();
    change(&mut manifest);
    if manifest == before {
        return Ok(());
    }
    manifest.version = VERSION;
    Ok(json::write(&project.manifest(), &manifest)?)
}

/// The lock is a file beside the manifest, since the manifest itself is replaced at each write. Who cannot have it in time
/// changes nothing, and says so.
pub(super) fn lock(project: &ProjectLayout) -> Result<File, StoreError> {
    let path = project.manifest_lock();
    let lock_error = |source| StoreError::Lock { path: path.clone(), source };
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    let opened = fault::file("open", &path).and_then(|()| atomic::open_regular(&mut options, &path));
    let file = opened.map_err(lock_error)?;
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::park_timeout(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(lock_error(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::append_history;

    fn project() -> (tempfile::TempDir, ProjectLayout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(layout.root()).unwrap();
        (folder, layout)
    }

    #[test]
    fn unknown_fields_survive_a_change() {
        let (_folder, layout) = project();
        let text =
            br#"{"version":1,"agents":[{"agent_id":"a1","name":"n","agent":"t","mood":"good"}],"theme":{"x":1}}"#;
        atomic::write_atomic(&layout.manifest(), text, 0o600).unwrap();
        update_manifest(&layout, |m| m.put_agent(AgentRow { agent_id: "b2".into(), ..AgentRow::default() })).unwrap();
        let value: Value = serde_json::from_slice(&std::fs::read(layout.manifest()).unwrap()).unwrap();
        assert_eq!((&value["theme"]["x"], &value["agents"][0]["mood"]), (&1.into(), &"good".into()));
        assert_eq!(value["agents"][1]["agent_id"], "b2");
    }

    #[test]
    fn a_damaged_manifest_is_set_aside_and_kept() {
        let (_folder, layout) = project();
        atomic::write_atomic(&layout.manifest(), b"{\"version\":1,\"agen", 0o600).unwrap();
        assert_eq!(read_manifest(&layout).unwrap(), Manifest { version: VERSION, ..Manifest::default() });
        let names = std::fs::read_dir(layout.root()).unwrap().map(|e| e.unwrap().file_name());
        let kept: Vec<_> = names.filter(|n| *n != "manifest.lock" && *n != "manifest.json").collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert!(kept[0].to_string_lossy().starts_with("manifest.json.damaged-"), "{kept:?}");
    }

    fn spawned(id: &str, worktree: Option<&str>) -> HistoryEntry {
        HistoryEntry::Spawned {
            at: String::new(),
            agent: AgentRow { agent_id: id.into(), ..AgentRow::default() },
            prompt: String::new(),
            tags: Vec::new(),
            context: Box::default(),
            worktree: worktree
                .map(|name| Box::new(WorktreeRow { name: name.into(), base: "abc".into(), ..WorktreeRow::default() })),
        }
    }

    #[test]
    fn a_damaged_manifest_is_made_anew_of_the_history() {
        let (_folder, layout) = project();
        std::fs::create_dir_all(layout.worktree("kept")).unwrap();
        for entry in [spawned("live", Some("kept")), spawned("ended", Some("gone")), spawned("root", None)] {
            append_history(&layout, &entry).unwrap();
        }
        let state = pu_protocol::AgentState::Lost { reason: String::new() };
        let ended = |agent_id: &str| HistoryEntry::Ended {
            at: String::new(),
            agent_id: agent_id.into(),
            name: String::new(),
            state: state.clone(),
            touched: Vec::new(),
        };
        append_history(&layout, &ended("ended")).unwrap();
        for reads in [true, false] {
            atomic::write_atomic(&layout.manifest(), b"{\"version\":1,\"agen", 0o600).unwrap();
            if !reads {
                // A change that changes nothing is a reason to mend it too.
                update_manifest(&layout, |_| {}).unwrap();
            }
            let manifest = read_manifest(&layout).unwrap();
            let ids: Vec<&str> = manifest.agents.iter().map(|row| row.agent_id.as_str()).collect();
            assert_eq!(ids, ["live", "root"]);
            assert_eq!(manifest.worktrees.len(), 1);
            assert_eq!((manifest.worktrees[0].name.as_str(), manifest.worktrees[0].base.as_str()), ("kept", "abc"));
            assert!(layout.manifest().exists(), "it stands on disk again");
        }
    }

    /// What each release wrote is read by this one, and written back with nothing lost.
    #[test]
    fn the_manifest_of_each_release_is_taken_over() {
        let released = [include_str!("released/manifest-0.1.0.json")];
        for text in released {
            let (_folder, layout) = project();
            atomic::write_atomic(&layout.manifest(), text.as_bytes(), 0o600).unwrap();
            let manifest = read_manifest(&layout).unwrap();
            assert_eq!((manifest.agents.len(), manifest.worktrees.len()), (2, 1));
            assert_eq!(manifest.agents[0].session_id.as_deref(), Some("3f0e2c1a-1111-4222-8333-444455556666"));
            assert!(manifest.extra.is_empty() && manifest.agents.iter().all(|row| row.extra.is_empty()));
            update_manifest(&layout, |m| m.put_agent(AgentRow { agent_id: "b2".into(), ..AgentRow::default() }))
                .unwrap();
            update_manifest(&layout, |m| m.remove_agent("b2")).unwrap();
            let (before, after): (Value, Value) =
                (serde_json::from_str(text).unwrap(), json::read(&layout.manifest()).unwrap());
            assert_eq!(before, after);
        }
    }

    #[test]
    fn whoever_cannot_have_the_lock_changes_nothing_and_says_so() {
        let (_folder, layout) = project();
        let held = lock(&layout).unwrap();
        let error = update_manifest(&layout, |manifest| manifest.remove_agent("a1")).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
        assert_eq!(error.body().code, pu_protocol::ErrorCode::Busy);
        drop(held);
        update_manifest(&layout, |manifest| manifest.remove_agent("a1")).unwrap();
    }

    #[test]
    fn a_newer_manifest_is_left_alone() {
        let (_folder, layout) = project();
        atomic::write_atomic(&layout.manifest(), b"{\"version\":99}", 0o600).unwrap();
        assert!(matches!(update_manifest(&layout, |_| {}), Err(StoreError::Newer { found: 99, .. })));
        assert_eq!(std::fs::read(layout.manifest()).unwrap(), b"{\"version\":99}");
    }
}
