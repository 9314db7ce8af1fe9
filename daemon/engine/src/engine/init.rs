//! `init`: a folder becomes a project that its user trusts.

use super::context_learned::look;
use super::failure::Failure;
use super::state::Engine;
use super::trust::told;
use crate::projects::ProjectError;
use pu_protocol::Answer;
use pu_protocol::answer::InitReport;
use std::path::PathBuf;
use std::sync::Arc;

impl Engine {
    pub(super) async fn init(&self, root: PathBuf) -> Result<Answer, Failure> {
        let (projects, context) = (self.projects.clone(), Arc::clone(&self.context));
        tokio::task::spawn_blocking(move || {
            let initialised = projects.init(&root)?;
            let project = initialised.project;
            let allowed = told(&projects.standing(&project.root)?.parts);
            let index = project.index()?;
            index.fresh().map_err(|source| ProjectError::Index { root: project.root.clone(), source })?;
            // So that the first task has all there is to learn from.
            look(&context, &project, true);
            Ok(Answer::InitReport(InitReport {
                root: project.root.clone(),
                name: project.name.clone(),
                created: initialised.created,
                specs: u32::try_from(index.catalog().specs().len()).unwrap_or(u32::MAX),
                allowed,
                skipped: index.skipped().iter().map(|file| format!("{}: {}", file.path, file.reason)).collect(),
            }))
        })
        .await?
    }
}
