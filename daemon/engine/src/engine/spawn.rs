//! `spawn`, as the list of its steps. All of a request is checked first; then it is done step by step, each with its
//! undo, so that a failure at any step leaves nothing behind.
//!
//! A resume goes through the same steps from 2 on: only who is meant, and in which session, is settled elsewhere.
//!
//! 1 project and trust · 2 context (touches nothing outside) · 3 worktree · 4 delivery files · 5 shim ·
//! 6 manifest and history (the commit point) · 7 event, what plugins keep, and answer.

use super::choice::{choose_definition, choose_name, fresh_agent_id};
use super::context_explain::specs_of;
use super::failure::Failure;
use super::recover::mark_committed;
use super::resume::Again;
use super::site::Site;
use super::state::Engine;
use super::undo::Undo;
use crate::agents::{
    self, Agent, AgentDefinition, CreatedWorktree, Heard, LaunchPlan, LaunchRequest, ReservedName, handed,
};
use crate::context::Assembled;
use crate::projects::{Config, Project};
use crate::shims;
use crate::store::{AgentRow, Asked, SpawnCommit, WorktreeRow, commit_spawn};
use pu_protocol::answer::SpawnReport;
use pu_protocol::layout::{AgentLayout, ProjectLayout};
use pu_protocol::{Activity, AgentInfo, AgentState, Answer, ErrorCode, Event, SpawnRequest};
use pu_record::launch::LaunchRecord;
use pu_record::shim::ShimRecord;
use pu_record::{atomic, fault, process};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The longest first line of a prompt that status shows, in characters.
const TASK_MAX: usize = 200;
/// How long a worktree may well take: as long as git is given for one command.
const CHECKOUT: Duration = Duration::from_secs(60);

/// What is settled before anything outside is touched.
pub(super) struct Prepared {
    pub(super) request: SpawnRequest,
    pub(super) agent_id: String,
    pub(super) name: ReservedName,
    pub(super) project: Arc<Project>,
    pub(super) config: Arc<Config>,
    pub(super) definition: AgentDefinition,
    pub(super) site: Site,
    /// Of an agent that goes on.
    pub(super) again: Option<Again>,
}

/// How it is going to be done.
struct Draft {
    plan: LaunchPlan,
    context: Assembled,
}

/// Where the agent works, once that place exists.
struct Place {
    workdir: PathBuf,
    worktree: Option<String>,
    branch: Option<String>,
    made: Option<CreatedWorktree>,
}

impl Engine {
    pub(super) async fn spawn(&self, request: SpawnRequest) -> Result<Answer, Failure> {
        let prepared = Arc::new(self.prepare(request).await?);
        Ok(Answer::SpawnReport(Box::new(self.start(&prepared).await?)))
    }

    /// Steps 2 to 7: whole, or undone.
    pub(super) async fn start(&self, prepared: &Arc<Prepared>) -> Result<SpawnReport, Failure> {
        let context = self.context_of(prepared).await?;
        let draft = self.draft(prepared, context).await?;
        let mut undo = Undo::default();
        match self.carry_out(prepared, draft, &mut undo).await {
            Ok(report) => {
                self.look_back(&prepared.project);
                Ok(report)
            }
            Err(mut failure) => {
                let left = undo.run(&self.gates.of_root(&prepared.project.root)).await;
                if !left.is_empty() {
                    failure.body.message = format!("{}; left behind: {}", failure.body.message, left.join(", "));
                }
                Err(failure)
            }
        }
    }

    /// Step 1, and everything else that can be refused without having done anything.
    async fn prepare(&self, request: SpawnRequest) -> Result<Prepared, Failure> {
        fault::point("spawn.prepare")?;
        let project = self.trusted_project(request.cwd.clone()).await?;
        let (roster, projects, root) = (self.roster.clone(), self.projects.clone(), project.root.clone());
        self.slowly_within(&root, move || {
            let config = projects.allowed_config(&project)?;
            let definition = choose_definition(&request, &config)?;
            let agent_id = fresh_agent_id()?;
            let site = Site::choose(&request, &project.root, &roster)?;
            let name =
                choose_name(&request, &agent_id, &project.root, &site, |name| roster.reserve(&project.root, name))?;
            Ok(Prepared { request, agent_id, name, project, config, definition, site, again: None })
        })
        .await?
    }

