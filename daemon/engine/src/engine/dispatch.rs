//! Dispatch: which function answers which request.

use super::failure::Failure;
use super::state::Engine;
use super::subscribe::EventFilter;
use crate::events::Subscription;
use pu_protocol::{Answer, ErrorBody, ErrorCode, Request};

/// What comes back for a request.
pub enum Reply {
    Answer(Box<Answer>),
    /// The answer and then events.
    Events(Subscription, EventFilter),
}

impl Engine {
    /// Answers a request. Never fails: a failure is an answer.
    pub async fn handle(&self, request: Request) -> Reply {
        let name = name(&request);
        self.admit(request).await.unwrap_or_else(|failure| {
            failure.log(name);
            Reply::Answer(Box::new(Answer::Error(failure.body)))
        })
    }

    /// A daemon that is about to stop begins nothing new, and waits for the spawns that it has begun.
    async fn admit(&self, request: Request) -> Result<Reply, Failure> {
        let _spawning = matches!(request, Request::Spawn(_) | Request::Resume(_)).then(|| self.begin_spawn());
        let only_looks = matches!(request, Request::Hello { .. } | Request::Health | Request::Status { .. });
        if self.is_closing() && !only_looks {
            let body = ErrorBody::new(ErrorCode::ShuttingDown, "the daemon is stopping");
            return Err(body.with_hint("try again in a moment: `pu` starts the next one").into());
        }
        self.dispatch(request).await
    }

