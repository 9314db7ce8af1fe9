//! A project's `manifest.json`: its live agents and its worktrees.
//!
//! Holds relative paths only, so that a project can be moved; says nothing of how an agent is doing.

use super::{StoreError, read_or_set_aside};
use pu_protocol::layout::ProjectLayout;
use pu_record::{fault, json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

const VERSION: u32 = 1;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    #[serde(default)]
    pub version: u32,
    #[serde(default)]
    pub agents: Vec<AgentRow>,
    #[serde(default)]
    pub worktrees: Vec<WorktreeRow>,
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
}

/// The manifest as it stands; empty where there is none. A damaged one is set aside.
pub fn read_manifest(project: &ProjectLayout) -> Result<Manifest, StoreError> {
    let path = project.manifest();
    let manifest = read_or_set_aside::<Manifest>(&path)?.unwrap_or_default();
    if manifest.version > VERSION {
        return Err(StoreError::Newer { path, found: manifest.version, known: VERSION });
    }
    Ok(manifest)
}

/// Reads, changes and writes the manifest, durably, under a lock that keeps out this daemon's other threads and another
/// user's home working on the same project.
pub fn update_manifest(project: &ProjectLayout, change: impl FnOnce(&mut Manifest)) -> Result<(), StoreError> {
    let _lock = lock(project)?;
    let before = read_manifest(project)?;
    let mut manifest = before.clone();
    change(&mut manifest);
    if manifest == before {
        return Ok(());
    }
    manifest.version = VERSION;
    Ok(json::write(&project.manifest(), &manifest)?)
}

/// The lock is a file beside the manifest, since the manifest itself is replaced at each write.
fn lock(project: &ProjectLayout) -> Result<File, StoreError> {
    let path = project.manifest_lock();
    let lock_error = |source| StoreError::Lock { path: path.clone(), source };
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(0o600);
    let opened = fault::file("open", &path).and_then(|()| options.open(&path));
    let file = opened.map_err(lock_error)?;
    file.lock().map_err(lock_error)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_record::atomic;

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
        assert_eq!(read_manifest(&layout).unwrap(), Manifest::default());
        let names = std::fs::read_dir(layout.root()).unwrap().map(|e| e.unwrap().file_name());
        let kept: Vec<_> = names.filter(|n| *n != "manifest.lock").collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
        assert!(kept[0].to_string_lossy().starts_with("manifest.json.damaged-"), "{kept:?}");
    }

    #[test]
    fn a_newer_manifest_is_left_alone() {
        let (_folder, layout) = project();
        atomic::write_atomic(&layout.manifest(), b"{\"version\":99}", 0o600).unwrap();
        assert!(matches!(update_manifest(&layout, |_| {}), Err(StoreError::Newer { found: 99, .. })));
        assert_eq!(std::fs::read(layout.manifest()).unwrap(), b"{\"version\":99}");
    }
}
