//! Which agent is meant: by id, by name, or by the beginning of either.
//!
//! For the few commands that watch an agent by themselves; the others leave this to the daemon.

use crate::failure::Failure;
use crate::invocation::Invocation;
use nix::sys::signal::Signal;
use pu_protocol::{AgentInfo, AgentState, Answer, ErrorBody, ErrorCode, Exit, Request};
use std::path::PathBuf;
use std::str::FromStr;

/// A shorter beginning is too easily mistyped.
const PREFIX_MIN: usize = 4;

/// Finds an agent as the daemon does for the other commands.
pub(crate) fn find(invocation: &Invocation, wanted: &str) -> Result<AgentInfo, Failure> {
    let here = match list(invocation, invocation.cwd(), false) {
        Err(Failure::Answered(body)) if body.code == ErrorCode::NotAProject => Vec::new(),
        other => other?,
    };
    let all = list(invocation, None, true)?;
    Ok(select(&here, &all, wanted)?.clone())
}

pub(crate) fn list(
    invocation: &Invocation,
    cwd: Option<PathBuf>,
    all_projects: bool,
) -> Result<Vec<AgentInfo>, Failure> {
    let reply = invocation.ask(&Request::Status { cwd, all_projects })?;
    match reply.answer {
        Answer::StatusReport(report) => Ok(report.agents),
        other => Err(invocation.mismatch("status", &other)),
    }
}

/// By id, by a name in the project, by a name anywhere, by the beginning of an id, by that of a name in the project.
fn select<'a>(here: &'a [AgentInfo], all: &'a [AgentInfo], wanted: &str) -> Result<&'a AgentInfo, ErrorBody> {
    let begins = |text: &str| wanted.len() >= PREFIX_MIN && text.starts_with(wanted);
    // A name means the last life of an agent; the earlier ones have their ids.
    let is_last = |agent: &AgentInfo| !all.iter().any(|a| a.resumes.as_deref() == Some(agent.agent_id.as_str()));
    let ways: [Vec<&AgentInfo>; 5] = [
        all.iter().filter(|a| a.agent_id == wanted).collect(),
        here.iter().filter(|a| a.name == wanted && is_last(a)).collect(),
        all.iter().filter(|a| a.name == wanted && is_last(a)).collect(),
        all.iter().filter(|a| begins(&a.agent_id)).collect(),
        here.iter().filter(|a| begins(&a.name) && is_last(a)).collect(),
    ];
    let found = ways.into_iter().find(|found| !found.is_empty()).unwrap_or_default();
    // A name that an ended agent had and a live one has means the live one.
    let live: Vec<&AgentInfo> = found.iter().copied().filter(|a| a.state.is_live()).collect();
    match (found.as_slice(), live.as_slice()) {
        ([only], _) | (_, [only]) => Ok(only),
        ([], _) => Err(ErrorBody::new(ErrorCode::AgentNotFound, format!("no agent is called `{wanted}`"))
            .with_hint("`pu status --all-projects` lists them all")),
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|a| a.agent_id.as_str()).collect();
            Err(ErrorBody::new(ErrorCode::AgentAmbiguous, format!("`{wanted}` may be any of {}", ids.join(", ")))
                .with_hint("name it by its whole id"))
        }
    }
}