    /// Step 2.
    async fn context_of(&self, prepared: &Arc<Prepared>) -> Result<Assembled, Failure> {
        fault::point("spawn.context")?;
        if prepared.request.no_context {
            return Ok(Assembled::default());
        }
        let mut task = prepared.request.task.clone();
        task.agent = Some(prepared.definition.name.clone());
        let (project, site) = (&prepared.project, &prepared.site);
        let folder = site.folder(&project.root).map(Path::to_owned);
        let branch = site.branch(prepared.name.as_str());
        let asked = Arc::clone(prepared);
        let changed = move || asked.site.changed_files(&asked.project.root, &asked.request.env);
        let searched = Arc::clone(prepared);
        let specs = move || specs_of(&searched.project, &searched.config);
        let mut assembled = self.assemble_at(project, specs, task, branch, folder, changed).await?;
        // What plugins log is for their authors, who ask with `context explain`; history is spared it.
        assembled.report.assemblers.iter_mut().for_each(|assembler| assembler.log.clear());
        Ok(assembled)
    }

    /// Whatever else can be refused; then, as the last thing before step 3, the folder of a project that has none yet.
    async fn draft(&self, prepared: &Arc<Prepared>, mut context: Assembled) -> Result<Draft, Failure> {
        let (engine, prepared, at) = (self.clone(), Arc::clone(prepared), prepared.project.root.clone());
        fault::point("spawn.draft")?;
        self.slowly_within(&at, move || {
            let root = &prepared.project.root;
            let workdir = prepared.site.future_workdir(prepared.name.as_str(), root);
            let is_there = !matches!(prepared.site, Site::New { .. });
            let plan = engine.plan(&prepared, &workdir, is_there, context.text.as_deref())?;
            context.report.warnings.extend(prepared.project.config_fault());
            if engine.projects.settle(&prepared.project)? {
                context.report.warnings.push(format!(
                    "{} is now a trusted project: its specs, configuration and plugins count in it from now on; \
                     `pu init` does the same",
                    root.display()
                ));
            }
            Ok(Draft { plan, context })
        })
        .await?
    }

    /// Steps 3 to 7.
    async fn carry_out(
        &self,
        prepared: &Arc<Prepared>,
        mut draft: Draft,
        undo: &mut Undo,
    ) -> Result<SpawnReport, Failure> {
        let changed = std::mem::take(&mut draft.context.changed);
        let layout = self.options.home.agent(&prepared.agent_id);
        undo.records(layout.clone());
        fault::point("spawn.note")?;
        self.note_worktree(prepared, &layout).await?;
        fault::point("spawn.worktree")?;
        let place = self.make_place(prepared, &layout, undo).await?;
        fault::point("spawn.hand-over")?;
        let (plan, launch, mut commit) = self.hand_over(prepared, &place, draft, undo).await?;
        let env: BTreeMap<String, String> = plan.env.into_iter().collect();
        // The record reaches the disk while the shim starts; both are waited for before the commit.
        fault::point("spawn.shim")?;
        let record = layout.launch();
        let durable = tokio::task::spawn_blocking(move || atomic::make_durable(&record));
        let started = shims::start(&self.options.shim, &layout, &prepared.agent_id, env).await;
        let durable = durable.await;
        let shim = started?;
        undo.shim(layout.clone());
        fault::point("spawn.started")?;
        durable??;
        undo.rows(prepared.project.layout.clone(), &commit);
        // The daemon's own link to the shim is made while the disk is waited for.
        let socket = layout.socket();
        let (committed, link) = tokio::join!(self.commit(prepared, &commit), shims::connect(&socket));
        committed?;
        fault::point("spawn.commit")?;
        undo.forget();
        fault::reach("spawn.committed");
        self.announce_started(layout, launch, &commit, &shim, link.ok());
        self.keep_state(&prepared.project.layout, changed, &mut commit.context).await;
        fault::reach("spawn.answer");
        Ok(report(prepared, &place, commit, shim.child.pid))
    }

