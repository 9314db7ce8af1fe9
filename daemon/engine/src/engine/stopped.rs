//! Agents that are ended with their daemon: noted in their projects' manifests before, so that a later one knows whom to
//! let go on.
//!
//! Notes only; who ends agents is `kill`'s affair, and how they go on `resume`'s. What cannot be noted is logged: the agent
//! can still be resumed by its name.

use super::resume::How;
use super::state::Engine;
use crate::store::{Manifest, StoppedRow, read_manifest, update_manifest};
use pu_protocol::layout::ProjectLayout;
use pu_protocol::{AgentInfo, AgentState};
use pu_record::timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// A project that does not answer keeps the others waiting no longer than this; its agents can be resumed by name.
const NOTE_LIMIT: Duration = Duration::from_secs(15);

impl Engine {
    /// Notes agents that are about to be ended.
    pub(super) async fn note_stopped(&self, live: &[AgentInfo]) {
        let managed = self.options.managed;
        let rows = live.iter().map(|info| {
            let (agent_id, name) = (info.agent_id.clone(), info.name.clone());
            (
                info.project_root.clone(),
                StoppedRow { agent_id, name, at: timestamp::now(), managed, ..StoppedRow::default() },
            )
        });
        let mut by_project: BTreeMap<PathBuf, Vec<StoppedRow>> = BTreeMap::new();
        for (root, row) in rows {
            by_project.entry(root).or_default().push(row);
        }
        let mut noting = JoinSet::new();
        for (root, rows) in by_project {
            let gate = self.gates.of_root(&root);
            noting.spawn(async move {
                let noted = Self::beside(&gate, move || {
                    let updated = update_manifest(&ProjectLayout::new(&root), |manifest| {
                        rows.into_iter().for_each(|row| manifest.put_stopped(row));
                    });
                    told(&root, updated);
                });
                // A panic of ours is in the log.
                let _ = tokio::time::timeout(NOTE_LIMIT, noted).await;
            });
        }
        noting.join_all().await;
    }

    /// Takes the note back of those that ended by themselves just then, or have not ended.
    pub(super) async fn forget_unstopped(&self, noted: &[AgentInfo]) {
        let was_stopped = |info: &&AgentInfo| {
            self.roster.get(&info.agent_id).is_some_and(|agent| matches!(agent.info.state, AgentState::Killed { .. }))
        };
        let others: Vec<AgentInfo> = noted.iter().filter(|info| !was_stopped(info)).cloned().collect();
        for info in others {
            self.forget_stopped(&ProjectLayout::new(&info.project_root), &info.agent_id).await;
        }
    }

    /// Takes the note of an agent back, if there is one.
    pub(super) async fn forget_stopped(&self, project: &ProjectLayout, agent_id: &str) {
        let (project, agent_id) = (project.clone(), agent_id.to_owned());
        let gate = self.gates.of(project.root());
        let forgotten = Self::beside(&gate, move || {
            let updated = update_manifest(&project, |manifest| manifest.remove_stopped(&agent_id));
            told(project.root(), updated);
        });
        let _ = tokio::time::timeout(NOTE_LIMIT, forgotten).await;
    }

    /// Which of these agents were ended with their daemon, each with whether that was an application's.
    pub(super) async fn stopped(&self, ended: &[AgentInfo]) -> BTreeMap<String, bool> {
        let roots: BTreeSet<PathBuf> = ended.iter().map(|info| info.project_root.clone()).collect();
        let mut reading = JoinSet::new();
        for root in roots {
            let gate = self.gates.of_root(&root);
            reading.spawn(async move {
                let read = Self::beside(&gate, move || {
                    let read = read_manifest(&ProjectLayout::new(&root));
                    read.unwrap_or_else(|error| {
                        told(&root, Err(error));
                        Manifest::default()
                    })
                });
                tokio::time::timeout(NOTE_LIMIT, read).await.ok().and_then(Result::ok).unwrap_or_default().stopped
            });
        }
        let rows = reading.join_all().await.into_iter().flatten();
        rows.map(|row| (row.agent_id, row.managed)).collect()
    }

    /// Lets those agents go on, in this daemon's environment, that an application's daemon ended when it was stopped.
    pub async fn resume_stopped(&self) {
        let _spawning = self.begin_spawn();
        if let Err(failure) = self.all_read().await {
            return failure.log("resume");
        }
        let env =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let how = Arc::new(How { env: env.collect(), ..How::default() });
        let roots: BTreeSet<PathBuf> = self.roster.list(None).into_iter().map(|info| info.project_root).collect();
        let mut going = JoinSet::new();
        for root in roots {
            let (engine, how) = (self.clone(), Arc::clone(&how));
            going.spawn(async move { Box::pin(engine.resume_stopped_in(&root, &how)).await });
        }
        // A panic of ours is in the log.
        while going.join_next().await.is_some() {}
    }

    async fn resume_stopped_in(&self, root: &Path, how: &Arc<How>) {
        if let Err(failure) = self.settled_in(root).await {
            return failure.log("resume");
        }
        if self.is_closing() {
            return;
        }
        let all = self.roster.list(Some(root));
        let ended: Vec<AgentInfo> = all.into_iter().filter(|info| !info.state.is_live()).collect();
        let stopped = self.stopped(&ended).await;
        let goes_on = |info: &AgentInfo| {
            stopped.get(&info.agent_id) == Some(&true) && !self.roster.is_earlier_life(&info.agent_id)
        };
        let (meant, commands) = self.without_commands(ended.into_iter().filter(goes_on).collect());
        for command in commands {
            // Its note stays: `pu resume --all` tells of it.
            tracing::info!(agent = command.name, "a shell command is not run a second time unasked");
        }
        if meant.is_empty() {
            return;
        }
        let (resumed, failed) = self.resume_each(meant, how).await;
        tracing::info!(project = %root.display(), resumed = resumed.len(), failed = failed.len(), "agents of the last daemon go on");
    }
}

fn told(root: &Path, outcome: Result<(), crate::store::StoreError>) {
    if let Err(error) = outcome {
        tracing::warn!(project = %root.display(), %error, "which agents were ended with their daemon is not on record");
    }
}
