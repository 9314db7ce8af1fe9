//! A project's history as runs: each spawn with its end.
//!
//! Reads only. What a line has that is not told here, the candidates of a context above all, is let go at once.

use super::history::{HistoryEntry, TouchedFile, each_line};
use super::{AgentRow, StoreError};
use pu_protocol::AgentState;
use pu_protocol::context::ContextReport;
use pu_protocol::layout::ProjectLayout;
use std::collections::HashMap;

/// One life of an agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub agent: AgentRow,
    /// RFC 3339.
    pub at: String,
    pub prompt: String,
    pub tags: Vec<String>,
    /// Without candidates, and without the rule files that it has not.
    pub context: ContextReport,
    /// `None` where no end is told.
    pub end: Option<RunEnded>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RunEnded {
    pub at: String,
    pub state: AgentState,
    pub touched: Vec<TouchedFile>,
}

/// All runs that a history tells of, the newest first.
pub fn read_runs(project: &ProjectLayout) -> Result<Vec<Run>, StoreError> {
    let (mut runs, mut places) = (Vec::<Run>::new(), HashMap::<String, usize>::new());
    each_line(project, |line| match serde_json::from_slice(line) {
        Ok(HistoryEntry::Spawned { at, agent, prompt, tags, context, .. }) => {
            // A spawn that was interrupted may have been written twice.
            let place = *places.entry(agent.agent_id.clone()).or_insert(runs.len());
            if place == runs.len() {
                let mut context = *context;
                context.candidates = None;
                context.rules.clear();
                runs.push(Run { agent, at, prompt, tags, context, end: None });
            }
        }
        Ok(HistoryEntry::Ended { at, agent_id, state, touched, .. }) => {
            if let Some(run) = places.get(&agent_id).and_then(|place| runs.get_mut(*place)) {
                run.end = Some(RunEnded { at, state, touched });
            }
        }
        // Cut off by a full disk, or of a newer release.
        Err(_) => {}
    })?;
    runs.reverse();
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::context::Candidate;
    use pu_record::atomic;

    #[test]
    fn each_spawn_is_told_with_its_end_the_newest_first_whatever_file_it_is_in() {
        let folder = tempfile::tempdir().unwrap();
        let project = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(project.root()).unwrap();
        assert_eq!(read_runs(&project).unwrap(), []);
        let spawned = |id: &str| {
            let context = ContextReport { candidates: Some(vec![Candidate::default()]), ..ContextReport::default() };
            let entry = HistoryEntry::Spawned {
                at: "2026-01-01T00:00:00Z".into(),
                agent: AgentRow { agent_id: id.into(), ..AgentRow::default() },
                prompt: format!("task {id}"),
                tags: Vec::new(),
                context: Box::new(context),
                worktree: None,
            };
            serde_json::to_string(&entry).unwrap()
        };
        let ended = r#"{"kind":"ended","at":"2026-01-02T00:00:00Z","agent_id":"one","name":"","state":{"state":"lost","reason":"r"}}"#;
        atomic::append_line(&project.older_history(), &spawned("one")).unwrap();
        for line in [ended, "{\"kind\":\"spaw", "{\"kind\":\"of_next_year\"}", &spawned("two"), &spawned("two")] {
            atomic::append_line(&project.history(), line).unwrap();
        }
        let runs = read_runs(&project).unwrap();
        let ids: Vec<&str> = runs.iter().map(|run| run.agent.agent_id.as_str()).collect();
        assert_eq!(ids, ["two", "one"]);
        assert_eq!((runs[0].end.is_none(), runs[1].end.as_ref().map(|end| end.state.name())), (true, Some("lost")));
        assert_eq!((runs[0].prompt.as_str(), &runs[0].context.candidates), ("task two", &None));
    }
}
