//! `status`: the agents of one project or of all.

use super::failure::Failure;
use super::state::Engine;
use pu_protocol::Answer;
use pu_protocol::answer::StatusReport;
use std::path::PathBuf;

impl Engine {
    /// Outside every project all agents are shown: nobody asks for nothing.
    pub(super) async fn status(&self, cwd: Option<PathBuf>, all_projects: bool) -> Result<Answer, Failure> {
        let project = if all_projects { None } else { self.project_root(cwd).await };
        let agents = self.roster.list(project.as_deref());
        Ok(Answer::StatusReport(StatusReport { agents, unrecognised: self.unrecognised.borrow().clone() }))
    }
}
