//! `context_explain`: what context a task would get, and why. Starts nothing and writes nothing.

use super::choice::{definitions, named_definition};
use super::failure::Failure;
use super::site::{changed_files_in, place_around};
use super::state::Engine;
use crate::context::{Assembled, ProjectFacts, ProjectSpecs};
use crate::projects::{Config, Project};
use pu_protocol::answer::ContextAnswer;
use pu_protocol::context::{ContextReport, TaskDescription};
use pu_protocol::{Answer, LINE_MAX};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a line that candidates leave free: what stands around the answer, and the word that some are missing.
const SPARE: usize = 1024;

/// What is asked for besides the place: the request says what each is.
pub(super) struct Asked {
    pub(super) task: TaskDescription,
    pub(super) with_text: bool,
    pub(super) specs: Option<PathBuf>,
    pub(super) chain: Option<Vec<String>>,
    pub(super) ranking: bool,
    pub(super) expected: Vec<String>,
}

impl Engine {
    pub(super) async fn context_explain(&self, cwd: PathBuf, asked: Asked) -> Result<Answer, Failure> {
        let Asked { mut task, with_text, specs: folder, chain, ranking, expected } = asked;
        let (engine, stands_in) = (self.clone(), cwd.clone());
        let chosen = self.slowly_within(&cwd, move || -> Result<_, Failure> {
            let project = engine.projects.readable(&stands_in)?;
            let config = engine.projects.allowed_config(&project)?;
            let definitions = definitions(&config)?;
            // Which agents are installed is known by the caller's environment only, which an explanation does not ask for.
            let named = named_definition(&definitions, task.agent.as_deref(), &config)?;
            task.agent = named.map(|definition| definition.name.clone());
            let (held, mut specs) = match &folder {
                None => (None, specs_of(&project, &config)?),
                Some(folder) => engine.specs_in(folder, &project, &config).map(|(held, specs)| (Some(held), specs))?,
            };
            specs.config.only = chain;
            // What is scored is the chain, and a commit is often the very task.
            specs.config.learn &= folder.is_none() && !ranking;
            // As for an agent that is started right here: a worktree of its own would have changed nothing yet.
            // Git runs programs that a repository's configuration names: for whom the user trusts and for nobody else.
            let is_here = folder.is_none() && !ranking && engine.projects.is_trusted(&project.root);
            let (place, branch) = if is_here { place_around(&stands_in, &project.root) } else { (None, None) };
            let fault = project.config_fault();
            Ok((project, held, specs, task, place, branch, fault))
        });
        let (project, held, specs, task, place, branch, fault) = chosen.await??;
        if place.is_some() {
            self.look_back(&project);
        }
        let index = Arc::clone(&specs.index);
        let (asked, root) = (place.clone(), project.root.clone());
        let changed = move || asked.map_or_else(Vec::new, |folder| changed_files_in(&folder, &root));
        let assembled = self.assemble_at(&project, move || Ok(specs.clone()), task, branch, place, changed).await;
        if let Some(held) = held {
            Self::keep(held);
        }
        let mut assembled = assembled?;
        // An index may have been built meanwhile, and something pulled: what was not allowed says nothing.
        let (projects, root) = (self.projects.clone(), project.root.clone());
        self.within(&project.root, move || projects.check_unchanged(&root)).await??;
        assembled.report.warnings.extend(fault);
        let catalog = index.catalog();
        let is_unknown = |path: &String| catalog.find(path).is_none_or(|spec| spec.path != *path);
        let unknown = expected.into_iter().filter(is_unknown).collect();
        let text = assembled.text.filter(|_| with_text);
        let mut answer = ContextAnswer { report: assembled.report, text, unknown };
        if ranking {
            strip(&mut answer.report);
        }
        fit_line(&mut answer, LINE_MAX - SPARE);
        Ok(Answer::ContextReport(answer))
    }

    /// Assembles the context of a task for an agent that works at `folder`, if that is there already, on `branch`; `changed`
    /// asks git what is changed there, and `specs` says, on a blocking thread, what the assembly works on.
    ///
    /// Git takes as long as all the rest. Where it said last time that nothing has changed it mostly says so again, and what
    /// was assembled meanwhile holds.
    pub(super) async fn assemble_at(
        &self,
        project: &Project,
        specs: impl Fn() -> Result<ProjectSpecs, Failure> + Clone + Send + Sync + 'static,
        task: TaskDescription,
        branch: Option<String>,
        folder: Option<PathBuf>,
        changed: impl FnOnce() -> Vec<(String, String)> + Send + 'static,
    ) -> Result<Assembled, Failure> {
        let assemble = |facts| self.assemble(&project.root, specs.clone(), task.clone(), facts);
        let guess_unchanged = folder.as_ref().is_none_or(|folder| !project.was_changed(folder));
        let unchanged = ProjectFacts { branch: branch.clone(), ..ProjectFacts::default() };
        let early = async { if guess_unchanged { Some(assemble(unchanged).await) } else { None } };
        let (changed_files, early) = tokio::join!(self.slowly_within(&project.root, changed), early);
        let changed_files = changed_files?;
        if let Some(folder) = &folder {
            project.note_changed(folder, !changed_files.is_empty());
        }
        match early {
            Some(early) if changed_files.is_empty() => early,
            _ => assemble(ProjectFacts { branch, changed_files, ..ProjectFacts::default() }).await,
        }
    }

