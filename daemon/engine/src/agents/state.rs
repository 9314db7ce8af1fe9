//! The lifecycle of an agent as a table: where it stands × what is heard → where it stands next.
//!
//! Pure. It reads no file and asks no process; who hears what is `lifecycle`'s business.

use pu_protocol::{AgentState, Exit};

/// What can be heard about an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Its shim answers.
    Connected { pid: i32 },
    /// Its shim stopped answering while its processes live.
    LinkLost { reason: String },
    /// Its exit was recorded.
    Ended { exit: Exit, asked_for: bool },
    /// Its processes are gone and nobody recorded how.
    Vanished { reason: String },
    /// The machine was restarted since.
    Rebooted,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("an agent that is {from} cannot become {to}")]
pub struct IllegalTransition {
    pub from: &'static str,
    pub to: &'static str,
}

/// The one function through which every change of state goes.
///
/// Invariant: an agent whose end is recorded never lives again under the same id; an unknown end may still become known.
pub(super) fn next(current: &AgentState, news: News) -> Result<AgentState, IllegalTransition> {
    let next = match news {
        News::Connected { pid } => AgentState::Running { pid },
        News::LinkLost { reason } => match current.pid() {
            Some(pid) => AgentState::LinkLost { pid, reason },
            None => AgentState::ExitUnknown { reason },
        },
        News::Ended { exit, asked_for: true } => AgentState::Killed { exit },
        News::Ended { exit, asked_for: false } => AgentState::Exited { exit },
        News::Vanished { reason } => AgentState::ExitUnknown { reason },
        News::Rebooted => AgentState::Lost { reason: "the machine was restarted under it".into() },
    };
    let ended_for_good = matches!(current, AgentState::Exited { .. } | AgentState::Killed { .. });
    let known_end = matches!(next, AgentState::Exited { .. } | AgentState::Killed { .. });
    let legal = if ended_for_good { next == *current } else { current.is_live() || known_end };
    if legal { Ok(next) } else { Err(IllegalTransition { from: current.name(), to: next.name() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit() -> Exit {
        Exit { code: Some(0), signal: None, ended_at: "2026-01-01T00:00:00Z".into(), left_running: vec![] }
    }

    #[test]
    fn each_state_takes_each_news_as_the_table_says() {
        let running = AgentState::Running { pid: 7 };
        let link_lost = AgentState::LinkLost { pid: 7, reason: "r".into() };
        let exited = AgentState::Exited { exit: exit() };
        let unknown = AgentState::ExitUnknown { reason: "r".into() };
        let lost = AgentState::Lost { reason: "r".into() };
        let connected = || News::Connected { pid: 7 };
        let ended = |asked_for| News::Ended { exit: exit(), asked_for };
        let gone = || News::Vanished { reason: "r".into() };
        let cases: Vec<(AgentState, News, Option<&str>)> = vec![
            (AgentState::Starting, connected(), Some("running")),
            (AgentState::Starting, News::LinkLost { reason: "r".into() }, Some("exit_unknown")),
            (running.clone(), News::LinkLost { reason: "r".into() }, Some("link_lost")),
            (running.clone(), ended(false), Some("exited")),
            (running.clone(), ended(true), Some("killed")),
            (running.clone(), gone(), Some("exit_unknown")),
            (running, News::Rebooted, Some("lost")),
            (link_lost, connected(), Some("running")),
            (unknown.clone(), ended(false), Some("exited")),
            (unknown, connected(), None),
            (lost.clone(), connected(), None),
            (lost, ended(false), Some("exited")),
            (exited.clone(), connected(), None),
            (exited.clone(), ended(true), None),
            (exited.clone(), ended(false), Some("exited")),
            (exited, gone(), None),
        ];
        for (current, news, expected) in cases {
            let found = next(&current, news.clone());
            assert_eq!(found.as_ref().ok().map(AgentState::name), expected, "{current:?} × {news:?}");
        }
    }
}
