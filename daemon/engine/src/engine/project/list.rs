//! `project_list`: which projects are known, by root, a page at a time.

use super::super::glances::PATIENCE;
use super::super::spec::{ROOM, first_that_fit};
use super::{Engine, Failure, info, number};
use crate::projects::ListedProject;
use crate::store::ProjectRow;
use pu_protocol::Answer;
use pu_protocol::project::ProjectInfo;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What is told of one whose folder could not be looked at in time.
const SILENT: &str = "its file system does not answer: this is what was known of it";

impl Engine {
    pub(in crate::engine) async fn project_list(&self, after: Option<PathBuf>) -> Result<Answer, Failure> {
        let rows: Arc<[ProjectRow]> = self.projects.rows(after.as_deref()).into();
        let projects = self.projects.clone();
        // A look at each folder: the file system of one may hang, and holds up no other.
        let look = move |row: &ProjectRow| (ListedProject::of(row.clone()), projects.fault_in_use(&row.root));
        let seen = self.glances.at_all(&rows, PATIENCE, look).await;
        let told = rows
            .iter()
            .zip(seen)
            .map(|(row, seen)| seen.unwrap_or_else(|| (ListedProject::unseen(row.clone()), Some(SILENT.to_owned()))));
        Ok(self.page_of_projects(told))
    }

    fn page_of_projects(&self, listed: impl Iterator<Item = (ListedProject, Option<String>)>) -> Answer {
        let mut live: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for agent in self.roster.list(None).into_iter().filter(|agent| agent.state.is_live()) {
            *live.entry(agent.project_root).or_default() += 1;
        }
        let total = number(self.projects.count());
        let told = listed.map(|(project, error)| ProjectInfo {
            error,
            ..info(&project, live.get(&project.row.root).copied().unwrap_or_default())
        });
        let (projects, is_all) = first_that_fit(told, ROOM);
        let next = projects.last().filter(|_| !is_all).map(|last| last.root.clone());
        Answer::ProjectListReport { projects, total, next }
    }
}
