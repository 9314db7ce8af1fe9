//! The engine's handle: what the requests share.
//!
//! Handle in front, state behind; each room keeps its own lock, and none is held here.

use super::failure::Failure;
use super::glances::Glances;
use super::looks::Looks;
use super::scratch::Scratch;
use crate::agents::{LearnSwitch, Lifecycle, Roster};
use crate::context::ContextEngine;
use crate::events::Events;
use crate::gates::{Gate, Gates};
use crate::projects::discovery::Discovery;
use crate::projects::{Project, Projects};
use crate::shims::ShimProgram;
use pu_protocol::layout::HomeLayout;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// How much work that waits for git or a compiler runs at a time.
const SLOW_WORK_MAX: usize = 8;
/// What takes longer waits for something and keeps no processor busy: its place among the slow goes to another project.
const SLOW_WORK_LIMIT: Duration = Duration::from_secs(10);
/// How long spawns under way are waited for before agents are ended.
const CLOSE_LIMIT: Duration = Duration::from_secs(60);
/// How long it may take to find the project around a folder, where a guess will do.
const LOOK_LIMIT: Duration = Duration::from_secs(2);

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
    /// Finds projects below the configured roots.
    pub(super) discovery: Discovery,
    pub(super) roster: Roster,
    pub(super) lifecycle: Lifecycle,
    pub(super) context: Arc<ContextEngine>,
    /// Places for what blocks, by project.
    pub(super) gates: Gates,
    /// Projects that do not answer when all of them are looked at.
    pub(super) glances: Glances,
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
        let projects = Projects::with_agents(options.home.clone(), events.clone(), roster.clone())?;
        let (gates, builds) = (projects.gates().clone(), projects.builds().clone());
        let configured = projects.clone();
        // A configuration that cannot be read may say no.
        let learns = move |root: &Path| configured.by_root(root).config().is_ok_and(|config| config.context.learn);
        let shared = Shared {
            projects,
            discovery: Discovery::default(),
            lifecycle: Lifecycle::new(roster.clone(), events.clone(), gates.clone(), LearnSwitch::new(learns)),
            roster,
            events,
            options,
            started: Instant::now(),
            context: Arc::new(context),
            gates,
            glances: Glances::default(),
            scratch: Scratch::new(builds),
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

    /// Begins to look for projects, beside whatever else is done, for as long as the daemon lives. A daemon that ends does
    /// not wait for it, and it writes nothing more then.
    pub fn discover(&self) {
        let stopping = self.stopping.clone();
        let (projects, events, home) = (self.projects.clone(), self.events.clone(), &self.options.home);
        self.discovery.start(projects, events, home, move || stopping.is_cancelled());
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

    /// Begins nothing new from here on, and waits for the spawns that were begun, but for those that hang.
    pub(super) async fn close(&self) {
        self.refuse_more();
        self.spawning.close();
        if tokio::time::timeout(CLOSE_LIMIT, self.spawning.wait()).await.is_err() {
            tracing::warn!(spawns = self.spawning.len(), "a spawn that was begun does not come to an end");
        }
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

    /// Runs blocking work that may touch the files of the project around `folder`, in one of its places.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        folder: &Path,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.gates.of(folder).enter().await?;
        Ok(tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await?)
    }

    /// The same for work that may take as long as git and its hooks, or a compiler, do.
    pub(super) async fn slowly_within<T: Send + 'static>(
        &self,
        folder: &Path,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.long_within(folder, Duration::ZERO, work).await
    }

    /// The same for work that is known to take up to so long in a large project: those that wait for its place are not refused
    /// meanwhile.
    pub(super) async fn long_within<T: Send + 'static>(
        &self,
        folder: &Path,
        long: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.gates.of(folder).enter().await?;
        // It may be others' work that it waits for.
        place.may_take(SLOW_WORK_LIMIT);
        Ok(self
            .slowly(move || {
                place.may_take(long);
                work()
            })
            .await?)
    }

    /// As [`Engine::within`], for what nobody asked for and has to be done however long it takes.
    pub(super) async fn beside<T: Send + 'static>(
        gate: &Gate,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let place = gate.enter_for_records().await;
        tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        })
        .await
    }

    /// As [`Engine::beside`], for work that is slow.
    pub(super) async fn slowly_beside<T: Send + 'static>(
        &self,
        gate: &Gate,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let place = gate.enter_for_records().await;
        self.slowly(move || {
            let _place = place;
            work()
        })
        .await
    }

    /// Runs blocking work that may take as long as git and its hooks, or a compiler, do, and touches no project: for one that
    /// does there is [`Engine::slowly_within`]. One that seems to hang goes on, and others take its place among the slow.
    pub(super) async fn slowly<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // The semaphore is never closed; without a place the work would still be right, only less fair.
        let place = self.slow_work.acquire().await.ok();
        let mut working = tokio::task::spawn_blocking(work);
        match tokio::time::timeout(SLOW_WORK_LIMIT, &mut working).await {
            Ok(done) => done,
            Err(_) => {
                drop(place);
                working.await
            }
        }
    }

    /// The root of the project that a client stands in, if it stands in one. Where its file system does not answer, it is the
    /// one around the folder that is known: whoever asks for an agent gets to it all the same.
    pub(super) async fn project_root(&self, cwd: Option<PathBuf>) -> Option<PathBuf> {
        let cwd = cwd?;
        let (projects, folder) = (self.projects.clone(), cwd.clone());
        let found = self.within(&cwd, move || projects.root_of(&folder));
        match tokio::time::timeout(LOOK_LIMIT, found).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => self.projects.known_around(&cwd),
        }
    }

    /// The trusted project that a client stands in.
    pub(super) async fn trusted_project(&self, cwd: PathBuf) -> Result<Arc<Project>, Failure> {
        let (projects, folder) = (self.projects.clone(), cwd.clone());
        Ok(self.within(&cwd, move || projects.trusted(&folder)).await??)
    }
}
