//! Recovery at start-up: the daemon reads `agents/*/` and takes up each agent where it stands.
//!
//! Never kills anything and never removes what it does not recognise: that is listed.

use super::looks::Look;
use super::spawn::info_of;
use super::state::Engine;
use super::undo::withdraw;
use crate::agents::{Agent, Heard, Trace, rebased};
use crate::shims::{ShimEvent, ShimLink, connect};
use crate::store::{SpawnCommit, complete_spawn, history_tells_of, restore_rows};
use jiff::Timestamp;
use pu_protocol::frame::Welcome;
use pu_protocol::layout::{AgentLayout, ProjectLayout};
use pu_protocol::{AgentState, Event};
use pu_record::launch::LaunchRecord;
use pu_record::{atomic, fault, process};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A shim that was being started when the daemon died has said something by then, or it never will.
const START_LIMIT: Duration = Duration::from_secs(15);
/// How long the start of the daemon waits for agents that do not answer.
const RECOVERY_LIMIT: Duration = Duration::from_secs(1);
/// How long an agent whose project does not answer waits to be taken up: it can be reached without.
const COMPLETE_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks at a folder whose shim may still be starting.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// An agent's folder, read.
#[derive(Debug)]
struct Found {
    layout: AgentLayout,
    launch: LaunchRecord,
    commit: SpawnCommit,
    trace: Trace,
}

impl Engine {
    /// Takes up all agents. Never fails: what cannot be taken up is listed as not recognised. An agent whose shim or
    /// project does not answer is waited for in the background: it does not keep the daemon from serving the others.
    pub async fn recover(&self) {
        let home = self.options.home.clone();
        let look = move || {
            atomic::remove_unfinished(home.root());
            atomic::remove_unfinished_folders(&home.agents());
            agent_folders(&home.agents())
        };
        let folders = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        for folder in folders {
            let (engine, look) = (self.clone(), self.recovering.begin());
            tokio::spawn(async move { engine.recover_one(folder, look).await });
        }
        if !self.recovering.all_over(RECOVERY_LIMIT).await {
            let projects = self.recovering.projects();
            tracing::warn!(?projects, "some agents do not answer yet; the daemon serves the others");
        }
        tracing::info!(live = self.roster.live_count(), unrecognised = self.unrecognised.borrow().len(), "recovered");
    }

    /// Looks at one agent's folder. A folder that is not recognised is left alone and listed.
    async fn recover_one(&self, folder: PathBuf, look: Look) {
        let shown = folder.display().to_string();
        if let Err(reason) = self.look_at(folder, look).await {
            let reason = format!("{shown}: {reason}");
            tracing::warn!(reason, "an agent's folder is not recognised; it is left alone");
            self.unrecognised.send_modify(|list| {
                list.push(reason);
                list.sort();
            });
        }
    }

    async fn look_at(&self, folder: PathBuf, look: Look) -> Result<(), String> {
        let mut found =
            tokio::task::spawn_blocking(move || read(AgentLayout::new(folder))).await.map_err(|e| e.to_string())??;
        let launch = &found.launch;
        if let Some(root) = self.projects.moved_since(&launch.project_root, &launch.created_at) {
            found.launch = rebased(launch, &launch.project_root, &root);
        }
        let root = found.launch.project_root.clone();
        if !matches!(found.trace, Trace::NeverStarted) {
            self.enlist(&found);
            let _look = look.of(&root);
            self.take_up(found).await;
            return Ok(());
        }
        // Nobody else gets its name or its session meanwhile: what is taken back is surely its own, and what comes yet lives
        // once. Of an agent that was being resumed, its earlier life has the name too.
        let name = self.roster.hold_name(&root, &found.launch.name);
        let session = found.commit.agent.session_id.as_deref();
        let session = session.and_then(|id| self.roster.hold_session(id, &found.launch.agent_id).ok());
        let _look = look.of(&root);
        let engine = self.clone();
        if is_of_this_boot(&found.launch) {
            tokio::spawn(async move {
                engine.await_start(found).await;
                drop((name, session));
            });
        } else if self.is_recorded(&found).await {
            found.trace = Trace::EarlierBoot;
            self.enlist(&found);
            self.take_up(found).await;
        } else {
            tokio::spawn(async move {
                engine.take_back(found).await;
                drop((name, session));
            });
        }
        Ok(())
    }

