//! What follows when a project was moved: ends of its agents that could not be written meanwhile are, and git is told where
//! its worktrees are.
//!
//! Nothing of this can fail the move: what cannot be done is logged, and done at the next start of a daemon, or by hand.

use super::registry::Projects;
use super::root;
use crate::agents::{Git, Repository};
use crate::store::commit_end;
use jiff::Timestamp;
use pu_protocol::AgentInfo;
use pu_protocol::layout::ProjectLayout;
use std::path::{Path, PathBuf};

impl Projects {
    /// Where the project lies by now in which something was started at `root` at that time (RFC 3339), if it was moved
    /// since.
    pub fn moved_since(&self, root: &Path, at: &str) -> Option<PathBuf> {
        let at = at.parse::<Timestamp>().ok()?;
        self.lock().registry.moved_since(root, at).map(Path::to_owned)
    }

    /// Blocking. Nothing is run or written in a project that its user does not trust.
    pub(super) fn after_moves<'m>(&self, moved_to: impl Iterator<Item = &'m Path>, ended: &[AgentInfo]) {
        for root in moved_to.filter(|root| root::is_project(root) && self.is_trusted(root)) {
            tracing::info!(root = %root.display(), "a project was moved here");
            let project = ProjectLayout::new(root);
            for info in ended.iter().filter(|info| info.project_root == root) {
                // What it touched is not known any more.
                if let Err(error) = commit_end(&project, &info.agent_id, &info.name, &info.state, Vec::new) {
                    tracing::warn!(agent = info.agent_id, %error, "an agent's end could not be written into its project");
                }
            }
            let repository = Git::in_environment(std::env::vars_os()).and_then(|git| Repository::open(git, root));
            // Without a repository there are no worktrees.
            if let Ok(repository) = repository
                && let Err(error) = repository.repair_worktrees()
            {
                tracing::warn!(root = %root.display(), %error, "`git worktree repair` is needed, and failed");
            }
        }
    }
}