    /// Before step 3: a worktree is on record before it is there, so that a daemon that dies while git makes it leaves
    /// the next one what to take back.
    async fn note_worktree(&self, prepared: &Prepared, layout: &AgentLayout) -> Result<(), Failure> {
        let Site::New { repository, base } = &prepared.site else { return Ok(()) };
        let place = Place::made(repository.future_worktree(prepared.name.as_str(), base));
        let unplanned = LaunchPlan::default();
        let commit = commit_record(prepared, &place, &unplanned, pu_protocol::context::ContextReport::default(), None);
        let launch = launch_record(prepared, &place, &unplanned, &commit)?;
        let layout = layout.clone();
        tokio::task::spawn_blocking(move || write_launch(&layout, &launch)).await?
    }

    /// Step 3.
    async fn make_place(&self, prepared: &Prepared, layout: &AgentLayout, undo: &mut Undo) -> Result<Place, Failure> {
        match &prepared.site {
            Site::Root => {
                Ok(Place { workdir: prepared.project.root.clone(), worktree: None, branch: None, made: None })
            }
            Site::Joined { name, branch, workdir, .. } => Ok(Place {
                workdir: workdir.clone(),
                worktree: Some(relative_worktree(name)),
                branch: branch.clone(),
                made: None,
            }),
            Site::New { repository, base } => {
                let base = base.clone();
                let name = prepared.name.as_str().to_owned();
                let made = {
                    let (repository, claimed) = (repository.clone(), layout.claimed());
                    let note = move || -> agents::Result<()> {
                        Ok(atomic::write_volatile(&claimed, b"", atomic::PRIVATE_FILE)?)
                    };
                    let root = &prepared.project.root;
                    self.long_within(root, CHECKOUT, move || repository.create_noted_worktree(&name, &base, note))
                        .await??
                };
                undo.worktree(repository, made.clone());
                Ok(Place::made(made))
            }
        }
    }

    /// Step 4: what the agent is handed, and the record from which its shim starts it.
    async fn hand_over(
        &self,
        prepared: &Arc<Prepared>,
        place: &Place,
        draft: Draft,
        undo: &mut Undo,
    ) -> Result<(LaunchPlan, LaunchRecord, SpawnCommit), Failure> {
        let Draft { plan, context } = self.confirmed(prepared, place, draft).await?;
        let mut report = context.report;
        report.warnings.extend(plan.warnings.iter().cloned());
        let commit = commit_record(prepared, place, &plan, report, context.text.as_deref());
        let mut launch = launch_record(prepared, place, &plan, &commit)?;
        launch.file_limit = self.options.file_limit;
        let layout = self.options.home.agent(&prepared.agent_id);
        undo.folder(ProjectLayout::new(&place.workdir).handed(&prepared.agent_id));
        let (files, written) = (plan.files.clone(), launch.clone());
        let (prepared, root) = (Arc::clone(prepared), prepared.project.root.clone());
        self.within(&root, move || -> Result<(), Failure> {
            prepared.site.check_still_there(&prepared.project.root)?;
            // First the record, then what it is a record of.
            write_launch(&layout, &written)?;
            if !files.is_empty() {
                prepared.project.keep_handed_files_out_of_git()?;
                handed::write(&files)?;
            }
            Ok(())
        })
        .await??;
        Ok((plan, launch, commit))
    }

    /// Where the plan depends on what is in a worktree that was just made, it is made again.
    async fn confirmed(&self, prepared: &Arc<Prepared>, place: &Place, draft: Draft) -> Result<Draft, Failure> {
        let program = draft.plan.argv.first().map(Path::new);
        let program_is_inside = program.is_some_and(|program| program.starts_with(&place.workdir));
        let plan_again = place.made.is_some() && (program_is_inside || draft.plan.workdir != place.workdir);
        if !plan_again {
            return Ok(draft);
        }
        let (prepared, root) = (Arc::clone(prepared), prepared.project.root.clone());
        let (engine, workdir) = (self.clone(), place.workdir.clone());
        self.slowly_within(&root, move || {
            let plan = engine.plan(&prepared, &workdir, true, draft.context.text.as_deref())?;
            Ok(Draft { plan, ..draft })
        })
        .await?
    }

