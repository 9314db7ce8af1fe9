//! `project_remove`: a project is forgotten, with the trust that it had. Its folder, its history and its agents stay.

use super::{Engine, Failure};
use crate::projects::ProjectError;
use pu_protocol::Answer;
use std::path::{Path, PathBuf};

impl Engine {
    pub(in crate::engine) async fn project_remove(
        &self,
        called: String,
        cwd: Option<PathBuf>,
        force: bool,
    ) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), self.projects.place_of(&called, cwd.as_deref())?);
        let removed = self.slowly_within(&folder, move || -> Result<Answer, Failure> {
            let listed = engine.projects.named(&called, cwd.as_deref())?;
            if !force {
                engine.check_no_agent_runs(&listed.row.root)?;
            }
            let was = engine.detail(&listed);
            engine.projects.remove(&listed.row.root)?;
            Ok(Answer::ProjectReport(Box::new(was)))
        });
        removed.await?
    }

    fn check_no_agent_runs(&self, root: &Path) -> Result<(), ProjectError> {
        let live = self.roster.list(Some(root)).into_iter().filter(|agent| agent.state.is_live());
        let names: Vec<String> = live.map(|agent| agent.name).collect();
        if names.is_empty() { Ok(()) } else { Err(ProjectError::AgentsRun { root: root.to_owned(), names }) }
    }
}
