//! `resume`: agents that have ended go on, each under its name, in its folder and, where its program can, in its session.
//!
//! Here is settled who is meant, and with what each is started; the steps, and their undo, are those of a spawn. The earlier
//! life keeps its id, its output and its exit. No agent goes on twice: see [`crate::agents::Roster::reserve_again`].

use super::choice::{choose_definition, fresh_agent_id};
use super::failure::Failure;
use super::retention::last_moment;
use super::site::Site;
use super::spawn::{Prepared, digest};
use super::state::Engine;
use crate::agents::{Agent, AgentDefinition, ReservedName, ResumedSession, SessionClaim, SessionPlace, find_session};
use crate::projects::Project;
use crate::store::{SpawnCommit, WorktreeRow};
use jiff::Timestamp;
use pu_protocol::answer::{FailedAgent, ResumedAgent};
use pu_protocol::context::{ContextReport, TaskDescription};
use pu_protocol::frame::TerminalSize;
use pu_protocol::{
    AgentInfo, AgentState, Answer, ErrorBody, ErrorCode, LINE_MAX, Placement, ResumeRequest, SpawnRequest,
};
use pu_record::fault;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// So many agents of a project are started at a time.
const AT_A_TIME: usize = 4;
/// How long the recovery of a project's agents at the daemon's start is waited for: one of them may be a later life of the one
/// that is meant.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of a line that an answer leaves free.
const SPARE: usize = 64 * 1024;

/// What an agent that goes on has from before.
pub(super) struct Again {
    /// The id that it had.
    pub(super) agent_id: String,
    /// The one that it had first of all.
    pub(super) first_life: String,
    /// What its session is told; empty: nothing.
    pub(super) prompt: String,
    /// The worktree that was made for it.
    pub(super) worktree: Option<WorktreeRow>,
    /// The session that goes on; within, its id, where the program asks for that.
    session: Option<Option<String>>,
    /// Nobody else finds it, or goes on in it, until this agent stands in the roster.
    _claim: Option<SessionClaim>,
    /// Why none does.
    fresh_because: Option<String>,
    context: ContextReport,
    context_digest: String,
}

/// How the agents of a request are resumed.
#[derive(Debug, Default)]
pub(super) struct How {
    pub(super) prompt: String,
    pub(super) fresh: bool,
    pub(super) size: Option<TerminalSize>,
    pub(super) env: BTreeMap<String, String>,
}

/// Those agents of a project that a request means.
#[derive(Debug, Default)]
struct Meant {
    /// As they were called.
    called: Vec<String>,
    /// Where whoever called them stands.
    cwd: PathBuf,
    /// All that were interrupted.
    all: bool,
}

impl Again {
    /// The session that goes on, for an agent that now gets this context.
    pub(super) fn session_with(&self, context: Option<&str>) -> Option<ResumedSession> {
        let id = self.session.clone()?;
        let has_context = context.is_some_and(|text| digest(text) == self.context_digest);
        Some(ResumedSession { id, has_context })
    }

    /// Whether the context is another one now than it was.
    fn differs_from(&self, now: &SpawnCommit) -> bool {
        if self.context_digest.is_empty() && self.context.tokens > 0 {
            // Recorded before contexts had digests.
            return self.context.revision != now.context.revision || self.context.tokens != now.context.tokens;
        }
        self.context_digest != now.context_digest
    }
}

