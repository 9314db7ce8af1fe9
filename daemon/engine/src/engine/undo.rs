//! Taking back what a failed spawn did, last step first.
//!
//! Removes only what this spawn made. What cannot be removed is named, never forgotten.

use super::state::Engine;
use crate::agents::{AgentsError, CreatedWorktree, Git, Repository, Undone};
use crate::gates::Gate;
use crate::shims;
use crate::store::{SpawnCommit, WorktreeRow, withdraw_commit};
use pu_protocol::layout::{AgentLayout, ProjectLayout};
use pu_record::atomic;
use pu_record::launch::LaunchRecord;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an agent that must go again may take: its grace is short, it has done nothing yet.
const END_LIMIT: Duration = Duration::from_secs(10);
const GRACE_MS: u64 = 500;

#[derive(Debug)]
enum Step {
    Worktree(Box<(Repository, CreatedWorktree)>),
    Folder(PathBuf),
    Records(AgentLayout),
    Shim(AgentLayout),
    Rows(ProjectLayout, Box<SpawnCommit>),
}

/// What has been done so far.
#[derive(Debug, Default)]
pub(super) struct Undo {
    steps: Vec<Step>,
}

impl Undo {
    pub(super) fn worktree(&mut self, repository: &Repository, made: CreatedWorktree) {
        self.steps.push(Step::Worktree(Box::new((repository.clone(), made))));
    }

    /// A folder that is about to be made: half-made ones go too.
    pub(super) fn folder(&mut self, path: PathBuf) {
        self.steps.push(Step::Folder(path));
    }

    /// The agent's own folder, about to be made as well.
    pub(super) fn records(&mut self, layout: AgentLayout) {
        self.steps.push(Step::Records(layout));
    }

    pub(super) fn shim(&mut self, layout: AgentLayout) {
        self.steps.push(Step::Shim(layout));
    }

    /// The spawn is about to be written into the project's files: half of it may stand there.
    pub(super) fn rows(&mut self, project: ProjectLayout, commit: &SpawnCommit) {
        self.steps.push(Step::Rows(project, Box::new(commit.clone())));
    }

    /// The spawn is committed: nothing is taken back any more.
    pub(super) fn forget(&mut self) {
        self.steps.clear();
    }

    /// Takes everything back, in places of the project's gate; answers what could not be.
    pub(super) async fn run(self, gate: &Gate) -> Vec<String> {
        let mut left = Vec::new();
        let agent_started = self.steps.iter().any(|step| matches!(step, Step::Shim(_)));
        for step in self.steps.into_iter().rev() {
            match step {
                Step::Rows(project, commit) => {
                    let withdrawn = Engine::beside(gate, move || withdraw_commit(&project, &commit)).await;
                    left.extend(withdrawn.ok().and_then(Result::err).map(|e| format!("its records ({e})")));
                }
                Step::Shim(layout) => {
                    if let Some(alive) = end_agent(&layout).await {
                        // Without its folder nobody could ever reach it again: the next recovery takes it up.
                        left.push(alive);
                        return left;
                    }
                }
                Step::Folder(path) => {
                    let removed = Engine::beside(gate, move || remove_folder(&path)).await;
                    left.extend(removed.ok().flatten());
                }
                Step::Records(layout) => {
                    let removed = tokio::task::spawn_blocking(move || remove_records(&layout)).await;
                    left.extend(removed.ok().flatten());
                }
                Step::Worktree(made) => {
                    let undone = Engine::beside(gate, move || remove_worktree(&made.0, &made.1, agent_started)).await;
                    left.extend(undone.unwrap_or_else(|e| vec![e.to_string()]));
                }
            }
        }
        left
    }
}

/// Takes back a spawn of which only the records are left: its daemon died before the shim started. Blocking.
pub(super) fn withdraw(layout: &AgentLayout, launch: &LaunchRecord, commit: &SpawnCommit) -> Vec<String> {
    let mut left: Vec<String> = Vec::new();
    left.extend(remove_folder(&ProjectLayout::new(&launch.cwd).handed(&launch.agent_id)));
    if let Some(row) = &commit.worktree {
        match Git::in_environment(std::env::vars_os()).and_then(|git| Repository::open(git, &launch.project_root)) {
            // No shim ever said anything, so no agent ever ran there.
            Ok(repository) if layout.claimed().exists() => {
                left.extend(remove_worktree(&repository, &made_for(row, launch), false));
            }
            // The record names the worktree before it is claimed: what has that name may be somebody else's.
            Ok(repository) => {
                let planned = made_for(row, launch);
                left.extend(left_of(repository.undo_unsure_worktree(&planned), &planned));
            }
            Err(error) => left.push(format!("the worktree {} ({error})", row.name)),
        }
    }
    // Last: while this folder is there, the next recovery tries again.
    if left.is_empty() {
        left.extend(remove_records(layout));
    }
    left
}

/// Ends an agent through its shim and waits until the shim is done.
async fn end_agent(layout: &AgentLayout) -> Option<String> {
    let (link, welcome, mut heard) = match shims::connect(&layout.socket()).await {
        Ok(connection) => connection,
        // It ended by itself.
        Err(_) if layout.exit().exists() => return None,
        Err(error) => return Some(format!("the agent's process ({error})")),
    };
    let ended = async {
        link.kill(Some(GRACE_MS)).await?;
        while heard.recv().await.is_some() {}
        Ok::<(), shims::ShimError>(())
    };
    match tokio::time::timeout(END_LIMIT, ended).await {
        Ok(Ok(())) => None,
        _ => Some(format!("the agent's process {}", welcome.child_pid)),
    }
}

/// Whole: half of an agent's folder would be nobody's, for ever.
fn remove_records(layout: &AgentLayout) -> Option<String> {
    // An empty one first: to look into it takes a descriptor, of which there may be none left.
    let removed = std::fs::remove_dir(layout.root()).or_else(|_| atomic::remove_folder(layout.root()));
    removed.err().map(|error| error.to_string())
}

fn remove_folder(path: &Path) -> Option<String> {
    // An empty one first: to look into it takes a descriptor, of which there may be none left.
    let removed = std::fs::remove_dir(path).or_else(|_| std::fs::remove_dir_all(path));
    // The folder above (`run/`) goes too if nobody else is in it; that it is not empty is no failure.
    if let Some(above) = path.parent().filter(|above| above.ends_with("run")) {
        let _ = std::fs::remove_dir(above);
    }
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Some(format!("{} ({error})", path.display())),
        _ => None,
    }
}

fn made_for(row: &WorktreeRow, launch: &LaunchRecord) -> CreatedWorktree {
    CreatedWorktree {
        name: row.name.clone(),
        branch: row.branch.clone(),
        path: ProjectLayout::new(&launch.project_root).worktree(&row.name),
        workdir: launch.cwd.clone(),
        base: row.base.clone(),
    }
}

fn remove_worktree(repository: &Repository, made: &CreatedWorktree, agent_started: bool) -> Vec<String> {
    left_of(repository.undo_worktree(made, agent_started), made)
}

/// What is left of a worktree that was to be undone.
fn left_of(undone: Result<Undone, AgentsError>, made: &CreatedWorktree) -> Vec<String> {
    match undone {
        Ok(undone) => undone.kept,
        Err(error) => vec![format!("the worktree {} ({error})", made.path.display())],
    }
}
