//! `attach`: where an agent's shim listens. The daemon stands in no session's path: the client connects there itself.

use super::failure::Failure;
use super::state::Engine;
use crate::agents::Agent;
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::PathBuf;

impl Engine {
    pub(super) async fn attach(&self, called: &str, cwd: Option<PathBuf>) -> Result<Answer, Failure> {
        let agent = self.live_agent(called, cwd).await?;
        Ok(Answer::AttachReport {
            socket: agent.layout.socket(),
            shim_protocol: pu_protocol::frame::VERSION,
            agent: agent.info,
        })
    }

    pub(super) async fn agent(&self, called: &str, cwd: Option<PathBuf>) -> Result<Agent, Failure> {
        let project = self.project_root(cwd).await;
        Ok(self.roster.find(called, project.as_deref())?)
    }

    /// An agent that has not ended.
    pub(super) async fn live_agent(&self, called: &str, cwd: Option<PathBuf>) -> Result<Agent, Failure> {
        let agent = self.agent(called, cwd).await?;
        if agent.info.state.is_live() {
            return Ok(agent);
        }
        let message = format!("the agent {} has ended ({})", agent.info.name, agent.info.state.name());
        let hint = format!("`pu logs {}` shows what it wrote", agent.info.name);
        Err(ErrorBody::new(ErrorCode::AgentEnded, message).with_hint(hint).into())
    }
}
