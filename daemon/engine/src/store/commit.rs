//! A spawn's commit and its end, as the project's files record them.
//!
//! The commit record stands in `launch.json` before the agent starts, so that a daemon that dies between the start and
//! the commit leaves all that the next one needs to complete it.

use super::history::{TouchedFile, append_history_volatile, history_tells_of};
use super::manifest::lock;
use super::{AgentRow, HistoryEntry, StoreError, WorktreeRow, append_history, read_manifest, update_manifest};
use pu_protocol::AgentState;
use pu_protocol::context::ContextReport;
use pu_protocol::layout::ProjectLayout;
use pu_record::{RecordError, atomic};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;

/// Everything that the project's files will say of a spawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpawnCommit {
    pub agent: AgentRow,
    /// The worktree that was made for it; absent where it joined one, or works in the root.
    pub worktree: Option<WorktreeRow>,
    pub prompt: String,
    /// Those that were named beside the prompt.
    pub tags: Vec<String>,
    /// Specs that were asked for by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub specs: Vec<String>,
    pub context: ContextReport,
    /// The SHA-256 of the context's text; empty without one.
    pub context_digest: String,
    /// How the context reached the agent.
    pub delivery: String,
    /// What else was asked for, so that the agent can be started a second time as it was the first time.
    pub asked: Option<Asked>,
    /// The worktree that it works in and that was made for it in an earlier life. No undo takes this one back.
    pub kept_worktree: Option<WorktreeRow>,
    /// The id that it had in its first life, where it was resumed: what comes of its lives is of one task.
    pub first_life: Option<String>,
}

/// What a spawn asked for, besides what its row and its task say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Tokens.
    pub budget: Option<u32>,
    pub agent_args: Vec<String>,
    pub command: Option<String>,
    pub no_context: bool,
}

/// Writes a spawn into manifest and history, side by side: each is a wait for the disk. Doing it twice changes nothing;
/// until [`super::SpawnCommit`]'s spawn is noted as committed, the next daemon does it again.
pub fn commit_spawn(project: &ProjectLayout, commit: &SpawnCommit) -> Result<(), StoreError> {
    let entry = HistoryEntry::Spawned {
        at: commit.agent.created_at.clone(),
        agent: commit.agent.clone(),
        prompt: commit.prompt.clone(),
        tags: commit.tags.clone(),
        context: Box::new(commit.context.clone()),
        worktree: commit.worktree.clone().map(Box::new),
    };
    // A daemon that hangs with the project's lock is found out before anything is written.
    drop(lock(project)?);
    // What cannot be written is found out before the rows are; the two waits for the disk then run together.
    append_history_volatile(project, &entry)?;
    std::thread::scope(|scope| {
        let rows = scope.spawn(|| restore_rows(project, commit));
        let told = atomic::make_durable(&project.history()).or_else(|error| match error {
            // It may have been begun anew just then.
            RecordError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                atomic::make_durable(&project.older_history())
            }
            error => Err(error),
        });
        let rows = rows.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        told?;
        rows
    })
}

/// Completes a spawn of which it is not known how much of it was written.
pub fn complete_spawn(project: &ProjectLayout, commit: &SpawnCommit) -> Result<(), StoreError> {
    if history_tells_of(project, &commit.agent.agent_id)? {
        return restore_rows(project, commit);
    }
    commit_spawn(project, commit)
}

/// Takes back what [`commit_spawn`] wrote, whole or in part.
pub fn withdraw_commit(project: &ProjectLayout, commit: &SpawnCommit) -> Result<(), StoreError> {
    // The line in the history is written before the rows: without it there are none.
    if !history_tells_of(project, &commit.agent.agent_id)? {
        return Ok(());
    }
    update_manifest(project, |manifest| {
        manifest.remove_agent(&commit.agent.agent_id);
        if let Some(worktree) = &commit.worktree {
            manifest.remove_worktree(&worktree.name);
        }
    })?;
    let state = AgentState::ExitUnknown { reason: "its spawn failed and was undone".into() };
    append_history(project, &ended(&commit.agent.agent_id, &commit.agent.name, &state, Vec::new()))
}

fn ended(agent_id: &str, name: &str, state: &AgentState, touched: Vec<TouchedFile>) -> HistoryEntry {
    let at = state.exit().map_or_else(|| jiff::Timestamp::now().to_string(), |exit| exit.ended_at.clone());
    HistoryEntry::Ended { at, agent_id: agent_id.into(), name: name.into(), state: state.clone(), touched }
}

/// Sees to it that a live agent and its worktree stand in the manifest, and that it is not taken for one that was ended with
/// its daemon.
pub fn restore_rows(project: &ProjectLayout, commit: &SpawnCommit) -> Result<(), StoreError> {
    update_manifest(project, |manifest| {
        if !manifest.agents.iter().any(|row| row.agent_id == commit.agent.agent_id) {
            manifest.put_agent(commit.agent.clone());
        }
        manifest.remove_stopped(&commit.agent.agent_id);
        for worktree in commit.worktree.iter().chain(&commit.kept_worktree) {
            if !manifest.worktrees.iter().any(|row| row.name == worktree.name) {
                manifest.put_worktree(worktree.clone());
            }
        }
    })
}

/// Writes an agent's end into history, with the files that it `touched`, and takes it from the manifest. Doing it twice
/// changes nothing, and asks nobody what was touched: every start of a daemon takes in the ends of all agents again.
pub fn commit_end(
    project: &ProjectLayout,
    agent_id: &str,
    name: &str,
    state: &AgentState,
    touched: impl FnOnce() -> Vec<TouchedFile>,
) -> Result<(), StoreError> {
    let live = read_manifest(project)?.agents.iter().any(|row| row.agent_id == agent_id);
    if !live {
        return Ok(());
    }
    append_history(project, &ended(agent_id, name, state, touched()))?;
    update_manifest(project, |manifest| manifest.remove_agent(agent_id))
}
