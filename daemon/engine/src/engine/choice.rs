//! What a spawn takes where its user has not chosen: the definition, the name, the id.
//!
//! Looks and reserves; makes nothing. Blocking: callers are on a blocking thread.

use super::failure::Failure;
use super::site::Site;
use crate::agents::{AgentDefinition, Definitions, FALLBACK_AGENT, ReservedName, branch_of, name};
use crate::projects::Config;
use pu_protocol::layout::ProjectLayout;
use pu_protocol::{ErrorBody, ErrorCode, SpawnRequest};
use std::path::Path;

/// The definitions as a project has them.
pub(super) fn definitions(config: &Config) -> Result<Definitions, Failure> {
    Ok(Definitions::built_in()?.with(&config.agents)?)
}

/// The definition that is asked for, else the configured one; `None` where neither is named.
pub(super) fn named_definition<'d>(
    definitions: &'d Definitions,
    asked: Option<&str>,
    config: &Config,
) -> Result<Option<&'d AgentDefinition>, Failure> {
    let named = asked.or(config.default_agent.as_deref());
    Ok(named.map(|name| definitions.get(name)).transpose()?)
}

/// The definition that is named, else the first that is installed.
pub(super) fn choose_definition(request: &SpawnRequest, config: &Config) -> Result<AgentDefinition, Failure> {
    let definitions = definitions(config)?;
    let definition = match named_definition(&definitions, request.task.agent.as_deref(), config)? {
        Some(named) => named,
        None if request.command.is_some() => definitions.get(FALLBACK_AGENT)?,
        None => definitions.default_for(&request.env)?,
    };
    Ok(definition.clone())
}

/// A given name is taken as it is or refused; one from the prompt gets a number until it is free.
pub(super) fn choose_name(
    request: &SpawnRequest,
    agent_id: &str,
    root: &Path,
    site: &Site,
    reserve: impl Fn(&str) -> Option<ReservedName>,
) -> Result<ReservedName, Failure> {
    let occupied = |name: &str| match site {
        Site::New { repository, .. } => {
            ProjectLayout::new(root).worktree(name).exists()
                || repository.resolve_base(Some(&format!("refs/heads/{}", branch_of(name)))).is_ok()
        }
        Site::Root | Site::Joined { .. } => false,
    };
    if let Some(given) = &request.name {
        name::check(given)?;
        let taken = || {
            let message = format!("the name {given:?} is taken in {}", root.display());
            Failure::from(
                ErrorBody::new(ErrorCode::NameTaken, message)
                    .with_hint("choose another with --name, or `pu clean` ended agents"),
            )
        };
        if occupied(given) {
            return Err(taken());
        }
        return reserve(given).ok_or_else(taken);
    }
    let derived = name::derive(&request.task.prompt, agent_id);
    for candidate in name::candidates(&derived) {
        if occupied(&candidate) {
            continue;
        }
        if let Some(name) = reserve(&candidate) {
            return Ok(name);
        }
    }
    Err(Failure::new(ErrorCode::NameTaken, format!("no name like {derived:?} is free")))
}

/// Eight hexadecimal digits, never only digits: an id is not to be taken for a number.
pub(super) fn fresh_agent_id() -> Result<String, Failure> {
    loop {
        let mut bytes = [0_u8; 4];
        getrandom::fill(&mut bytes)
            .map_err(|e| Failure::new(ErrorCode::Internal, format!("the system gives no random numbers: {e}")))?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if id.bytes().any(|b| b.is_ascii_alphabetic()) {
            return Ok(id);
        }
    }
}