    /// Assembles the context of a task, off the event loop.
    async fn assemble(
        &self,
        root: &Path,
        specs: impl FnOnce() -> Result<ProjectSpecs, Failure> + Send + 'static,
        task: TaskDescription,
        facts: ProjectFacts,
    ) -> Result<Assembled, Failure> {
        let context = Arc::clone(&self.context);
        self.within(root, move || Ok(context.assemble(&specs()?, &task, &facts)?)).await?
    }
}

/// Takes out what only people read.
fn strip(report: &mut ContextReport) {
    report.rules.clear();
    for candidate in report.candidates.iter_mut().flatten() {
        candidate.title.clear();
        candidate.pick.reason.clear();
    }
    for assembler in &mut report.assemblers {
        assembler.notes.clear();
        assembler.log.clear();
    }
}

/// Leaves as many candidates, the best, as there is room for, and says how many are missing.
fn fit_line(answer: &mut ContextAnswer, room: usize) {
    let Some(mut candidates) = answer.report.candidates.take() else { return };
    let mut left = room.saturating_sub(size(&*answer));
    let first = candidates.iter().take_while(|candidate| {
        // The comma behind it.
        let takes = size(candidate) + 1;
        let fits = takes <= left;
        left = left.saturating_sub(takes);
        fits
    });
    let fit = first.count();
    if fit < candidates.len() {
        let missing = candidates.len() - fit;
        let told = format!("{missing} more candidates are not listed: the answer has no room for them");
        answer.report.warnings.push(told);
        candidates.truncate(fit);
    }
    answer.report.candidates = Some(candidates);
}

fn size(part: &impl Serialize) -> usize {
    serde_json::to_vec(part).map_or(0, |json| json.len())
}

/// What of a project an assembly works on, with this configuration of it. Blocking.
pub(super) fn specs_of(project: &Project, config: &Config) -> Result<ProjectSpecs, Failure> {
    Ok(ProjectSpecs {
        root: project.root.clone(),
        index: project.index()?,
        plugins: project.layout.plugins(),
        config: config.context.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::AnswerLine;
    use pu_protocol::context::{Candidate, Pick};

    fn answer(candidates: usize) -> ContextAnswer {
        let pick =
            |i: usize| Pick { path: format!("specs/{i:04}.md"), reason: "\"quoted\" ".repeat(30), ..Pick::default() };
        let candidate = |i| Candidate { pick: pick(i), title: "A title".into(), ..Candidate::default() };
        let candidates = Some((0..candidates).map(candidate).collect());
        let report = ContextReport { candidates, ..ContextReport::default() };
        ContextAnswer { report, text: Some("\"text\"\n".repeat(1000)), unknown: vec!["specs/x.md".into()] }
    }

    #[test]
    fn an_answer_fits_a_line_whatever_was_proposed() {
        for (room, whole) in [(1_000_000, true), (100_000, false), (14_000, false), (0, false)] {
            let mut fitted = answer(400);
            fit_line(&mut fitted, room);
            let listed = fitted.report.candidates.as_ref().unwrap().len();
            assert_eq!((listed == 400, fitted.report.warnings.is_empty()), (whole, whole), "{room}: {listed}");
            let line = AnswerLine { id: None, answer: Answer::ContextReport(fitted) };
            assert!(listed == 0 || serde_json::to_vec(&line).unwrap().len() < room + SPARE, "{room}");
        }
    }

    #[test]
    fn of_a_ranking_only_what_is_scored_is_sent() {
        let mut report = answer(3).report;
        report.picks = vec![Pick { reason: "in".into(), ..Pick::default() }];
        strip(&mut report);
        let candidates = report.candidates.unwrap();
        assert!(candidates.iter().all(|c| c.title.is_empty() && c.pick.reason.is_empty()));
        assert_eq!((candidates[2].pick.path.as_str(), report.picks[0].reason.as_str()), ("specs/0002.md", "in"));
    }
}
