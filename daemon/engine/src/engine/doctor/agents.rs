//! The agents: which programs there are for new ones, how those that were started are, and what keeps them alive.

use super::listed;
use crate::agents::FALLBACK_AGENT;
use crate::shims::Protection;
use pu_protocol::{AgentInfo, AgentState, Finding};
use std::path::PathBuf;

/// Which of the known agents are installed.
pub(super) fn programs(located: &[(&str, Option<PathBuf>)]) -> Finding {
    let (mut installed, mut missing) = (Vec::new(), Vec::new());
    // That a shell is there says nothing.
    for (name, place) in located.iter().filter(|(name, _)| *name != FALLBACK_AGENT) {
        match place {
            Some(place) => installed.push(format!("{name} ({})", place.display())),
            None => missing.push((*name).to_owned()),
        }
    }
    if installed.is_empty() {
        let detail = format!("no coding agent is installed, of {}: only `{FALLBACK_AGENT}` is there", listed(&missing));
        return Finding::warning("agent_programs", detail).with_hint("`pu spawn -a NAME` says how to install one");
    }
    let rest = if missing.is_empty() { String::new() } else { format!("; not installed: {}", listed(&missing)) };
    Finding::ok("agent_programs", format!("installed: {}{rest}", listed(&installed)))
}

/// How the agents are that the daemon knows of, and which folders it does not understand.
pub(super) fn states(all: &[AgentInfo], unrecognised: &[String]) -> Vec<Finding> {
    let mut found = Vec::new();
    let goes_on = |agent: &AgentInfo| all.iter().any(|other| other.resumes.as_ref() == Some(&agent.agent_id));
    let named = |agent: &AgentInfo, reason: &str| format!("{} ({}, {reason})", agent.name, agent.agent_id);
    let unlinked: Vec<String> = all
        .iter()
        .filter_map(|agent| match &agent.state {
            AgentState::LinkLost { reason, .. } => Some(named(agent, reason)),
            _ => None,
        })
        .collect();
    if !unlinked.is_empty() {
        let finding = Finding::warning("agents", format!("live, and out of the daemon's reach: {}", listed(&unlinked)));
        found.push(finding.with_hint("`pu logs` shows what one wrote, `pu kill` ends it"));
    }
    let lost: Vec<String> = all
        .iter()
        .filter_map(|agent| match &agent.state {
            AgentState::Lost { reason } if !goes_on(agent) => Some(named(agent, reason)),
            _ => None,
        })
        .collect();
    if !lost.is_empty() {
        let finding = Finding::warning("agents", format!("lost: {}", listed(&lost)));
        found.push(finding.with_hint(
            "`pu resume --all` lets them go on; `pu clean` removes their records, and keeps what is unsaved",
        ));
    }
    if !unrecognised.is_empty() {
        let finding = Finding::warning("agents", format!("folders that are no agent's: {}", listed(unrecognised)));
        found.push(finding.with_hint("the daemon leaves them alone; remove them if you know that nobody needs them"));
    }
    if found.is_empty() {
        let live = all.iter().filter(|agent| agent.state.is_live()).count();
        found.push(Finding::ok("agents", format!("{live} live, {} ended", all.len() - live)));
    }
    found
}

/// What keeps agents alive when a service or a session ends; `live` says of each agent whether it is in a scope.
pub(super) fn protection(protection: &Protection, live: &[(String, bool)]) -> Finding {
    let outside: Vec<String> = live.iter().filter(|(_, in_scope)| !in_scope).map(|(name, _)| name.clone()).collect();
    match protection {
        Protection::Scope { systemd_run } if outside.is_empty() => Finding::ok(
            "protection",
            format!("each agent has a systemd scope of its own, made by {}", systemd_run.display()),
        ),
        Protection::Scope { .. } => Finding::warning(
            "protection",
            format!("each new agent has a systemd scope of its own, and these have none: {}", listed(&outside)),
        )
        .with_hint("the end of the session or service in which they were started would end them"),
        Protection::Session if cfg!(target_os = "macos") => Finding::ok(
            "protection",
            "each agent has a session of its own; under launchd the daemon needs AbandonProcessGroup = true",
        ),
        Protection::Session => {
            Finding::ok("protection", "each agent has a session of its own, and no systemd is there that would end it")
        }
        Protection::SessionOnly { why } => Finding::warning(
            "protection",
            format!("each agent has a session of its own and no systemd scope: {why}"),
        )
        .with_hint(
            "a logout, or a restart of the daemon's service, may end agents; start the daemon from a login session",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::FindingState;

    fn agent(name: &str, state: AgentState) -> AgentInfo {
        AgentInfo {
            agent_id: format!("id-of-{name}"),
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
    fn agents_that_are_lost_or_out_of_reach_are_named() {
        let running = agent("works", AgentState::Running { pid: 7 });
        let healthy = states(std::slice::from_ref(&running), &[]);
        assert_eq!(healthy, [Finding::ok("agents", "1 live, 0 ended")]);
        let all = [
            running,
            agent("far", AgentState::LinkLost { pid: 8, reason: "its shim does not answer".into() }),
            agent("gone", AgentState::Lost { reason: "the machine was restarted".into() }),
        ];
        let found = states(&all, &["/h/agents/x: no launch.json".to_owned()]);
        assert!(found.iter().all(|finding| finding.state == FindingState::Warning && finding.hint.is_some()));
        let told: Vec<&str> = found.iter().map(|finding| finding.detail.as_str()).collect();
        assert!(told[0].contains("far (id-of-far, its shim does not answer)"), "{told:?}");
        assert!(told[1].contains("gone") && told[2].contains("/h/agents/x"), "{told:?}");
    }

    #[test]
    fn which_agents_can_be_started_is_said_with_their_places() {
        let claude = Some(PathBuf::from("/b/claude"));
        let some = programs(&[("claude", claude), ("codex", None), ("terminal", Some("/bin/sh".into()))]);
        assert_eq!(some, Finding::ok("agent_programs", "installed: claude (/b/claude); not installed: codex"));
        let none = programs(&[("claude", None), ("terminal", Some("/bin/sh".into()))]);
        assert!(none.state == FindingState::Warning && none.detail.contains("claude"), "{none:?}");
    }

    #[test]
    fn the_protection_that_is_in_force_is_said() {
        let scope = Protection::Scope { systemd_run: "/b/systemd-run".into() };
        assert_eq!(protection(&scope, &[("a".into(), true)]).state, FindingState::Ok);
        let one = protection(&scope, &[("a".into(), true), ("b".into(), false)]);
        assert!(one.state == FindingState::Warning && one.detail.ends_with(": b"), "{one:?}");
        assert_eq!(protection(&Protection::Session, &[("a".into(), false)]).state, FindingState::Ok);
        let why = protection(&Protection::SessionOnly { why: "no manager".into() }, &[]);
        assert!(why.state == FindingState::Warning && why.detail.ends_with("no manager"), "{why:?}");
    }
}