    /// Blocking: looks for the agent's program.
    fn plan(
        &self,
        prepared: &Prepared,
        workdir: &Path,
        workdir_exists: bool,
        context: Option<&str>,
    ) -> Result<LaunchPlan, Failure> {
        let request = &prepared.request;
        let again = prepared.again.as_ref();
        let session = again.and_then(|again| again.session_with(context));
        // A session knows its task: it is told only what is new.
        let told = again.filter(|_| session.is_some());
        let prompt = told.map_or(request.task.prompt.as_str(), |again| again.prompt.as_str());
        Ok(agents::plan(&LaunchRequest {
            definition: &prepared.definition,
            agent_id: &prepared.agent_id,
            agent_name: prepared.name.as_str(),
            prompt,
            context,
            project_root: &prepared.project.root,
            workdir,
            workdir_exists,
            socket: &self.options.socket,
            agent_args: &request.agent_args,
            command: request.command.as_deref(),
            env: &request.env,
            session: session.as_ref(),
        })?)
    }

    /// Step 6. Once this is written the agent is the project's.
    async fn commit(&self, prepared: &Prepared, commit: &SpawnCommit) -> Result<(), Failure> {
        let (project, written) = (prepared.project.layout.clone(), commit.clone());
        self.within(&prepared.project.root, move || commit_spawn(&project, &written)).await??;
        let AgentRow { agent_id, name, .. } = &commit.agent;
        tracing::info!(agent = agent_id, name, project = %prepared.project.root.display(), "spawned");
        Ok(())
    }

    /// Step 7: from here on the agent is in the roster and its shim is listened to.
    fn announce_started(
        &self,
        layout: AgentLayout,
        launch: LaunchRecord,
        commit: &SpawnCommit,
        shim: &ShimRecord,
        link: Option<shims::Connection>,
    ) {
        let info = info_of(&launch, commit, AgentState::Running { pid: shim.child.pid });
        let agent_id = info.agent_id.clone();
        // An agent whose command is done already has no shim to connect to any more: `follow` reads how it ended.
        let (link, told) = link.map(|(link, _, told)| (link, told)).unzip();
        let noted = layout.clone();
        let (launch, heard) = (Arc::new(launch), Heard::default());
        self.roster.insert(Agent { info: info.clone(), layout, launch, link, heard });
        let info = self.roster.get(&agent_id).map_or(info, |agent| agent.info);
        self.events.publish(Event::AgentStarted { agent: info });
        self.lifecycle.follow(agent_id, told);
        // A note for the next recovery, which nobody waits for; without it that one looks into the project's files.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = mark_committed(&noted) {
                tracing::warn!(%error, "the note that a spawn is committed could not be written");
            }
        });
    }
}

impl Place {
    fn made(made: CreatedWorktree) -> Self {
        Self {
            workdir: made.workdir.clone(),
            worktree: Some(relative_worktree(&made.name)),
            branch: Some(made.branch.clone()),
            made: Some(made),
        }
    }
}

fn write_launch(layout: &AgentLayout, launch: &LaunchRecord) -> Result<(), Failure> {
    atomic::create_private_folder(layout.root())?;
    Ok(launch.write_volatile(&layout.launch())?)
}

fn relative_worktree(name: &str) -> String {
    format!("{}/worktrees/{name}", ProjectLayout::FOLDER)
}