/// The exit code that stands for an agent's end: its own, or 128 + N after signal N. Nothing if it is not known how it
/// ended, or it has not.
pub(crate) fn exit_code(state: &AgentState) -> Option<u8> {
    let Exit { code, signal, .. } = state.exit()?;
    match (code, signal) {
        (Some(code), _) => Some(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        (None, Some(name)) => Some(signal_number(name).map_or(128, |n| 128 | n)),
        (None, None) => None,
    }
}

fn signal_number(name: &str) -> Option<u8> {
    u8::try_from(Signal::from_str(name).ok()? as i32).ok().filter(|n| *n < 128)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn agent(id: &str, name: &str, state: AgentState) -> AgentInfo {
        AgentInfo {
            agent_id: id.into(),
            name: name.into(),
            agent: "terminal".into(),
            project_root: "/work/shop".into(),
            worktree: Some(format!(".pu/worktrees/{name}")),
            branch: Some(format!("pu/{name}")),
            task: format!("do {name}"),
            created_at: "2026-01-02T03:04:05Z".into(),
            context_tokens: 812,
            size: Default::default(),
            resumes: None,
            activity: Default::default(),
            state,
        }
    }

    pub(crate) fn ended(code: Option<i32>, signal: Option<&str>) -> AgentState {
        let exit = Exit {
            code,
            signal: signal.map(Into::into),
            ended_at: "2026-01-02T03:05:05Z".into(),
            left_running: vec![],
        };
        if signal.is_some() { AgentState::Killed { exit } } else { AgentState::Exited { exit } }
    }

    #[test]
    fn an_agent_is_found_by_id_name_or_the_beginning_of_one() {
        let run = || AgentState::Running { pid: 7 };
        let here =
            [agent("aaaa1111", "one", run()), agent("aaaa2222", "aaaa", run()), agent("bbbb3333", "two-sums", run())];
        let elsewhere = [agent("cccc4444", "one", run()), agent("dddd5555", "elsewhere", run())];
        let all = [&here[..], &elsewhere[..]].concat();
        let id = |wanted| select(&here, &all, wanted).map(|a| a.agent_id.as_str()).map_err(|e| e.code);
        assert_eq!(id("aaaa1111"), Ok("aaaa1111"));
        assert_eq!(id("one"), Ok("aaaa1111"), "a name in the project goes before the same one elsewhere");
        assert_eq!(id("elsewhere"), Ok("dddd5555"));
        assert_eq!(id("aaaa"), Ok("aaaa2222"), "a name goes before the beginning of an id");
        assert_eq!(id("cccc"), Ok("cccc4444"));
        assert_eq!(id("two-"), Ok("bbbb3333"));
        assert_eq!(id("else"), Err(ErrorCode::AgentNotFound), "the beginning of a name counts in the project only");
        assert_eq!(id("two"), Err(ErrorCode::AgentNotFound), "three characters are no beginning");
        let twins = [agent("aaaa1111", "x", run()), agent("aaaa2222", "y", run())];
        assert_eq!(select(&[], &twins, "aaaa").map_err(|e| e.code).unwrap_err(), ErrorCode::AgentAmbiguous);
    }

    #[test]
    fn of_several_the_one_that_lives_is_meant() {
        let all = [
            agent("aaaa1111", "docs", ended(Some(0), None)),
            agent("aaaa2222", "docs", AgentState::Running { pid: 7 }),
            agent("aaaa3333", "docs", ended(Some(1), None)),
        ];
        assert_eq!(select(&all, &all, "docs").map(|a| a.agent_id.as_str()), Ok("aaaa2222"));
        assert_eq!(select(&all, &all, "aaaa").map(|a| a.agent_id.as_str()), Ok("aaaa2222"));
        let mut again = all[2].clone();
        again.resumes = Some("aaaa1111".into());
        let lives = [all[0].clone(), again];
        assert_eq!(select(&lives, &lives, "docs").map(|a| a.agent_id.as_str()), Ok("aaaa3333"), "the last life");
        assert_eq!(select(&lives, &lives, "aaaa1111").map(|a| a.agent_id.as_str()), Ok("aaaa1111"));
        let ended = [all[0].clone(), all[2].clone()];
        assert_eq!(select(&ended, &ended, "docs").map_err(|e| e.code).unwrap_err(), ErrorCode::AgentAmbiguous);
    }

    #[test]
    fn an_end_becomes_an_exit_code() {
        assert_eq!(exit_code(&ended(Some(0), None)), Some(0));
        assert_eq!(exit_code(&ended(Some(3), None)), Some(3));
        assert_eq!(exit_code(&ended(None, Some("SIGTERM"))), Some(143));
        assert_eq!(exit_code(&ended(None, Some("SIGKILL"))), Some(137));
        assert_eq!(exit_code(&AgentState::Running { pid: 1 }), None);
        assert_eq!(exit_code(&AgentState::Lost { reason: "reboot".into() }), None);
    }
}