    async fn dispatch(&self, request: Request) -> Result<Reply, Failure> {
        let answer = match request {
            Request::Hello { client, client_version, protocol_min, protocol_max } => {
                self.hello(&client, &client_version, protocol_min, protocol_max)?
            }
            Request::Health => self.health(),
            Request::Doctor { cwd, client_program: program, client_version: version, env } => {
                self.doctor(super::doctor::Caller { cwd, program, version, env }).await?
            }
            Request::Init { root } => self.init(root).await?,
            Request::ProjectList { after } => self.project_list(after).await?,
            Request::ProjectAdd { root } => self.project_add(root).await?,
            Request::ProjectRemove { project, cwd, force } => self.project_remove(project, cwd, force).await?,
            Request::ProjectShow { project, cwd } => self.project_show(project, cwd).await?,
            Request::TrustShow { cwd } => self.trust_show(cwd).await?,
            Request::Trust { cwd, digest } => self.trust(cwd, digest).await?,
            Request::Untrust { cwd } => self.untrust(cwd).await?,
            Request::Spawn(request) => Box::pin(self.spawn(*request)).await?,
            Request::Resume(request) => Box::pin(self.resume(*request)).await?,
            Request::Status { cwd, all_projects } => self.status(cwd, all_projects).await?,
            Request::AgentExplain { agent, cwd } => self.agent_explain(&agent, cwd).await?,
            Request::History { cwd, all_projects, agent, agent_type, state, since, spec, limit } => {
                let filter = super::history::Filter { agent, agent_type, state, since, spec, limit };
                self.history(cwd, all_projects, filter).await?
            }
            Request::Logs { agent, cwd, since, tail, max_bytes } => {
                self.logs(&agent, cwd, super::logs::Window { since, tail, max_bytes }).await?
            }
            Request::Attach { agent, cwd } => self.attach(&agent, cwd).await?,
            Request::Input { agent, cwd, data } => self.input(&agent, cwd, data.0).await?,
            Request::Resize { agent, cwd, size } => self.resize(&agent, cwd, size).await?,
            Request::Kill { cwd, agents, worktree, all, include_root, grace_ms } => {
                let which = super::kill::Which { agents, worktree, all, include_root };
                self.kill(cwd, which, grace_ms).await?
            }
            Request::Clean { cwd, all_projects, agents, dry_run } => {
                self.clean(cwd, all_projects, agents, dry_run).await?
            }
            Request::ContextExplain { cwd, task, with_text, specs, chain, ranking, expected } => {
                let asked = super::context_explain::Asked { task, with_text, specs, chain, ranking, expected };
                self.context_explain(cwd, asked).await?
            }
            Request::ContextShow { agent, cwd } => self.context_show(&agent, cwd).await?,
            Request::ContextDrop { agent, cwd, specs } => self.context_drop(&agent, cwd, specs).await?,
            Request::ContextLearned { cwd } => self.context_learned(cwd).await?,
            Request::ContextForget { cwd, agents, all } => self.context_forget(cwd, agents, all).await?,
            Request::SpecList { cwd, path, kinds, modes, tags, native, after } => {
                let wanted = super::spec::Wanted { path, kinds, modes, tags, native };
                self.spec_list(cwd, wanted, after).await?
            }
            Request::SpecShow { cwd, spec, section, with_text } => {
                self.spec_show(cwd, spec, section, with_text).await?
            }
            Request::SpecSearch { cwd, text, fields, limit } => self.spec_search(cwd, text, fields, limit).await?,
            Request::SpecLint { cwd, paths } => self.spec_lint(cwd, paths).await?,
            Request::PluginList { cwd } => self.plugin_list(cwd).await?,
            Request::PluginInspect { cwd, plugin } => self.plugin_inspect(cwd, plugin).await?,
            Request::PluginEncode { core, manifest, out } => self.plugin_encode(core, manifest, out).await?,
            Request::PluginRun { cwd, plugin, specs, tasks } => self.plugin_run(cwd, plugin, specs, tasks).await?,
            Request::PluginBench { cwd, plugin, task, rounds } => self.plugin_bench(cwd, plugin, task, rounds).await?,
            Request::PluginAdd { cwd, component, name, source, grants } => {
                self.plugin_add(cwd, component, name, source, grants).await?
            }
            Request::PluginRemove { cwd, name } => self.plugin_remove(cwd, name).await?,
            Request::PluginSwitch { cwd, name, enabled, grants } => {
                self.plugin_switch(cwd, name, enabled, grants).await?
            }
            Request::ConfigShow { cwd, key } => self.config_show(cwd, key).await?,
            Request::ProjectScan { roots } => self.project_scan(roots).await?,
            Request::Subscribe { cwd } => return self.subscribe(cwd).await,
            Request::Shutdown { stop_agents } => self.shutdown(stop_agents).await?,
        };
        Ok(Reply::Answer(Box::new(answer)))
    }
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Hello { .. } => "hello",
        Request::Health => "health",
        Request::Doctor { .. } => "doctor",
        Request::Init { .. } => "init",
        Request::ProjectList { .. } => "project_list",
        Request::ProjectAdd { .. } => "project_add",
        Request::ProjectRemove { .. } => "project_remove",
        Request::ProjectShow { .. } => "project_show",
        Request::TrustShow { .. } => "trust_show",
        Request::Trust { .. } => "trust",
        Request::Untrust { .. } => "untrust",
        Request::Spawn(_) => "spawn",
        Request::Resume(_) => "resume",
        Request::Status { .. } => "status",
        Request::AgentExplain { .. } => "agent_explain",
        Request::History { .. } => "history",
        Request::Logs { .. } => "logs",
        Request::Attach { .. } => "attach",
        Request::Input { .. } => "input",
        Request::Resize { .. } => "resize",
        Request::Kill { .. } => "kill",
        Request::Clean { .. } => "clean",
        Request::ContextExplain { .. } => "context_explain",
        Request::ContextShow { .. } => "context_show",
        Request::ContextDrop { .. } => "context_drop",
        Request::ContextLearned { .. } => "context_learned",
        Request::ContextForget { .. } => "context_forget",
        Request::SpecList { .. } => "spec_list",
        Request::SpecShow { .. } => "spec_show",
        Request::SpecSearch { .. } => "spec_search",
        Request::SpecLint { .. } => "spec_lint",
        Request::PluginList { .. } => "plugin_list",
        Request::PluginInspect { .. } => "plugin_inspect",
        Request::PluginEncode { .. } => "plugin_encode",
        Request::PluginRun { .. } => "plugin_run",
        Request::PluginBench { .. } => "plugin_bench",
        Request::PluginAdd { .. } => "plugin_add",
        Request::PluginRemove { .. } => "plugin_remove",
        Request::PluginSwitch { .. } => "plugin_switch",
        Request::ConfigShow { .. } => "config_show",
        Request::ProjectScan { .. } => "project_scan",
        Request::Subscribe { .. } => "subscribe",
        Request::Shutdown { .. } => "shutdown",
    }
}