impl Engine {
    pub(super) async fn resume(&self, request: ResumeRequest) -> Result<Answer, Failure> {
        fault::point("resume.settle")?;
        self.all_read().await?;
        let ResumeRequest { cwd, agents, all, all_projects, prompt, fresh, size, env } = request;
        let mut by_project: BTreeMap<PathBuf, Meant> = BTreeMap::new();
        let (mut resumed, mut failed) = (Vec::new(), Vec::new());
        for called in agents {
            match self.agent(&called, Some(cwd.clone())).await {
                Ok(agent) => by_project.entry(agent.info.project_root).or_default().called.push(called),
                Err(failure) => failed.push(FailedAgent { agent: called, error: failure.body }),
            }
        }
        if all {
            for root in self.roots_meant(cwd.clone(), all_projects).await? {
                by_project.entry(root).or_default().all = true;
            }
        }
        let how = Arc::new(How { prompt, fresh, size, env });
        let (mut going, mut roots) = (JoinSet::new(), HashMap::new());
        for (root, meant) in by_project {
            let (engine, how, meant) = (self.clone(), Arc::clone(&how), Meant { cwd: cwd.clone(), ..meant });
            let named = root.display().to_string();
            let task = going.spawn(async move { Box::pin(engine.resume_in(&root, meant, &how)).await });
            roots.insert(task.id(), named);
        }
        while let Some(one) = going.join_next().await {
            match one {
                Ok((more, not)) => {
                    resumed.extend(more);
                    failed.extend(not);
                }
                Err(error) => {
                    let agent = roots.remove(&error.id()).unwrap_or_default();
                    failed.push(FailedAgent { agent, error: Failure::from(error).body });
                }
            }
        }
        resumed.sort_by(|a: &ResumedAgent, b| a.started.name.cmp(&b.started.name));
        fit_line(&mut resumed, LINE_MAX - SPARE);
        Ok(Answer::ResumeReport { resumed, failed })
    }

    /// Resumes those agents of a project that are meant. A project that does not answer holds up its own agents only.
    async fn resume_in(&self, root: &Path, meant: Meant, how: &Arc<How>) -> (Vec<ResumedAgent>, Vec<FailedAgent>) {
        let Meant { called, cwd, all } = meant;
        if let Err(failure) = self.settled_in(root).await {
            failure.log("resume");
            let named = called.into_iter().chain(all.then(|| root.display().to_string()));
            return (Vec::new(), named.map(|agent| FailedAgent { agent, error: failure.body.clone() }).collect());
        }
        let (mut chosen, mut failed) = (Vec::new(), Vec::new());
        let mut ids = BTreeSet::new();
        for called in called {
            // Once more: now it is known who lives.
            match self.agent(&called, Some(cwd.clone())).await {
                // By its name and by its id it is the same one.
                Ok(agent) if !ids.insert(agent.info.agent_id.clone()) => {}
                Ok(agent) => chosen.push(agent.info),
                Err(failure) => failed.push(FailedAgent { agent: called, error: failure.body }),
            }
        }
        if all {
            let mut more = self.interrupted(root).await;
            more.retain(|info| ids.insert(info.agent_id.clone()));
            let (agents, commands) = self.without_commands(more);
            chosen.extend(agents);
            failed.extend(commands.into_iter().map(not_unasked));
        }
        let (resumed, more) = self.resume_each(chosen, how).await;
        failed.extend(more);
        (resumed, failed)
    }

    /// Waits until it is known who every agent is: what somebody is called may mean any.
    pub(super) async fn all_read(&self) -> Result<(), Failure> {
        if self.recovering.all_read(SETTLE_LIMIT).await {
            return Ok(());
        }
        let message = "the daemon still reads the records of the agents that it found at its start";
        let body = ErrorBody::new(ErrorCode::Busy, message);
        Err(body.with_hint("try again in a moment; `pu daemon logs` shows what it waits for").into())
    }

    /// Waits until it is known of every agent of a project whether it lives.
    pub(super) async fn settled_in(&self, root: &Path) -> Result<(), Failure> {
        if self.recovering.over_in(root, SETTLE_LIMIT).await {
            return Ok(());
        }
        let message =
            format!("the project {} does not answer: it is not known yet which of its agents live", root.display());
        let hint = "see whether its disk hangs, or a daemon of another PU_HOME that works on it; then try again";
        Err(ErrorBody::new(ErrorCode::Busy, message).with_hint(hint).into())
    }

