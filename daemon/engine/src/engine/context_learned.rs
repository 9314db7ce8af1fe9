//! `context_drop`, `context_learned` and `context_forget`: what ranking learns from use is corrected, shown and erased.

use super::context_explain::specs_of;
use super::failure::Failure;
use super::state::Engine;
use crate::agents::{Agent, outcome_so_far};
use crate::context::ContextEngine;
use crate::projects::{Project, ProjectError};
use crate::specs::SpecCatalog;
use crate::store::{Outcome, SpawnCommit, forget_outcomes, record_outcome};
use pu_protocol::context::{ContextReport, Pick};
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use serde::Deserialize as _;
use std::path::PathBuf;
use std::sync::Arc;

/// As many specs as an error lists.
const LISTED: usize = 10;

impl Engine {
    pub(super) async fn context_drop(
        &self,
        called: &str,
        cwd: Option<PathBuf>,
        specs: Vec<String>,
    ) -> Result<Answer, Failure> {
        let agent = self.agent(called, cwd).await?;
        let (engine, root) = (self.clone(), agent.info.project_root.clone());
        self.within(&root, move || engine.note_dropped(&agent, &specs)).await?
    }

    /// Blocking.
    fn note_dropped(&self, agent: &Agent, specs: &[String]) -> Result<Answer, Failure> {
        let launch = &agent.launch;
        let project = self.projects.by_root(&launch.project_root);
        if !project.config()?.context.learn {
            let message = format!("{} does not learn, so nothing was noted", project.root.display());
            let body = ErrorBody::new(ErrorCode::InvalidConfig, message);
            return Err(body.with_hint("`[context] learn = true` in .pu/config.toml switches it on").into());
        }
        let commit = SpawnCommit::deserialize(&launch.commit).map_err(|e| {
            ErrorBody::new(ErrorCode::RecordDamaged, format!("{}: {e}", agent.layout.launch().display()))
        })?;
        let index = project.index()?;
        index.fresh().map_err(|source| ProjectError::Index { root: project.root.clone(), source })?;
        let dropped = specs
            .iter()
            .map(|spec| given(spec, &commit.context, &index.catalog(), &agent.info.name))
            .collect::<Result<Vec<String>, Failure>>()?;
        let agent_id = agent.info.agent_id.clone();
        let known = outcome_so_far(launch);
        let known = known.unwrap_or_else(|| Outcome { agent_id: agent_id.clone(), ..Outcome::default() });
        record_outcome(&project.layout, Outcome { dropped: dropped.clone(), ..known })?;
        Ok(Answer::ContextDropReport { agent_id, name: agent.info.name.clone(), dropped })
    }

    pub(super) async fn context_learned(&self, cwd: PathBuf) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        self.within(&cwd, move || {
            let project = engine.projects.readable(&folder)?;
            let config = engine.projects.allowed_config(&project)?;
            let specs = specs_of(&project, &config)?;
            Ok(Answer::LearnedReport(engine.context.learned(&specs)?))
        })
        .await?
    }

    pub(super) async fn context_forget(&self, cwd: PathBuf, agents: Vec<String>, all: bool) -> Result<Answer, Failure> {
        if all != agents.is_empty() {
            return Err(Failure::new(
                ErrorCode::InvalidRequest,
                "either `agents` or `all` says what is to be forgotten",
            ));
        }
        let (engine, folder) = (self.clone(), cwd.clone());
        self.within(&cwd, move || {
            let project = engine.projects.readable(&folder)?;
            let mut ids = Vec::new();
            for called in &agents {
                let meant = engine.context.learned_from(&project.root, called);
                if meant.is_empty() {
                    let message = format!("nothing was learnt from an agent called {called:?}");
                    let body = ErrorBody::new(ErrorCode::AgentNotFound, message);
                    return Err(body.with_hint("`pu context learned` lists them").into());
                }
                ids.extend(meant);
            }
            let forgotten = forget_outcomes(&project.layout, |task| all || ids.contains(&task.agent_id))?;
            Ok(Answer::ForgetReport { forgotten: u32::try_from(forgotten).unwrap_or(u32::MAX) })
        })
        .await?
    }

    /// Has the project's new commits looked at, which nobody waits for. For a project that is trusted.
    pub(super) fn look_back(&self, project: &Arc<Project>) {
        let (engine, project) = (self.clone(), Arc::clone(project));
        tokio::spawn(async move {
            let (context, gate) = (Arc::clone(&engine.context), engine.gates.of_root(&project.root));
            // A look that fails is in the log; a panic of ours too.
            let _ = engine.slowly_beside(&gate, move || look(&context, &project, false)).await;
        });
    }
}

/// Looks at a project's commits if it learns. Blocks as long as git takes.
pub(super) fn look(context: &ContextEngine, project: &Project, anew: bool) {
    if project.config().is_ok_and(|config| config.context.learn) {
        context.look_back(&project.root, anew);
    }
}

/// The id of a spec that is called `name`, if the context has it by rank or because it was asked for.
fn given(name: &str, context: &ContextReport, catalog: &SpecCatalog, agent: &str) -> Result<String, Failure> {
    let name = name.trim().trim_start_matches("./");
    let id = catalog.find(name).map_or(name, |spec| spec.id.as_str());
    let is_meant = |pick: &&Pick| pick.spec == id || pick.path == name;
    let picks = || context.picks.iter().filter(is_meant);
    if let Some(pick) = picks().find(|pick| pick.rule.is_none()) {
        return Ok(pick.spec.clone());
    }
    if let Some(rule) = picks().next() {
        let message = format!("{} was given to {agent} as a rule: what is learnt moves only what is ranked", rule.spec);
        let body = ErrorBody::new(ErrorCode::InvalidRequest, message);
        return Err(body.with_hint("change in its file when the rule holds").into());
    }
    let mut had: Vec<&str> = Vec::new();
    for pick in context.picks.iter().filter(|pick| pick.rule.is_none()) {
        if !had.contains(&pick.spec.as_str()) {
            had.push(&pick.spec);
        }
    }
    let more = if had.len() > LISTED { ", …" } else { "" };
    had.truncate(LISTED);
    let hint =
        if had.is_empty() { "it was given none".to_owned() } else { format!("it was given {}{more}", had.join(", ")) };
    let body = ErrorBody::new(ErrorCode::SpecNotFound, format!("{agent} was given no spec called {name:?}"));
    Err(body.with_hint(hint).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(spec: &str, rule: Option<&str>) -> Pick {
        let path = format!("specs/{}.md", spec.to_lowercase());
        Pick { spec: spec.into(), path, rule: rule.map(str::to_owned), ..Pick::default() }
    }

    fn context() -> ContextReport {
        let picks = vec![pick("HOUSE", Some("always")), pick("LEDGER", None), pick("LEDGER", None)];
        ContextReport { picks, ..ContextReport::default() }
    }

    #[test]
    fn only_what_was_given_by_rank_can_be_dropped() {
        let catalog = SpecCatalog::default();
        let given = |name: &str| given(name, &context(), &catalog, "round");
        for name in ["LEDGER", "specs/ledger.md", " ./specs/ledger.md"] {
            assert_eq!(given(name).unwrap(), "LEDGER", "{name}");
        }
        let rule = given("HOUSE").unwrap_err().body;
        assert_eq!(rule.code, ErrorCode::InvalidRequest);
        assert!(rule.message.contains("as a rule"), "{}", rule.message);
        let unknown = given("LOGIN").unwrap_err().body;
        assert_eq!((unknown.code, unknown.hint.as_deref()), (ErrorCode::SpecNotFound, Some("it was given LEDGER")));
    }
}
