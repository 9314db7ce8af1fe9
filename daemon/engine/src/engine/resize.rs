//! `resize`: another size for an agent's terminal.

use super::failure::Failure;
use super::input::link;
use super::state::Engine;
use pu_protocol::Answer;
use pu_protocol::frame::TerminalSize;
use std::path::PathBuf;

impl Engine {
    pub(super) async fn resize(
        &self,
        called: &str,
        cwd: Option<PathBuf>,
        size: TerminalSize,
    ) -> Result<Answer, Failure> {
        let agent = self.live_agent(called, cwd).await?;
        link(&agent)?.resize(size).await?;
        Ok(Answer::Done)
    }
}