    /// The projects whose agents `--all` means.
    async fn roots_meant(&self, cwd: PathBuf, all_projects: bool) -> Result<BTreeSet<PathBuf>, Failure> {
        if all_projects {
            return Ok(self.roster.list(None).into_iter().map(|info| info.project_root).collect());
        }
        let message = "`--all` means the agents of a project, and this folder is in none";
        let root = self.project_root(Some(cwd)).await;
        root.map(|root| BTreeSet::from([root])).ok_or_else(|| Failure::new(ErrorCode::NotAProject, message))
    }

    /// The agents of a project that neither ended of their own accord nor were killed by name.
    async fn interrupted(&self, root: &Path) -> Vec<AgentInfo> {
        let ended = self.roster.list(Some(root)).into_iter().filter(|info| !info.state.is_live());
        let last: Vec<AgentInfo> = ended.filter(|info| !self.roster.is_earlier_life(&info.agent_id)).collect();
        let stopped = self.stopped(&last).await;
        let goes_on = |info: &AgentInfo| match info.state {
            AgentState::Lost { .. } | AgentState::ExitUnknown { .. } => true,
            _ => stopped.contains_key(&info.agent_id),
        };
        last.into_iter().filter(goes_on).collect()
    }

    /// Parts agents from shell commands. A session goes on where it was; a command would be run a second time from its
    /// beginning, and what it does then only who named it knows.
    pub(super) fn without_commands(&self, agents: Vec<AgentInfo>) -> (Vec<AgentInfo>, Vec<AgentInfo>) {
        let is_agent = |info: &AgentInfo| {
            let commit = self.roster.get(&info.agent_id).and_then(|agent| commit_of(&agent).ok());
            commit.and_then(|commit| commit.asked).is_none_or(|asked| asked.command.is_none())
        };
        agents.into_iter().partition(is_agent)
    }

    /// Resumes agents of a project, several at a time; one that cannot go on holds up no other.
    pub(super) async fn resume_each(
        &self,
        meant: Vec<AgentInfo>,
        how: &Arc<How>,
    ) -> (Vec<ResumedAgent>, Vec<FailedAgent>) {
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        let (mut going, mut names) = (JoinSet::new(), HashMap::new());
        for info in meant {
            let (engine, how, places) = (self.clone(), Arc::clone(how), Arc::clone(&places));
            let name = info.name.clone();
            let task = going.spawn(async move {
                // Never closed; without a place it would only be less orderly.
                let _place = places.acquire_owned().await.ok();
                if engine.is_closing() {
                    let body = ErrorBody::new(ErrorCode::ShuttingDown, "the daemon is stopping")
                        .with_hint("`pu resume` lets it go on with the next one");
                    return Err(FailedAgent { agent: info.name, error: body });
                }
                let resumed = Box::pin(engine.resume_one(&info.agent_id, &how)).await;
                resumed.map_err(|failure| {
                    failure.log("resume");
                    FailedAgent { agent: info.name, error: failure.body }
                })
            });
            names.insert(task.id(), name);
        }
        let (mut resumed, mut failed) = (Vec::new(), Vec::new());
        while let Some(one) = going.join_next().await {
            match one {
                Ok(Ok(agent)) => resumed.push(agent),
                Ok(Err(failure)) => failed.push(failure),
                // The others are on their way: one that panicked takes none of them with it.
                Err(error) => {
                    let agent = names.remove(&error.id()).unwrap_or_default();
                    failed.push(FailedAgent { agent, error: Failure::from(error).body });
                }
            }
        }
        resumed.sort_by(|a, b| a.started.name.cmp(&b.started.name));
        failed.sort_by(|a, b| a.agent.cmp(&b.agent));
        (resumed, failed)
    }

