//! `doctor`: whether all that an agent needs is as it should be, each thing as a finding of its own.
//!
//! Looks, and mends nothing; it runs no agent and no plugin. In the order of the answer: the daemon and the programs that
//! belong to it, the machine, what is on record, discovery, the agents, then the project with its configuration, specs and
//! plugins, and what was seen of the other projects.

mod agents;
mod discovery;
mod machine;
mod plugins;
mod programs;
mod project;
mod projects;
mod records;

use super::failure::Failure;
use super::state::Engine;
use crate::agents::Definitions;
use crate::shims;
use programs::Shim;
use pu_protocol::{Answer, ErrorBody, ErrorCode, Finding, FindingState};
use pu_record::shim::ShimRecord;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// As many names as a finding spells out.
const NAMES_MAX: usize = 10;
/// How long the project of whoever asks may take.
const PROJECT_LIMIT: Duration = Duration::from_secs(60);

/// Who asks, and from where.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    pub(super) cwd: Option<PathBuf>,
    pub(super) program: Option<PathBuf>,
    pub(super) version: Option<String>,
    pub(super) env: BTreeMap<String, String>,
}

impl Engine {
    pub(super) async fn doctor(&self, mut caller: Caller) -> Result<Answer, Failure> {
        if caller.env.is_empty() {
            // A program that says nothing of its environment is told what the daemon would find in its own.
            let own = std::env::vars_os();
            caller.env =
                own.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        }
        let shim = Arc::new(Shim::ask(&self.options.shim).await);
        let own = caller.cwd.as_deref().and_then(|cwd| self.projects.known_around(cwd));
        let mut findings = match self.look_from(&caller, &shim).await {
            Ok(findings) => findings,
            // All the rest can be told without the project.
            Err(failure) => {
                let away = Caller { cwd: None, ..caller };
                let mut findings = self.look_from(&away, &shim).await?;
                findings.push(told("project", FindingState::Problem, failure.body));
                findings
            }
        };
        let used = self.projects.used();
        let seen: Vec<_> = used.iter().map(|project| (project.root.clone(), self.condition_of(project))).collect();
        findings.extend(projects::findings(&seen, &self.gates.hanging(), own.as_deref()));
        Ok(Answer::DoctorReport { findings })
    }

    /// Looks at everything, from where the caller stands; fails where the project there does not answer.
    async fn look_from(&self, caller: &Caller, shim: &Arc<Shim>) -> Result<Vec<Finding>, Failure> {
        let (engine, looking, shim) = (self.clone(), caller.clone(), Arc::clone(shim));
        let look = move || engine.look_at_all(&looking, &shim);
        let Some(cwd) = &caller.cwd else { return Ok(self.slowly(look).await?) };
        match tokio::time::timeout(PROJECT_LIMIT, self.slowly_within(cwd, look)).await {
            Ok(looked) => looked,
            Err(_) => {
                let message =
                    format!("the project of {} could not be looked at within {PROJECT_LIMIT:?}", cwd.display());
                let body = ErrorBody::new(ErrorCode::TimedOut, message);
                Err(body.with_hint("its file system, or git in it, may hang; or its first index is being built").into())
            }
        }
    }

    /// Blocking: it asks git, and brings the spec index up to date.
    fn look_at_all(&self, caller: &Caller, shim: &Shim) -> Vec<Finding> {
        let home = &self.options.home;
        let found = caller.cwd.as_deref().map(|cwd| self.projects.known(cwd));
        let project = found.as_ref().and_then(|found| found.as_deref().ok());
        let root = project.map(|project| project.root.as_path());

        let mut findings = vec![self.itself(), programs::agree(caller, shim), machine::home(home.root())];
        findings.extend(machine::disks(home.root(), root));
        findings.push(machine::git(&caller.env, home.root()));
        findings.push(machine::file_limit(self.options.file_limit));
        findings.push(agents::protection(&shims::protection(&caller.env), &self.live_in_scopes()));
        findings.push(records::set_aside(home, project.map(|project| &project.layout)));
        findings.push(discovery::finding(&self.discovery.condition()));
        findings.extend(agents::states(&self.roster.list(None), &self.unrecognised.borrow()));

        let configured = project::config(&self.projects, home, project);
        let definitions = match &configured {
            Ok((_, definitions)) => Ok(definitions.clone()),
            Err(_) => Definitions::built_in(),
        };
        match &configured {
            Ok((valid, _)) => findings.push(valid.clone()),
            Err(invalid) => findings.push(invalid.clone()),
        }
        findings.extend(definitions.ok().map(|known| agents::programs(&known.located(&caller.env, root))));

        match &found {
            None => {}
            Some(Err(error)) => findings.push(told("project", FindingState::Warning, error.body())),
            Some(Ok(project)) => {
                let (trust, may_be_read) = project::trust(&self.projects, project);
                findings.push(trust);
                // Without a configuration that reads nobody knows which specs and which plugins there are.
                if configured.is_ok() {
                    if may_be_read {
                        findings.extend(project::specs(project));
                    }
                    findings.extend(plugins::findings(self.plugins_of(project)));
                }
            }
        }
        findings
    }

    fn itself(&self) -> Finding {
        let (version, pid, up) = (env!("CARGO_PKG_VERSION"), std::process::id(), self.started.elapsed().as_secs());
        let managed = if self.options.managed { ", managed by an application" } else { "" };
        let socket = self.options.socket.display();
        Finding::ok("daemon", format!("pu-engine {version} answers at {socket}: pid {pid}, up {up} s{managed}"))
    }

    /// The live agents by name, each with whether its shim has a systemd scope of its own.
    fn live_in_scopes(&self) -> Vec<(String, bool)> {
        let live = self.roster.list(None).into_iter().filter(|agent| agent.state.is_live());
        let scoped = live.map(|agent| {
            let record = ShimRecord::read(&self.options.home.agent(&agent.agent_id).shim());
            (agent.name, record.is_ok_and(|record| record.scope.is_some()))
        });
        scoped.collect()
    }
}

/// An error of one of the rooms as a finding.
fn told(check: &str, state: FindingState, body: ErrorBody) -> Finding {
    Finding { hint: body.hint, ..Finding::new(check, state, body.message) }
}

/// The first few of several, and how many there are besides.
fn listed(all: &[String]) -> String {
    let shown = all[..all.len().min(NAMES_MAX)].join(", ");
    match all.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        let names = |count: usize| (0..count).map(|i| i.to_string()).collect::<Vec<_>>();
        assert_eq!(listed(&names(2)), "0, 1");
        assert_eq!(listed(&names(12)), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
    }
}
