//! What becomes of an agent: reads its shim's events, keeps the roster, the project's files and the subscribers true.
//!
//! One task an agent. It signals nothing and starts nothing.

use super::outcome::{LearnSwitch, keep_outcome};
use super::roster::{Agent, Roster};
use super::state::News;
use super::touched::touched_by;
use crate::events::Events;
use crate::gates::{Gate, Gates};
use crate::shims::{ShimEvent, ShimLink, connect};
use crate::store::{StoreError, commit_end};
use pu_protocol::frame::{ExitRecord, ExitStatus, Welcome};
use pu_protocol::layout::{AgentLayout, ProjectLayout};
use pu_protocol::{AgentInfo, Event, Exit};
use pu_record::shim::ShimRecord;
use pu_record::{exit, fault, process};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

/// Between two attempts to reach a shim that lives but does not answer: doubles from the first to the second.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// So many ended agents are looked after with git at a time, and how long one waits for its turn before it goes without.
const LOOKS: usize = 4;
const LOOK_WAIT: Duration = Duration::from_secs(1);
/// How long an end waits to stand in its project's files before it is told. Where the file system hangs it is told without,
/// and written once that can be.
const WRITE_WAIT: Duration = Duration::from_secs(5);

/// Handle to what follows the agents' lives. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    roster: Roster,
    events: Events,
    gates: Gates,
    /// Places for questions to git about what ended agents touched: many may end at once, and the threads are everybody's.
    looks: Arc<Semaphore>,
    learns: LearnSwitch,
}

/// What an agent's folder says of it when no connection does.
#[derive(Debug)]
pub enum Trace {
    Ended(ExitRecord),
    /// Its shim runs (so its agent may), as this record says.
    ShimAlive(ShimRecord),
    /// There was a shim, in this boot, and it is gone without a word; its agent's process lives on, without a terminal.
    ShimGone(ShimRecord),
    /// Shim and agent are gone without a word.
    BothGone,
    /// There was a shim, in an earlier boot.
    EarlierBoot,
    /// No shim ever said anything.
    NeverStarted,
}

impl Trace {
    /// The agent's process, where it runs.
    pub fn pid(&self) -> Option<i32> {
        match self {
            Self::ShimAlive(shim) | Self::ShimGone(shim) => Some(shim.child.pid),
            Self::Ended(_) | Self::BothGone | Self::EarlierBoot | Self::NeverStarted => None,
        }
    }

    /// Reads the folder. Blocking.
    pub fn of(layout: &AgentLayout) -> Result<Self, pu_record::RecordError> {
        if let Some(record) = exit::read(&layout.exit())? {
            return Ok(Self::Ended(record));
        }
        let shim = match ShimRecord::read(&layout.shim()) {
            Ok(shim) => shim,
            Err(error) if error.is_missing() => return Ok(Self::NeverStarted),
            Err(error) => return Err(error),
        };
        let boot = process::boot_id();
        Ok(match () {
            () if shim.is_alive(&boot) => Self::ShimAlive(shim),
            () if shim.boot_id != boot => Self::EarlierBoot,
            () if shim.child.is_alive() => Self::ShimGone(shim),
            // The shim may have ended between the two looks, with its record written in between.
            () => exit::read(&layout.exit())?.map_or(Self::BothGone, Self::Ended),
        })
    }

    /// The news that a trace amounts to, for an agent that cannot be reached.
    pub fn news(self) -> News {
        match self {
            Self::Ended(record) => ended(record),
            Self::ShimAlive(_) => News::LinkLost { reason: "its shim does not answer".into() },
            Self::ShimGone(_) => {
                News::LinkLost { reason: "its shim is gone; its process runs without a terminal".into() }
            }
            Self::BothGone => News::Vanished { reason: "its shim is gone and left no exit record".into() },
            Self::EarlierBoot => News::Rebooted,
            Self::NeverStarted => News::Vanished { reason: "its shim never started".into() },
        }
    }
}

impl Lifecycle {
    pub fn new(roster: Roster, events: Events, gates: Gates, learns: LearnSwitch) -> Self {
        Self { roster, events, gates, looks: Arc::new(Semaphore::new(LOOKS)), learns }
    }

    /// Follows an agent from here on: connected already, or to be connected to.
    pub fn follow(&self, agent_id: String, heard: Option<mpsc::Receiver<ShimEvent>>) {
        let lifecycle = self.clone();
        tokio::spawn(async move { lifecycle.run(agent_id, heard).await });
    }