    async fn resume_one(&self, agent_id: &str, how: &Arc<How>) -> Result<ResumedAgent, Failure> {
        fault::point("resume.reserve")?;
        let (former, name) = self.roster.reserve_again(agent_id)?;
        fault::point("resume.prepare")?;
        let project = self.trusted_project(former.info.project_root.clone()).await?;
        let (engine, how) = (self.clone(), Arc::clone(how));
        let root = project.root.clone();
        let prepared = self.slowly_within(&root, move || engine.prepare_again(&former, name, project, &how)).await??;
        let prepared = Arc::new(prepared);
        fault::point("resume.start")?;
        let started = self.start(&prepared).await?;
        fault::reach("resume.started");
        tracing::info!(agent = started.agent_id, before = agent_id, "resumed");
        self.forget_stopped(&prepared.project.layout, agent_id).await;
        fault::reach("resume.answer");
        let now = self.roster.get(&started.agent_id).and_then(|agent| commit_of(&agent).ok()).unwrap_or_default();
        let again = prepared.again.as_ref();
        Ok(ResumedAgent {
            started,
            resumes: agent_id.to_owned(),
            session_id: again.and_then(|again| again.session.as_ref()).and_then(|_| now.agent.session_id.clone()),
            fresh_because: again.and_then(|again| again.fresh_because.clone()),
            context_before: again.map(|again| again.context.clone()).unwrap_or_default(),
            context_changed: again.is_some_and(|again| again.differs_from(&now)),
        })
    }

    /// Step 1 of a resume, and everything else that can be refused without having done anything. Blocking.
    fn prepare_again(
        &self,
        former: &Agent,
        name: ReservedName,
        project: Arc<Project>,
        how: &How,
    ) -> Result<Prepared, Failure> {
        let commit = commit_of(former)?;
        let mut request = request_for(former, &commit, &project, how);
        let config = self.projects.allowed_config(&project)?;
        let definition = choose_definition(&request, &config)?;
        // In the life before, its user may have chosen the session himself: this one is given it, or a new one, by us.
        let chosen = definition.session_among(&request.agent_args).filter(|_| request.command.is_none());
        let chosen = chosen.map(|chosen| {
            request.agent_args = chosen.others;
            chosen.id
        });
        let site = Site::choose(&request, &project.root, &self.roster)?;
        let session = if how.fresh {
            Err("that was asked for".to_owned())
        } else {
            self.session_of(former, &commit, &definition, &request, chosen)
        };
        let (session, claim, fresh_because) = match session {
            Ok((Some(id), None)) => {
                let claim = self.roster.hold_session(&id, &former.info.agent_id)?;
                (Some(Some(id)), Some(claim), None)
            }
            Ok((session, claim)) => (Some(session), claim, None),
            Err(reason) => (None, None, Some(reason)),
        };
        let mut context = commit.context;
        context.candidates = None;
        context.rules.clear();
        let again = Again {
            agent_id: former.info.agent_id.clone(),
            first_life: commit.first_life.unwrap_or_else(|| former.info.agent_id.clone()),
            prompt: how.prompt.clone(),
            worktree: commit.worktree.or(commit.kept_worktree),
            session,
            _claim: claim,
            fresh_because,
            context,
            context_digest: commit.context_digest,
        };
        let agent_id = fresh_agent_id()?;
        Ok(Prepared { request, agent_id, name, project, config, definition, site, again: Some(again) })
    }

