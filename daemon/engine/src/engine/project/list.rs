//! `project_list`: which projects are known, by root, a page at a time.

use super::super::spec::{ROOM, first_that_fit};
use super::{Engine, Failure, info, number};
use pu_protocol::Answer;
use pu_protocol::project::ProjectInfo;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

impl Engine {
    pub(in crate::engine) async fn project_list(&self, after: Option<PathBuf>) -> Result<Answer, Failure> {
        let engine = self.clone();
        // A look at each folder, and the file system of one may be slow.
        Ok(self.slowly(move || engine.page_of_projects(after.as_deref())).await?)
    }

    fn page_of_projects(&self, after: Option<&Path>) -> Answer {
        let mut live: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for agent in self.roster.list(None).into_iter().filter(|agent| agent.state.is_live()) {
            *live.entry(agent.project_root).or_default() += 1;
        }
        let listed = self.projects.list(after);
        let total = number(self.projects.count());
        let told = listed.iter().map(|project| ProjectInfo {
            error: self.projects.fault_in_use(&project.row.root),
            ..info(project, live.get(&project.row.root).copied().unwrap_or_default())
        });
        let (projects, is_all) = first_that_fit(told, ROOM);
        let next = projects.last().filter(|_| !is_all).map(|last| last.root.clone());
        Answer::ProjectListReport { projects, total, next }
    }
}