    async fn run(self, agent_id: String, mut heard: Option<mpsc::Receiver<ShimEvent>>) {
        let mut pause = RECONNECT.0;
        while self.roster.get(&agent_id).is_some_and(|agent| agent.info.state.is_live()) {
            if let Some(events) = heard.take() {
                self.listen(&agent_id, events).await;
                pause = RECONNECT.0;
            }
            let Some(agent) = self.roster.get(&agent_id) else { return };
            if !agent.info.state.is_live() {
                return;
            }
            match connect(&agent.layout.socket()).await {
                Ok((link, welcome, events)) => {
                    self.connected(&agent_id, link, &welcome);
                    heard = Some(events);
                }
                Err(_) => {
                    self.look(&agent).await;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RECONNECT.1);
                }
            }
        }
    }

    /// Takes what the shim says until the link is gone.
    async fn listen(&self, agent_id: &str, mut events: mpsc::Receiver<ShimEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                ShimEvent::Exited { exit, record_error } => {
                    if let Some(error) = record_error {
                        tracing::error!(agent = agent_id, error, "the shim could not record the exit; the daemon does");
                        self.record_exit(agent_id, &exit).await;
                    }
                    self.take(agent_id, ended(exit)).await;
                }
                ShimEvent::Cue(cue) => {
                    if let Some(agent) = self.roster.hear(agent_id, cue) {
                        self.events.publish(Event::AgentChanged { agent });
                    }
                }
                ShimEvent::Closed { reason } => tracing::debug!(agent = agent_id, reason, "the link to a shim is gone"),
            }
        }
        self.roster.set_link(agent_id, None);
    }

    /// The shim's word for an exit is all there is of it until it stands on disk.
    async fn record_exit(&self, agent_id: &str, record: &ExitRecord) {
        let Some(agent) = self.roster.get(agent_id) else { return };
        let (path, record) = (agent.layout.exit(), record.clone());
        let written = tokio::task::spawn_blocking(move || exit::write(&path, &record)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(agent = agent_id, %error, "the exit is known to this daemon only");
        }
    }

    pub fn connected(&self, agent_id: &str, link: ShimLink, welcome: &Welcome) {
        self.roster.set_link(agent_id, Some(link));
        match self.roster.apply(agent_id, News::Connected { pid: welcome.child_pid }) {
            Ok(Some(agent)) => self.events.publish(Event::AgentChanged { agent }),
            Ok(None) => {}
            Err(error) => tracing::error!(agent = agent_id, %error, "an ended agent answers"),
        }
    }

    /// Finds out from its folder what became of an agent whose shim does not answer.
    async fn look(&self, agent: &Agent) {
        let layout = agent.layout.clone();
        let trace = tokio::task::spawn_blocking(move || Trace::of(&layout)).await;
        match trace {
            Ok(Ok(trace)) => self.take(&agent.info.agent_id, trace.news()).await,
            Ok(Err(error)) => tracing::error!(agent = agent.info.agent_id, %error, "an agent's folder cannot be read"),
            Err(error) => tracing::error!(agent = agent.info.agent_id, %error, "looking after an agent failed"),
        }
    }

    /// Applies news everywhere: project files first, so that what is announced is on disk, unless they cannot be reached.
    pub async fn take(&self, agent_id: &str, news: News) {
        let Some(before) = self.roster.get(agent_id) else { return };
        let next = match super::state::next(&before.info.state, news.clone()) {
            Ok(next) => next,
            Err(error) => return tracing::error!(agent = agent_id, %error, "news that cannot be"),
        };
        if !next.is_live() {
            fault::reach("end.heard");
            let project = ProjectLayout::new(&before.info.project_root);
            let (id, name) = (agent_id.to_owned(), before.info.name.clone());
            // Whoever hears that it has ended may remove its worktree: what it touched is looked at before.
            let place = tokio::time::timeout(LOOK_WAIT, Arc::clone(&self.looks).acquire_owned()).await;
            let place = place.ok().and_then(Result::ok);
            let may_look = before.info.state.is_live() && place.is_some();
            let (launch, learns) = (Arc::clone(&before.launch), self.learns.clone());
            let write = move || {
                commit_end(&project, &id, &name, &next, || {
                    let touched = if may_look { touched_by(&launch) } else { Vec::new() };
                    keep_outcome(&learns, &launch, &touched);
                    touched
                })
            };
            let gate = self.gates.of_root(&before.info.project_root);
            // A task of its own: what is not waited for is written all the same.
            let written = tokio::spawn(write_end(gate, agent_id.to_owned(), write));
            if tokio::time::timeout(WRITE_WAIT, written).await.is_err() {
                tracing::warn!(agent = agent_id, "an agent's end is told before its project's files take it in");
            }
            drop(place);
        }
        if let Ok(Some(agent)) = self.roster.apply(agent_id, news) {
            fault::reach("end.taken");
            self.events.publish(told(agent));
        }
    }
}

/// Writes an end into the project's files, in a place of the project's gate.
async fn write_end(gate: Gate, agent_id: String, write: impl FnOnce() -> Result<(), StoreError> + Send + 'static) {
    let place = gate.enter_for_records().await;
    let written = tokio::task::spawn_blocking(move || {
        let _place = place;
        write()
    });
    if let Ok(Err(error)) = written.await {
        // The agent's own exit record stands; the project's files follow at the next recovery.
        tracing::error!(agent = agent_id, %error, "an agent's end could not be written into its project");
    }
}

fn told(agent: AgentInfo) -> Event {
    if agent.state.is_live() { Event::AgentChanged { agent } } else { Event::AgentEnded { agent } }
}

/// A shim's record as news.
fn ended(record: ExitRecord) -> News {
    let (code, signal) = match record.how {
        ExitStatus::Exited { code } => (Some(code), None),
        ExitStatus::Signaled { signal, name } => (None, Some(if name.is_empty() { signal.to_string() } else { name })),
        ExitStatus::Unknown { reason } => return News::Vanished { reason },
    };
    let exit = Exit { code, signal, ended_at: record.ended_at, left_running: record.left_running };
    News::Ended { exit, asked_for: record.kill_requested }
}