    /// The session that an agent can go on in, or why there is none; `chosen` is the one that its user named. Blocking.
    fn session_of(
        &self,
        former: &Agent,
        commit: &SpawnCommit,
        definition: &AgentDefinition,
        request: &SpawnRequest,
        chosen: Option<String>,
    ) -> Result<(Option<String>, Option<SessionClaim>), String> {
        if request.command.is_some() {
            return Err("a shell command has no session".into());
        }
        if definition.resume_args.is_empty() {
            return Err(format!("`{}` has no session that goes on", definition.name));
        }
        let others = || self.roster.others_work_in(&former.launch.cwd, &former.info.agent_id);
        if !definition.resumes_by_id() {
            let is_own = former.launch.worktree.is_some() && !others();
            let reason = "its program finds a session by the folder, and that is not the agent's alone";
            return if is_own { Ok((None, None)) } else { Err(reason.into()) };
        }
        // Earlier releases did not record one that its user had chosen.
        if let Some(id) = commit.agent.session_id.clone().or(chosen) {
            return Ok((Some(id), None));
        }
        let unknown = || format!("which session of `{}` was its own is not known", definition.name);
        let began: Timestamp = former.launch.created_at.parse().map_err(|_| unknown())?;
        let ended = last_moment(former);
        let is_own = former.launch.worktree.is_some() && !others();
        if !is_own && (ended.is_none() || self.others_worked_beside(former, began, ended)) {
            return Err(unknown());
        }
        let place = SessionPlace { cwd: former.launch.cwd.clone(), began, ended, is_own };
        let found = find_session(definition, &request.env, &place).ok_or_else(unknown)?;
        let claim = self.roster.claim_session(&found, &former.info.agent_id).ok_or_else(unknown)?;
        Ok((Some(found), Some(claim)))
    }

    /// Whether another agent of this kind worked in the same folder in this time: the one session that is found may be its.
    fn others_worked_beside(&self, former: &Agent, began: Timestamp, ended: Option<Timestamp>) -> bool {
        let is_like_it = |other: &Agent| other.launch.cwd == former.launch.cwd && other.info.agent == former.info.agent;
        let others = self.roster.others(&former.info.agent_id, is_like_it);
        others.iter().any(|other| overlap((began, ended), time_of(other)))
    }
}

/// From when to when an agent worked; `None` is a time that is not known.
fn time_of(agent: &Agent) -> (Option<Timestamp>, Option<Timestamp>) {
    let ended = if agent.info.state.is_live() { None } else { last_moment(agent) };
    (agent.launch.created_at.parse().ok(), ended)
}

/// Whether one worked while the other did, as far as can be known.
fn overlap(one: (Timestamp, Option<Timestamp>), other: (Option<Timestamp>, Option<Timestamp>)) -> bool {
    let begins_later = other.0.zip(one.1).is_some_and(|(began, ended)| began > ended);
    let ended_before = other.1.is_some_and(|ended| ended < one.0);
    !begins_later && !ended_before
}

/// A shell command that `--all` leaves alone.
fn not_unasked(info: AgentInfo) -> FailedAgent {
    let message = format!("{} is a shell command, which would run a second time: `--all` leaves it alone", info.name);
    let error =
        ErrorBody::new(ErrorCode::AgentEnded, message).with_hint(format!("`pu resume {}` runs it again", info.name));
    FailedAgent { agent: info.name, error }
}

fn commit_of(agent: &Agent) -> Result<SpawnCommit, Failure> {
    serde_json::from_value(agent.launch.commit.clone())
        .map_err(|e| Failure::new(ErrorCode::RecordDamaged, format!("{}: {e}", agent.layout.launch().display())))
}

/// What was asked for when the agent was spawned, asked for once more.
fn request_for(former: &Agent, commit: &SpawnCommit, project: &Project, how: &How) -> SpawnRequest {
    let asked = commit.asked.clone().unwrap_or_default();
    let worktree = former.launch.worktree.as_deref().and_then(|path| path.rsplit('/').next());
    SpawnRequest {
        cwd: project.root.clone(),
        task: TaskDescription {
            prompt: joined(&commit.prompt, &how.prompt),
            tags: commit.tags.clone(),
            specs: commit.specs.clone(),
            agent: Some(former.info.agent.clone()),
            budget: asked.budget,
        },
        name: Some(former.info.name.clone()),
        placement: worktree.map_or(Placement::Root, |name| Placement::Worktree { name: name.to_owned() }),
        command: asked.command,
        agent_args: asked.agent_args,
        no_context: asked.no_context,
        size: how.size.or(Some(former.launch.size)),
        env: how.env.clone(),
    }
}