fn commit_record(
    prepared: &Prepared,
    place: &Place,
    plan: &LaunchPlan,
    context: pu_protocol::context::ContextReport,
    text: Option<&str>,
) -> SpawnCommit {
    let agent = AgentRow {
        agent_id: prepared.agent_id.clone(),
        name: prepared.name.as_str().to_owned(),
        agent: prepared.definition.name.clone(),
        worktree: place.worktree.clone(),
        branch: place.branch.clone(),
        session_id: plan.session_id.clone(),
        created_at: pu_record::timestamp::now(),
        resumes: prepared.again.as_ref().map(|again| again.agent_id.clone()),
        extra: serde_json::Map::new(),
    };
    let worktree = place.made.as_ref().map(|made| WorktreeRow {
        name: made.name.clone(),
        branch: made.branch.clone(),
        base: made.base.clone(),
        extra: serde_json::Map::new(),
    });
    let request = &prepared.request;
    SpawnCommit {
        agent,
        worktree,
        prompt: request.task.prompt.clone(),
        tags: request.task.tags.clone(),
        specs: request.task.specs.clone(),
        context,
        context_digest: text.map(digest).unwrap_or_default(),
        delivery: plan.delivery_name().to_owned(),
        asked: Some(Asked {
            budget: request.task.budget,
            agent_args: request.agent_args.clone(),
            command: request.command.clone(),
            no_context: request.no_context,
        }),
        kept_worktree: prepared.again.as_ref().and_then(|again| again.worktree.clone()),
        first_life: prepared.again.as_ref().map(|again| again.first_life.clone()),
    }
}

/// What a context is known by.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn launch_record(
    prepared: &Prepared,
    place: &Place,
    plan: &LaunchPlan,
    commit: &SpawnCommit,
) -> Result<LaunchRecord, Failure> {
    let terminal = &prepared.config.terminal;
    let commit_value = serde_json::to_value(commit).map_err(|e| Failure::new(ErrorCode::Internal, e.to_string()))?;
    Ok(LaunchRecord {
        agent_id: prepared.agent_id.clone(),
        name: commit.agent.name.clone(),
        agent: commit.agent.agent.clone(),
        project_root: prepared.project.root.clone(),
        worktree: place.worktree.clone(),
        branch: place.branch.clone(),
        cwd: place.workdir.clone(),
        argv: plan.argv.clone(),
        env_names: plan.set_variables.clone(),
        size: prepared.request.size.unwrap_or_else(|| terminal.size()).clamped(),
        spool_limit: terminal.output_mib.max(1).saturating_mul(1024 * 1024),
        kill_grace_ms: terminal.kill_grace_ms,
        titles: prepared.definition.signals.titles.iter().map(Into::into).collect(),
        quiet_ms: prepared.definition.signals.quiet_ms,
        created_at: commit.agent.created_at.clone(),
        boot_id: process::boot_id(),
        commit: commit_value,
        ..LaunchRecord::default()
    })
}

/// An agent as clients see it, from what was recorded of it.
pub(super) fn info_of(launch: &LaunchRecord, commit: &SpawnCommit, state: AgentState) -> AgentInfo {
    AgentInfo {
        agent_id: launch.agent_id.clone(),
        name: launch.name.clone(),
        agent: launch.agent.clone(),
        project_root: launch.project_root.clone(),
        worktree: launch.worktree.clone(),
        branch: launch.branch.clone(),
        task: commit.prompt.lines().next().unwrap_or_default().chars().take(TASK_MAX).collect(),
        created_at: launch.created_at.clone(),
        context_tokens: commit.context.tokens,
        size: launch.size,
        resumes: commit.agent.resumes.clone(),
        activity: Activity::default(),
        state,
    }
}

fn report(prepared: &Prepared, place: &Place, commit: SpawnCommit, pid: i32) -> SpawnReport {
    let mut context = commit.context;
    // What was left out is in history and in `context show`; the answer tells what is in.
    context.candidates = None;
    context.rules.clear();
    SpawnReport {
        agent_id: commit.agent.agent_id,
        name: commit.agent.name,
        agent: commit.agent.agent,
        project_root: prepared.project.root.clone(),
        worktree: place.worktree.clone(),
        branch: place.branch.clone(),
        pid,
        delivery: commit.delivery,
        context,
    }
}
