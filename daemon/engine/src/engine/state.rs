//! The engine's handle: what the requests share.
//!
//! Handle in front, state behind; each room keeps its own lock, and none is held here.

use super::failure::Failure;
use super::looks::Looks;
use super::scratch::Scratch;
use crate::agents::{LearnSwitch, Lifecycle, Roster};
use crate::context::ContextEngine;
use crate::events::Events;
use crate::projects::{Project, Projects};
use crate::shims::ShimProgram;
use pu_protocol::layout::HomeLayout;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How much work that waits for git or a compiler runs at a time.
const SLOW_WORK_MAX: usize = 8;

/// What the daemon was started with.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    pub home: HomeLayout,
    /// Where this daemon listens; agents are told.
    pub socket: PathBuf,
    pub managed: bool,
    pub shim: ShimProgram,
    /// The soft limit on open files that the daemon was started with, which its agents get.
    pub file_limit: Option<u64>,
}

/// Handle to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub struct Shared {
    pub(super) options: EngineOptions,
    pub(super) started: Instant,
    pub(super) events: Events,
    pub(super) projects: Projects,
    pub(super) roster: Roster,
    pub(super) lifecycle: Lifecycle,
    pub(super) context: Arc<ContextEngine>,
    /// Held while a request changes the files that say which plugins a project has.
    pub(super) plugin_changes: Mutex<()>,
    /// Folders of specs that requests named.
    pub(super) scratch: Scratch,
    /// Agent folders that recovery did not recognise.
    pub(super) unrecognised: watch::Sender<Vec<String>>,
    /// Agents that are being looked at since the start: until then it is not known of each whether it lives.
    pub(super) recovering: Looks,
    /// Requests under way: a stopping daemon lets them finish.
    under_way: TaskTracker,
    /// Subscribers that are being told of events: a stopping daemon lets them hear the last one.
    telling: TaskTracker,
    /// Places for work that may wait long for git and its hooks, or for a compiler: the other blocking threads stay free for everybody else.
    slow_work: Semaphore,
    /// Spawns under way: they are finished before agents are ended.
    spawning: TaskTracker,
    /// Cancelled when nothing new is begun any more.
    closing: CancellationToken,
    /// Cancelled when the daemon is to end.
    stopping: CancellationToken,
}

impl Deref for Engine {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Engine {
    pub fn new(options: EngineOptions, context: ContextEngine) -> Result<Self, crate::store::StoreError> {
        let events = Events::default();
        let roster = Roster::default();
        let projects = Projects::open(options.home.clone(), events.clone())?;
        let configured = projects.clone();
        // A configuration that cannot be read may say no.
        let learns = move |root: &Path| configured.by_root(root).config().is_ok_and(|config| config.context.learn);
        let shared = Shared {
            projects,
            lifecycle: Lifecycle::new(roster.clone(), events.clone(), LearnSwitch::new(learns)),
            roster,
            events,
            options,
            started: Instant::now(),
            context: Arc::new(context),
            plugin_changes: Mutex::default(),
            scratch: Scratch::default(),
            unrecognised: watch::Sender::new(Vec::new()),
            recovering: Looks::default(),
            under_way: TaskTracker::new(),
            telling: TaskTracker::new(),
            slow_work: Semaphore::new(SLOW_WORK_MAX),
            spawning: TaskTracker::new(),
            closing: CancellationToken::new(),
            stopping: CancellationToken::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Cancelled once the daemon is to stop.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Tells subscribers something about the daemon itself.
    pub fn announce(&self, event: pu_protocol::Event) {
        self.events.publish(event);
    }

    /// Has the plugins that come with the program made ready, beside whatever else is done.
    pub fn warm_up(&self) {
        let (context, stopping) = (Arc::clone(&self.context), self.stopping.clone());
        // On a thread that nobody waits for: a task that comes before it is done waits for the same compilation, and a
        // daemon that ends, and the next one with it, for none.
        let warm_up = move || context.warm_up(|| !stopping.is_cancelled());
        if let Err(error) = std::thread::Builder::new().name("warm-up".into()).spawn(warm_up) {
            tracing::warn!(%error, "no thread to make plugins ready: the first task does it");
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Begins nothing new from here on.
    pub fn refuse_more(&self) {
        self.closing.cancel();
    }

    pub(super) fn begin_spawn(&self) -> TaskTrackerToken {
        self.spawning.token()
    }

    /// Begins nothing new from here on, and waits for the spawns that were begun.
    pub(super) async fn close(&self) {
        self.refuse_more();
        self.spawning.close();
        self.spawning.wait().await;
    }

    /// Counts a request as under way for as long as the token lives: until its answer is written.
    pub fn begin(&self) -> TaskTrackerToken {
        self.under_way.token()
    }

    /// Waits until no request is under way.
    pub async fn drained(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Counts a subscriber as being told for as long as the token lives: until its last event is written.
    pub fn begin_telling(&self) -> TaskTrackerToken {
        self.telling.token()
    }

    /// Publishes no more events, and waits until every subscriber has been told of those before.
    pub async fn told(&self) {
        self.events.close();
        self.telling.close();
        self.telling.wait().await;
    }

    /// Runs blocking work that may take as long as git and its hooks, or a compiler, do.
    pub(super) async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // The semaphore is never closed; without a place the work would still be right, only less fair.
        let _place = self.slow_work.acquire().await.ok();
        tokio::task::spawn_blocking(work).await
    }

    /// The root of the project that a client stands in, if it stands in one.
    pub(super) async fn project_root(&self, cwd: Option<PathBuf>) -> Option<PathBuf> {
        let projects = self.projects.clone();
        let cwd = cwd?;
        tokio::task::spawn_blocking(move || projects.root_of(&cwd)).await.ok().flatten()
    }

    /// The trusted project that a client stands in.
    pub(super) async fn trusted_project(&self, cwd: PathBuf) -> Result<Arc<Project>, Failure> {
        let projects = self.projects.clone();
        Ok(tokio::task::spawn_blocking(move || projects.trusted(&cwd)).await??)
    }
}
