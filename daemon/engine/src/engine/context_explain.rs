//! `context_explain`: what context a task would get, and why. Starts nothing and writes nothing.

use super::choice::{definitions, named_definition};
use super::failure::Failure;
use super::site::facts_around;
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
        mut task: TaskDescription,
        with_text: bool,
    ) -> Result<Answer, Failure> {
        let projects = self.projects.clone();
        let chosen = self.slowly(move || -> Result<_, Failure> {
            let project = projects.readable(&cwd)?;
            let config = project.config()?;
            let definitions = definitions(&config)?;
            // Which agents are installed is known by the caller's environment only, which an explanation does not ask for.
            let named = named_definition(&definitions, task.agent.as_deref(), &config)?;
            task.agent = named.map(|definition| definition.name.clone());
            // As for an agent that is started right here: a worktree of its own would have changed nothing yet.
            let facts = facts_around(&cwd, &project.root);
            Ok((project, task, facts))
        });
        let (project, task, facts) = chosen.await??;
        let assembled = self.assemble(project, task, facts).await?;
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
            let specs = specs_of(&project)?;
            Ok(context.assemble(&specs, &task, &facts)?)
        })
        .await?
    }
}

/// What of a project an assembly works on. Blocking.
pub(super) fn specs_of(project: &Project) -> Result<ProjectSpecs, Failure> {
    Ok(ProjectSpecs {
        root: project.root.clone(),
        index: project.index()?,
        plugins: project.layout.plugins(),
        config: project.config()?.context.clone(),
    })
}