/// A task and what was added to it.
fn joined(task: &str, more: &str) -> String {
    match (task.trim().is_empty(), more.trim().is_empty()) {
        (_, true) => task.to_owned(),
        (true, false) => more.to_owned(),
        (false, false) => format!("{}\n\n{more}", task.trim_end()),
    }
}

/// Takes from the last agents what `context show` tells of them too, until the answer fits its line.
fn fit_line(resumed: &mut [ResumedAgent], room: usize) {
    let mut left = room;
    for agent in resumed {
        let size = serde_json::to_vec(agent).map_or(0, |json| json.len());
        if size > left {
            for report in [&mut agent.started.context, &mut agent.context_before] {
                report.picks.clear();
                report.assemblers.clear();
                report.labels.clear();
            }
            let told =
                format!("the answer has no room for its context: `pu context show {}` has it", agent.started.name);
            agent.started.context.warnings = vec![told];
        }
        left = left.saturating_sub(serde_json::to_vec(agent).map_or(0, |json| json.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::answer::SpawnReport;
    use pu_protocol::context::Pick;

    #[test]
    fn what_is_added_to_a_task_stands_below_it() {
        for (task, more, wanted) in
            [("fix it", "", "fix it"), ("fix it\n", "and test it", "fix it\n\nand test it"), ("", "go on", "go on")]
        {
            assert_eq!(joined(task, more), wanted);
        }
    }

    #[test]
    fn who_worked_beside_whom_is_known_by_their_times() {
        let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
        let one = (at(10), Some(at(12)));
        for (other, wanted) in [
            ((Some(at(8)), Some(at(9))), false),
            ((Some(at(13)), None), false),
            ((Some(at(8)), Some(at(11))), true),
            ((Some(at(11)), Some(at(11))), true),
            ((Some(at(8)), None), true),
            ((None, None), true),
        ] {
            assert_eq!(overlap(one, other), wanted, "{other:?}");
        }
        assert!(overlap((at(10), None), (Some(at(13)), None)));
    }

    #[test]
    fn a_session_has_the_context_only_if_it_is_the_same_text() {
        let again = |digest: &str| Again {
            agent_id: "aaaa1111".into(),
            first_life: "aaaa1111".into(),
            prompt: String::new(),
            worktree: None,
            session: Some(Some("s".into())),
            _claim: None,
            fresh_because: None,
            context: ContextReport::default(),
            context_digest: digest.into(),
        };
        let has = |again: &Again, text| again.session_with(text).unwrap().has_context;
        assert!(has(&again(&digest("text")), Some("text")));
        assert!(!has(&again(&digest("text")), Some("other")));
        assert!(!has(&again(""), Some("")) && !has(&again(""), None));
        let same = SpawnCommit { context_digest: digest("text"), ..SpawnCommit::default() };
        assert!(!again(&digest("text")).differs_from(&same) && again("").differs_from(&same));
    }

    #[test]
    fn an_answer_fits_its_line_however_many_are_resumed() {
        let picks = || vec![Pick { reason: "r".repeat(1_000), ..Pick::default() }; 10];
        let agent = |name: &str| ResumedAgent {
            started: SpawnReport {
                agent_id: name.into(),
                name: name.into(),
                agent: "claude".into(),
                project_root: "/p".into(),
                worktree: None,
                branch: None,
                pid: 7,
                delivery: "system".into(),
                context: ContextReport { picks: picks(), ..ContextReport::default() },
            },
            resumes: "before".into(),
            session_id: None,
            fresh_because: None,
            context_before: ContextReport { picks: picks(), ..ContextReport::default() },
            context_changed: true,
        };
        let mut all: Vec<ResumedAgent> = (0..100).map(|i| agent(&format!("agent-{i}"))).collect();
        fit_line(&mut all, 200_000);
        assert!(serde_json::to_vec(&all).unwrap().len() < 300_000);
        assert_eq!((all[0].started.context.picks.len(), all[99].started.context.picks.len()), (10, 0));
        assert!(all[99].started.context.warnings[0].contains("pu context show agent-99"));
    }
}