    /// The daemon died while a shim was being started: it may yet appear. If it does not, the spawn is undone.
    async fn await_start(&self, mut found: Found) {
        let age = found.launch.created_at.parse::<Timestamp>().ok().map(|at| Timestamp::now().duration_since(at));
        let age = age.and_then(|age| Duration::try_from(age).ok()).unwrap_or_default();
        let deadline = tokio::time::Instant::now() + START_LIMIT.saturating_sub(age);
        while tokio::time::Instant::now() < deadline {
            tokio::time::sleep(LOOK_AGAIN).await;
            let layout = found.layout.clone();
            match tokio::task::spawn_blocking(move || Trace::of(&layout)).await {
                Ok(Ok(Trace::NeverStarted)) => {}
                Ok(Ok(trace)) => {
                    found.trace = trace;
                    self.enlist(&found);
                    return self.take_up(found).await;
                }
                Ok(Err(_)) | Err(_) => break,
            }
        }
        self.take_back(found).await;
    }

    /// Whether a spawn of an earlier boot, whose own folder says nothing of a start, is a spawn all the same: what a shim and a
    /// daemon note beside it may be lost to a power failure, the line in the project's history is not. Where that cannot be
    /// read, nothing is taken back.
    async fn is_recorded(&self, found: &Found) -> bool {
        let (root, agent_id) = (found.launch.project_root.clone(), found.launch.agent_id.clone());
        let gate = self.gates.of_root(&root);
        let asked = Self::beside(&gate, move || {
            let project = ProjectLayout::new(root);
            !project.root().is_dir() || history_tells_of(&project, &agent_id).unwrap_or(true)
        });
        asked.await.unwrap_or(true)
    }

    /// Undoes a spawn whose shim never started.
    async fn take_back(&self, found: Found) {
        tracing::warn!(agent = found.launch.agent_id, "a spawn that never started its shim is undone");
        fault::reach("recover.withdraw");
        let gate = self.gates.of_root(&found.launch.project_root);
        let undone = Self::beside(&gate, move || withdraw(&found.layout, &found.launch, &found.commit)).await;
        for left in undone.unwrap_or_default() {
            tracing::error!(left, "left behind by a spawn that was undone");
        }
    }

    /// Puts an agent into the roster, as it stands as far as its own records say.
    fn enlist(&self, found: &Found) {
        fault::reach("recover.take-up");
        let Found { layout, launch, commit, trace } = found;
        let state = trace.pid().map_or(AgentState::Starting, |pid| AgentState::Running { pid });
        let info = info_of(launch, commit, state);
        let (layout, launch) = (layout.clone(), Arc::new(launch.clone()));
        self.roster.insert(Agent { info, layout, launch, link: None, heard: Heard::default() });
    }

    /// Completes what the last daemon could not write of an agent in the roster, and follows it.
    async fn take_up(&self, found: Found) {
        let Found { layout, launch, commit, trace } = found;
        let agent_id = launch.agent_id.clone();
        let socket = layout.socket();
        let connection = match &trace {
            Trace::ShimAlive(_) => connect(&socket).await.ok(),
            _ => None,
        };
        self.complete(layout, launch, commit, trace.pid().is_some()).await;
        fault::reach("recover.completed");
        match (trace, connection) {
            (Trace::ShimAlive(_), Some((link, welcome, heard))) => self.adopt(agent_id, link, &welcome, heard),
            (trace @ (Trace::ShimAlive(_) | Trace::ShimGone(_)), _) => {
                self.lifecycle.take(&agent_id, trace.news()).await;
                self.lifecycle.follow(agent_id, None);
            }
            (trace, _) => self.lifecycle.take(&agent_id, trace.news()).await,
        }
    }

