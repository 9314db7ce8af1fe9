//! `status`: the agents of one project or of all.

use super::failure::Failure;
use super::state::Engine;
use pu_protocol::answer::StatusReport;
use pu_protocol::{AgentInfo, Answer};
use std::path::PathBuf;

/// As many ended agents as an answer has room for in its line of 1 MiB. Nobody reads more; `pu clean` has them all.
const ENDED_MAX: usize = 500;

impl Engine {
    /// Outside every project all agents are shown: nobody asks for nothing.
    pub(super) async fn status(&self, cwd: Option<PathBuf>, all_projects: bool) -> Result<Answer, Failure> {
        let project = if all_projects { None } else { self.project_root(cwd).await };
        let (agents, left_out) = without_oldest_ended(self.roster.list(project.as_deref()), ENDED_MAX);
        let more = u32::try_from(left_out).unwrap_or(u32::MAX);
        Ok(Answer::StatusReport(StatusReport { agents, more, unrecognised: self.unrecognised.borrow().clone() }))
    }
}

/// All live agents and the last `max` ended ones of a list that has the oldest first; and how many are left out.
fn without_oldest_ended(mut agents: Vec<AgentInfo>, max: usize) -> (Vec<AgentInfo>, usize) {
    let ended = agents.iter().filter(|agent| !agent.state.is_live()).count();
    let left_out = ended.saturating_sub(max);
    let mut passed = 0;
    agents.retain(|agent| {
        passed += usize::from(!agent.state.is_live());
        agent.state.is_live() || passed > left_out
    });
    (agents, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::AgentState;

    fn agent(name: &str, state: AgentState) -> AgentInfo {
        AgentInfo {
            agent_id: name.into(),
            name: name.into(),
            agent: "terminal".into(),
            project_root: "/p".into(),
            worktree: None,
            branch: None,
            task: String::new(),
            created_at: String::new(),
            context_tokens: 0,
            size: pu_protocol::frame::TerminalSize::default(),
            resumes: None,
            activity: pu_protocol::Activity::default(),
            state,
        }
    }

    #[test]
    fn the_oldest_ended_agents_are_counted_and_no_live_one_is_left_out() {
        let ended = |name: &str| agent(name, AgentState::Lost { reason: String::new() });
        let live = |name: &str| agent(name, AgentState::Running { pid: 7 });
        let all = [ended("a"), live("b"), ended("c"), live("d"), ended("e")];
        let shown = |max: usize| {
            let (agents, left_out) = without_oldest_ended(all.to_vec(), max);
            (agents.into_iter().map(|agent| agent.name).collect::<String>(), left_out)
        };
        assert_eq!(shown(3), ("abcde".into(), 0));
        assert_eq!(shown(1), ("bde".into(), 2));
        assert_eq!(shown(0), ("bd".into(), 3));
    }
}
