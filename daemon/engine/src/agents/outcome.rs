//! What came of an agent's task, from its records, for whoever ranks specs for later tasks.
//!
//! It is kept only where the project learns. That it cannot be kept is logged and holds nothing up.

use crate::store::{Outcome, SpawnCommit, TouchedFile, record_outcome};
use pu_protocol::layout::ProjectLayout;
use pu_record::launch::LaunchRecord;
use serde::Deserialize as _;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Says of a project, by its root, whether it learns, as its configuration stands then. Blocking.
#[derive(Clone)]
pub struct LearnSwitch(Arc<dyn Fn(&Path) -> bool + Send + Sync>);

impl fmt::Debug for LearnSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LearnSwitch")
    }
}

impl LearnSwitch {
    pub fn new(is_on: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is_on))
    }

    fn is_on(&self, root: &Path) -> bool {
        (self.0)(root)
    }
}

/// Keeps what came of an agent's task, if its project learns. Blocking.
pub(super) fn keep_outcome(switch: &LearnSwitch, launch: &LaunchRecord, touched: &[TouchedFile]) {
    if !switch.is_on(&launch.project_root) {
        return;
    }
    let Some(mut outcome) = outcome_so_far(launch) else { return };
    outcome.touched = touched.iter().map(|file| file.path.clone()).collect();
    if let Err(error) = record_outcome(&ProjectLayout::new(&launch.project_root), outcome) {
        tracing::warn!(agent = launch.agent_id, %error, "what came of a task is not kept");
    }
}

/// What is known of an agent's task before its end; `None` for one that was given none.
pub fn outcome_so_far(launch: &LaunchRecord) -> Option<Outcome> {
    let commit = SpawnCommit::deserialize(&launch.commit).ok().filter(|commit| !commit.prompt.trim().is_empty())?;
    let mut given: Vec<String> = Vec::new();
    for pick in commit.context.picks {
        if !given.contains(&pick.spec) {
            given.push(pick.spec);
        }
    }
    Some(Outcome {
        // A task that goes on is not a second one.
        agent_id: commit.first_life.unwrap_or_else(|| launch.agent_id.clone()),
        name: launch.name.clone(),
        at: launch.created_at.clone(),
        prompt: commit.prompt,
        tags: commit.tags,
        given,
        asked_for: commit.specs,
        ..Outcome::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{AgentRow, read_outcomes};
    use pu_protocol::context::{ContextReport, Pick};

    fn launch(root: &Path, prompt: &str) -> LaunchRecord {
        let pick = |section: &str| Pick { spec: "LEDGER".into(), section: Some(section.into()), ..Pick::default() };
        let commit = SpawnCommit {
            agent: AgentRow { agent_id: "a1".into(), ..AgentRow::default() },
            prompt: prompt.into(),
            specs: vec!["LEDGER-001".into()],
            context: ContextReport { picks: vec![pick("x"), pick("y")], ..ContextReport::default() },
            ..SpawnCommit::default()
        };
        LaunchRecord {
            agent_id: "a1".into(),
            project_root: root.to_owned(),
            commit: serde_json::to_value(commit).unwrap(),
            ..LaunchRecord::default()
        }
    }

    #[test]
    fn what_came_of_a_task_is_kept_where_the_switch_is_on() {
        let folder = tempfile::tempdir().unwrap();
        let project = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(project.root()).unwrap();
        let touched = [TouchedFile { path: "src/a.rs".into(), status: "added".into() }];
        let launch = launch(folder.path(), "round it");
        keep_outcome(&LearnSwitch::new(|_| false), &launch, &touched);
        assert!(!project.state().exists());
        let root = folder.path().to_owned();
        keep_outcome(&LearnSwitch::new(move |asked| asked == root), &launch, &touched);
        let tasks = read_outcomes(&project).unwrap().tasks;
        let expected = Outcome {
            agent_id: "a1".into(),
            prompt: "round it".into(),
            given: vec!["LEDGER".into()],
            asked_for: vec!["LEDGER-001".into()],
            touched: vec!["src/a.rs".into()],
            ..Outcome::default()
        };
        assert_eq!(tasks, [expected]);
    }

    #[test]
    fn what_comes_of_an_agent_that_was_resumed_is_of_its_first_task() {
        let mut launch = launch(Path::new("/p"), "round it");
        launch.commit["first_life"] = "a0".into();
        assert_eq!(outcome_so_far(&launch).unwrap().agent_id, "a0");
    }

    #[test]
    fn without_a_task_there_is_nothing_to_keep() {
        assert_eq!(outcome_so_far(&launch(Path::new("/p"), " \n")), None);
        assert_eq!(outcome_so_far(&LaunchRecord::default()), None);
    }
}
