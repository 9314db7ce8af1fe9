//! `shutdown`: the daemon stops; its agents do not, unless that is asked for (or the daemon is a managed one).

use super::failure::Failure;
use super::kill::Which;
use super::state::Engine;
use pu_protocol::{AgentInfo, Answer};
use pu_record::fault;

impl Engine {
    pub(super) async fn shutdown(&self, stop_agents: Option<bool>) -> Result<Answer, Failure> {
        let stopped = if stop_agents.unwrap_or(self.options.managed) { self.stop_agents().await } else { 0 };
        let left = self.roster.live_count();
        self.stopping().cancel();
        Ok(Answer::ShutdownReport { stopped_agents: stopped, left_running: u32::try_from(left).unwrap_or(u32::MAX) })
    }

    /// Ends all agents of all projects, which can be resumed as those that they are; answers how many ended.
    pub async fn stop_agents(&self) -> u32 {
        self.close().await;
        let live: Vec<AgentInfo> = self.roster.list(None).into_iter().filter(|info| info.state.is_live()).collect();
        self.note_stopped(&live).await;
        fault::reach("stop.noted");
        let which = Which { agents: live.iter().map(|info| info.agent_id.clone()).collect(), ..Which::default() };
        let ended = self.kill(None, which, None).await;
        fault::reach("stop.ended");
        self.forget_unstopped(&live).await;
        match ended {
            Ok(Answer::KillReport { killed, failed }) => {
                for failure in failed {
                    tracing::error!(agent = failure.agent, error = failure.error.message, "an agent did not stop");
                }
                u32::try_from(killed.len()).unwrap_or(u32::MAX)
            }
            Ok(_) | Err(_) => 0,
        }
    }
}
