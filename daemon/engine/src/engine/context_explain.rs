//! `context_explain`: what context a task would get, and why. Starts nothing and writes nothing.

use super::failure::Failure;
use super::state::Engine;
use crate::context::{Assembled, ProjectFacts, ProjectSpecs};
use crate::projects::Project;
use pu_protocol::Answer;
use pu_protocol::answer::ContextAnswer;
use pu_protocol::context::TaskDescription;
use std::path::PathBuf;
use std::sync::Arc;

impl Engine {
    pub(super) async fn context_explain(
        &self,
        cwd: PathBuf,
        task: TaskDescription,
        with_text: bool,
    ) -> Result<Answer, Failure> {
        let projects = self.projects.clone();
        let project = tokio::task::spawn_blocking(move || projects.readable(&cwd)).await??;
        let assembled = self.assemble(project, task, ProjectFacts::default()).await?;
        let text = assembled.text.filter(|_| with_text);
        Ok(Answer::ContextReport(ContextAnswer { report: assembled.report, text }))
    }

    /// Assembles the context of a task in a project, off the event loop.
    pub(super) async fn assemble(
        &self,
        project: Arc<Project>,
        task: TaskDescription,
        facts: ProjectFacts,
    ) -> Result<Assembled, Failure> {
        let context = Arc::clone(&self.context);
        tokio::task::spawn_blocking(move || {
            let config = project.config()?;
            let specs = ProjectSpecs {
                root: project.root.clone(),
                index: project.index()?,
                plugins: project.layout.plugins(),
                config: config.context.clone(),
            };
            Ok(context.assemble(&specs, &task, &facts)?)
        })
        .await?
    }
}
