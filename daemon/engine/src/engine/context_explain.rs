//! `context_explain`: what context a task would get, and why. Starts nothing and writes nothing.

use super::choice::{definitions, named_definition};
use super::failure::Failure;
use super::site::{changed_files_in, place_around};
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
            // Git runs programs that a repository's configuration names: for whom the user trusts and for nobody else.
            let is_trusted = projects.is_trusted(&project.root);
            let (folder, branch) = if is_trusted { place_around(&cwd, &project.root) } else { (None, None) };
            Ok((project, task, folder, branch))
        });
        let (project, task, folder, branch) = chosen.await??;
        let (asked, root) = (folder.clone(), project.root.clone());
        let changed = move || asked.map_or_else(Vec::new, |folder| changed_files_in(&folder, &root));
        let assembled = self.assemble_at(project, task, branch, folder, changed).await?;
        let text = assembled.text.filter(|_| with_text);
        Ok(Answer::ContextReport(ContextAnswer { report: assembled.report, text }))
    }

    /// Assembles the context of a task for an agent that works at `folder`, if that is there already, on `branch`; `changed`
    /// asks git what is changed there.
    ///
    /// Git takes as long as all the rest. Where it said last time that nothing has changed it mostly says so again, and what
    /// was assembled meanwhile holds.
    pub(super) async fn assemble_at(
        &self,
        project: Arc<Project>,
        task: TaskDescription,
        branch: Option<String>,
        folder: Option<PathBuf>,
        changed: impl FnOnce() -> Vec<(String, String)> + Send + 'static,
    ) -> Result<Assembled, Failure> {
        let assemble = |facts| self.assemble(Arc::clone(&project), task.clone(), facts);
        let guess_unchanged = folder.as_ref().is_none_or(|folder| !project.was_changed(folder));
        let unchanged = ProjectFacts { branch: branch.clone(), ..ProjectFacts::default() };
        let early = async { if guess_unchanged { Some(assemble(unchanged).await) } else { None } };
        let (changed_files, early) = tokio::join!(self.slowly(changed), early);
        let changed_files = changed_files?;
        if let Some(folder) = &folder {
            project.note_changed(folder, !changed_files.is_empty());
        }
        match early {
            Some(early) if changed_files.is_empty() => early,
            _ => assemble(ProjectFacts { branch, changed_files, ..ProjectFacts::default() }).await,
        }
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