    fn adopt(&self, agent_id: String, link: ShimLink, welcome: &Welcome, heard: mpsc::Receiver<ShimEvent>) {
        self.lifecycle.connected(&agent_id, link, welcome);
        if let Some(agent) = self.roster.get(&agent_id) {
            self.announce(Event::AgentAdopted { agent: agent.info });
        }
        self.lifecycle.follow(agent_id, Some(heard));
    }

    /// A spawn whose daemon died before the commit is committed now; a live agent whose row is gone (a manifest that was
    /// damaged and set aside) gets it back.
    async fn complete(&self, layout: AgentLayout, launch: LaunchRecord, commit: SpawnCommit, lives: bool) {
        let gate = self.gates.of_root(&launch.project_root);
        let write = move || {
            let project = ProjectLayout::new(&launch.project_root);
            for folder in [layout.root(), project.root()] {
                atomic::remove_unfinished(folder);
            }
            match (layout.committed().exists(), lives) {
                (false, _) => {
                    complete_spawn(&project, &commit)?;
                    mark_committed(&layout)
                }
                (true, true) => restore_rows(&project, &commit),
                (true, false) => Ok(()),
            }
        };
        // A task of its own: what is not waited for is written all the same.
        let written = tokio::spawn(async move {
            if let Ok(Err(error)) = Self::beside(&gate, write).await {
                tracing::error!(%error, "a spawn that the last daemon left half recorded could not be completed");
            }
        });
        let _ = tokio::time::timeout(COMPLETE_LIMIT, written).await;
    }
}

/// Notes that a spawn stands in the project's files. Losing the note costs a look into them, nothing more.
pub(super) fn mark_committed(layout: &AgentLayout) -> Result<(), crate::store::StoreError> {
    Ok(atomic::write_volatile(&layout.committed(), b"", atomic::PRIVATE_FILE)?)
}

/// The agents' folders, but for those in which nothing was begun.
fn agent_folders(agents: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(agents) else { return Vec::new() };
    entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|folder| !removed_as_stillborn(folder)).collect()
}

/// A daemon that died between making the folder and recording the launch had done nothing else for that agent. The
/// folder is empty then, or holds a record that was never finished; it goes. Any other content keeps it.
fn removed_as_stillborn(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let inside: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    let is_unfinished = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains("launch.json.") && name.ends_with(".tmp")
    };
    if !inside.iter().all(is_unfinished) {
        return false;
    }
    for path in inside {
        let _ = std::fs::remove_file(path);
    }
    std::fs::remove_dir(folder).is_ok()
}

fn read(layout: AgentLayout) -> Result<Found, String> {
    let read = fault::point("recover.read").and_then(|()| LaunchRecord::read(&layout.launch()));
    let launch = read.map_err(|e| e.to_string())?;
    let named = layout.root().file_name().map(|name| name.to_string_lossy().into_owned());
    if named.as_deref() != Some(launch.agent_id.as_str()) {
        return Err(format!("its launch.json is of agent {:?}", launch.agent_id));
    }
    let commit: SpawnCommit = serde_json::from_value(launch.commit.clone()).map_err(|e| e.to_string())?;
    let trace = Trace::of(&layout).map_err(|e| e.to_string());
    let trace = if is_of_this_boot(&launch) || layout.exit().exists() {
        trace?
    } else if matches!(trace, Ok(Trace::NeverStarted)) && has_no_trace(&layout) {
        Trace::NeverStarted
    } else {
        // Whatever a power failure has left of its other records.
        Trace::EarlierBoot
    };
    Ok(Found { layout, launch, commit, trace })
}

fn is_of_this_boot(launch: &LaunchRecord) -> bool {
    launch.boot_id == process::boot_id()
}

/// Whether neither shim nor daemon has left a word in an agent's folder. Without the folder of its output, which a shim makes
/// first of all, no agent ever ran.
fn has_no_trace(layout: &AgentLayout) -> bool {
    !layout.output().exists() && !layout.committed().exists()
}
