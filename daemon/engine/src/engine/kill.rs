//! `kill`: ends agents and waits until their ends are recorded.
//!
//! The shim alone signals; here it is only asked to.

use super::failure::Failure;
use super::input::link;
use super::state::Engine;
use crate::agents::Agent;
use crate::shims::ShimError;
use pu_protocol::answer::{FailedAgent, KilledAgent};
use pu_protocol::{AgentInfo, Answer, ErrorBody, ErrorCode};
use pu_record::fault;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;

/// Beyond its grace an agent's end takes no longer than this, unless its shim hangs.
const SLACK: Duration = Duration::from_secs(10);

/// Which agents are meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Which {
    pub(super) agents: Vec<String>,
    pub(super) worktree: Option<String>,
    pub(super) all: bool,
    pub(super) include_root: bool,
}

impl Engine {
    pub(super) async fn kill(
        &self,
        cwd: Option<PathBuf>,
        which: Which,
        grace_ms: Option<u64>,
    ) -> Result<Answer, Failure> {
        let (meant, mut failed) = self.meant(cwd, &which).await?;
        let mut ends = JoinSet::new();
        for agent in meant {
            let engine = self.clone();
            ends.spawn(async move {
                let named = agent.info.name.clone();
                let ended = engine.end(agent, grace_ms).await;
                ended.and_then(report).map_err(|f| FailedAgent { agent: named, error: f.body })
            });
        }
        let mut killed = Vec::new();
        while let Some(end) = ends.join_next().await {
            match end? {
                Ok(report) => killed.push(report),
                Err(error) => failed.push(error),
            }
        }
        killed.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Answer::KillReport { killed, failed })
    }

    /// The agents that a request means, and those named that cannot be meant.
    async fn meant(&self, cwd: Option<PathBuf>, which: &Which) -> Result<(Vec<Agent>, Vec<FailedAgent>), Failure> {
        let mut meant: Vec<Agent> = Vec::new();
        let mut failed = Vec::new();
        for called in &which.agents {
            match self.live_agent(called, cwd.clone()).await {
                Ok(agent) if meant.iter().any(|a| a.info.agent_id == agent.info.agent_id) => {}
                Ok(agent) => meant.push(agent),
                Err(failure) => failed.push(FailedAgent { agent: called.clone(), error: failure.body }),
            }
        }
        if which.worktree.is_none() && !which.all {
            return Ok((meant, failed));
        }
        let Some(root) = self.project_root(cwd).await else {
            let message = "`--all` and `--worktree` mean the agents of a project, and this folder is in none";
            return Err(Failure::new(ErrorCode::NotAProject, message));
        };
        let live = self.roster.list(Some(&root)).into_iter().filter(|info| info.state.is_live());
        let chosen: Vec<AgentInfo> = match &which.worktree {
            Some(name) => live.filter(|info| works_in(info, name)).collect(),
            None => live.filter(|info| info.worktree.is_some() || which.include_root).collect(),
        };
        if let (Some(name), true) = (&which.worktree, chosen.is_empty()) {
            let message = format!("no live agent works in a worktree called {name:?}");
            return Err(ErrorBody::new(ErrorCode::WorktreeNotFound, message)
                .with_hint("`pu status` lists them")
                .into());
        }
        meant.extend(chosen.iter().filter_map(|info| self.roster.get(&info.agent_id)));
        Ok((meant, failed))
    }

    /// Ends one agent; answers it as it is then.
    pub(super) async fn end(&self, agent: Agent, grace_ms: Option<u64>) -> Result<AgentInfo, Failure> {
        fault::point("kill.ask")?;
        match link(&agent)?.kill(grace_ms).await {
            // It closes when the agent has ended: by itself, just now.
            Ok(()) | Err(ShimError::Closed) => {}
            Err(error) => return Err(error.into()),
        }
        fault::reach("kill.asked");
        let limit = Duration::from_millis(grace_ms.unwrap_or(agent.launch.kill_grace_ms)) + SLACK;
        match tokio::time::timeout(limit, self.roster.ended(&agent.info.agent_id)).await {
            Ok(Some(info)) => Ok(info),
            Ok(None) => Ok(agent.info),
            Err(_) => {
                let message = format!("agent {} was asked to end and has not within {limit:?}", agent.info.name);
                Err(ErrorBody::new(ErrorCode::TimedOut, message).with_hint("`pu status` tells when it has").into())
            }
        }
    }
}

fn works_in(info: &AgentInfo, name: &str) -> bool {
    info.worktree.as_deref().is_some_and(|path| path == name || path.rsplit('/').next() == Some(name))
}

fn report(info: AgentInfo) -> Result<KilledAgent, Failure> {
    match info.state.exit() {
        Some(exit) => Ok(KilledAgent { exit: exit.clone(), agent_id: info.agent_id, name: info.name }),
        None => {
            let message = format!("agent {} is gone, and how it ended is not known", info.name);
            Err(ErrorBody::new(ErrorCode::AgentEnded, message).with_hint("`pu status` tells what is known").into())
        }
    }
}
