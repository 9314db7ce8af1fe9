//! `input`: bytes for an agent's terminal.

use super::failure::Failure;
use super::state::Engine;
use crate::agents::Agent;
use crate::shims::ShimLink;
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::PathBuf;

impl Engine {
    pub(super) async fn input(&self, called: &str, cwd: Option<PathBuf>, bytes: Vec<u8>) -> Result<Answer, Failure> {
        let agent = self.live_agent(called, cwd).await?;
        link(&agent)?.input(&bytes).await?;
        Ok(Answer::Done)
    }
}

/// The connection to a live agent's shim.
pub(super) fn link(agent: &Agent) -> Result<&ShimLink, Failure> {
    agent.link.as_ref().ok_or_else(|| {
        let message = format!("the shim of agent {} does not answer", agent.info.name);
        ErrorBody::new(ErrorCode::AgentUnreachable, message)
            .with_hint("the daemon goes on trying; `pu status` tells")
            .into()
    })
}
