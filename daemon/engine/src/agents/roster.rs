//! The agents that the daemon knows, live and ended, and how one of them is named.
//!
//! A table in memory; what of it must last is in the agents' own folders. It starts and ends nothing.

use super::holds::{Holds, WorktreeHold};
use super::name;
use super::state::{IllegalTransition, News, next};
use crate::shims::ShimLink;
use pu_protocol::layout::AgentLayout;
use pu_protocol::{AgentInfo, ErrorBody, ErrorCode};
use pu_record::launch::LaunchRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The shortest prefix of an id or a name that names an agent.
const PREFIX_MIN: usize = 4;

/// An agent as the daemon holds it.
#[derive(Debug, Clone)]
pub struct Agent {
    pub info: AgentInfo,
    pub layout: AgentLayout,
    pub launch: Arc<LaunchRecord>,
    /// There while its shim answers.
    pub link: Option<ShimLink>,
}

/// Handle to the table. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// A plain mutex: it is held for look-ups and changes only, never across an await.
    agents: Arc<Mutex<BTreeMap<String, Agent>>>,
    /// Counts changes of state, for those who wait for one.
    changes: watch::Sender<u64>,
    /// Names given to agents that are being started.
    reserved: Arc<Mutex<BTreeSet<(PathBuf, String)>>>,
    /// Worktrees that agents which are being started join, or that are being removed.
    holds: Holds,
}

/// A name that nobody else gets while this lives.
#[derive(Debug)]
pub struct ReservedName {
    project: PathBuf,
    name: String,
    reserved: Arc<Mutex<BTreeSet<(PathBuf, String)>>>,
}

impl ReservedName {
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl Drop for ReservedName {
    fn drop(&mut self) {
        let key = (std::mem::take(&mut self.project), std::mem::take(&mut self.name));
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error("no agent is called {0:?}")]
    NotFound(String),
    #[error("several agents are called {name:?}: {candidates}")]
    Ambiguous { name: String, candidates: String },
}

impl RosterError {
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::NotFound(_) => ErrorBody::new(ErrorCode::AgentNotFound, self.to_string())
                .with_hint("`pu status --all-projects` lists them all"),
            Self::Ambiguous { .. } => {
                ErrorBody::new(ErrorCode::AgentAmbiguous, self.to_string()).with_hint("use more characters of the id")
            }
        }
    }
}

impl Roster {
    pub fn insert(&self, agent: Agent) {
        self.lock().insert(agent.info.agent_id.clone(), agent);
    }

    pub fn remove(&self, agent_id: &str) -> Option<Agent> {
        let removed = self.lock().remove(agent_id);
        self.changes.send_modify(|count| *count += 1);
        removed
    }

    pub fn get(&self, agent_id: &str) -> Option<Agent> {
        self.lock().get(agent_id).cloned()
    }

    /// All agents, of one project or of all, oldest first.
    pub fn list(&self, project: Option<&Path>) -> Vec<AgentInfo> {
        let agents = self.lock();
        let mut found: Vec<AgentInfo> = agents
            .values()
            .filter(|agent| project.is_none_or(|root| agent.info.project_root == root))
            .map(|agent| agent.info.clone())
            .collect();
        found.sort_by(|a, b| (&a.created_at, &a.agent_id).cmp(&(&b.created_at, &b.agent_id)));
        found
    }

    pub fn live_count(&self) -> usize {
        self.lock().values().filter(|agent| agent.info.state.is_live()).count()
    }

    /// Finds the agent that a person means: by id, by a name in their project, by a name anywhere, by a
    /// prefix of an id, by the beginning of a name in their project.
    pub fn find(&self, called: &str, project: Option<&Path>) -> Result<Agent, RosterError> {
        let agents = self.lock();
        if let Some(agent) = agents.get(called) {
            return Ok(agent.clone());
        }
        let here = |agent: &&Agent| project.is_some_and(|root| agent.info.project_root == root);
        let named = |agent: &&Agent| agent.info.name == called;
        let prefixed = |agent: &&Agent| called.len() >= PREFIX_MIN && agent.info.agent_id.starts_with(called);
        let begins = |agent: &&Agent| called.len() >= PREFIX_MIN && agent.info.name.starts_with(called);
        let ways: [Vec<&Agent>; 4] = [
            agents.values().filter(named).filter(here).collect(),
            agents.values().filter(named).collect(),
            agents.values().filter(prefixed).collect(),
            agents.values().filter(begins).filter(here).collect(),
        ];
        // A name that an ended agent had and a live one has means the live one.
        for found in ways {
            let live: Vec<&Agent> = found.iter().copied().filter(|a| a.info.state.is_live()).collect();
            match (found.as_slice(), live.as_slice()) {
                ([], _) => {}
                ([only], _) | (_, [only]) => return Ok((*only).clone()),
                (several, _) => {
                    let candidates = several.iter().map(|a| a.info.agent_id.as_str()).collect::<Vec<_>>().join(", ");
                    return Err(RosterError::Ambiguous { name: called.into(), candidates });
                }
            }
        }
        Err(RosterError::NotFound(called.into()))
    }

    /// Keeps a name of a project for an agent that is about to be started; `None` if an agent has it or is getting it.
    pub fn reserve(&self, project: &Path, name: &str) -> Option<ReservedName> {
        let agents = self.lock();
        if agents.values().any(|a| a.info.project_root == project && name::same(&a.info.name, name)) {
            return None;
        }
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if reserved.iter().any(|(root, taken)| root == project && name::same(taken, name)) {
            return None;
        }
        reserved.insert((project.into(), name.into()));
        Some(ReservedName { project: project.into(), name: name.into(), reserved: Arc::clone(&self.reserved) })
    }

    /// Keeps a worktree from being removed, for an agent that is about to be started in it; `None` while it is.
    pub fn join_worktree(&self, project: &Path, name: &str) -> Option<WorktreeHold> {
        self.holds.join(project, name)
    }

    /// Keeps agents out of a worktree that is about to be removed; `None` while one is being started in it.
    pub fn withhold_worktree(&self, project: &Path, name: &str) -> Option<WorktreeHold> {
        self.holds.withhold(project, name)
    }

    /// Waits until an agent is no longer live; answers it as it is then, or `None` if it is not known (any more).
    pub async fn ended(&self, agent_id: &str) -> Option<AgentInfo> {
        let mut changes = self.changes.subscribe();
        loop {
            let info = self.get(agent_id)?.info;
            if !info.state.is_live() {
                return Some(info);
            }
            if changes.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Applies news to an agent; answers the agent as it is then, or `None` if nothing changed.
    pub fn apply(&self, agent_id: &str, news: News) -> Result<Option<AgentInfo>, IllegalTransition> {
        let mut agents = self.lock();
        let Some(agent) = agents.get_mut(agent_id) else { return Ok(None) };
        let state = next(&agent.info.state, news)?;
        if !state.is_live() {
            agent.link = None;
        }
        if state == agent.info.state {
            return Ok(None);
        }
        agent.info.state = state;
        let info = agent.info.clone();
        self.changes.send_modify(|count| *count += 1);
        Ok(Some(info))
    }

    pub fn set_link(&self, agent_id: &str, link: Option<ShimLink>) {
        if let Some(agent) = self.lock().get_mut(agent_id) {
            agent.link = link;
        }
    }

    /// A panic while the lock was held cannot leave the table half-changed: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Agent>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
