//! `agent_explain`: what an agent is doing, and everything that tells so.

use super::failure::Failure;
use super::state::Engine;
use crate::agents::Agent;
use pu_protocol::Answer;
use pu_protocol::activity::AgentExplanation;
use std::path::PathBuf;

impl Engine {
    pub(super) async fn agent_explain(&self, called: &str, cwd: Option<PathBuf>) -> Result<Answer, Failure> {
        let Agent { info, heard, .. } = self.agent(called, cwd).await?;
        let signals = heard.signals(&info.activity);
        Ok(Answer::AgentExplainReport(Box::new(AgentExplanation { agent: info, signals })))
    }
}
