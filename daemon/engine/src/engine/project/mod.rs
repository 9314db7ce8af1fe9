//! The projects of the registry: one file for each `project_…` request, and what several of them need.
//!
//! They tell what is known and change the registry; nothing in a project runs or is written for one.

mod add;
mod list;
mod remove;
mod scan;
mod show;

use super::failure::Failure;
use super::state::Engine;
use crate::projects::{ListedProject, ProjectState};
use pu_protocol::project::{ProjectDetail, ProjectInfo};

impl Engine {
    /// All about one project. Blocking: its configuration is read.
    fn detail(&self, listed: &ListedProject) -> ProjectDetail {
        let root = &listed.row.root;
        let agents = self.roster.list(Some(root));
        let live = agents.iter().filter(|agent| agent.state.is_live()).count();
        let objection = self.projects.objection(listed);
        let state = if objection.is_some() { ProjectState::Changed } else { listed.state };
        let objection = objection.map(|error| error.to_string());
        let condition: Vec<String> = objection.into_iter().chain(self.condition(listed)).collect();
        let (state, error) = (state.name().to_owned(), condition.first().cloned());
        ProjectDetail {
            project: ProjectInfo { state, error, ..info(listed, live) },
            ended_agents: number(agents.len() - live),
            former_roots: listed.row.former.iter().map(|former| former.root.clone()).collect(),
            condition,
        }
    }

    /// What is wrong with a project that is there.
    fn condition(&self, listed: &ListedProject) -> Vec<String> {
        if listed.state == ProjectState::Missing {
            return Vec::new();
        }
        let project = self.projects.by_root(&listed.row.root);
        // A look at it, so that what is told of it is how it stands now.
        let _ = project.config();
        self.condition_of(&project)
    }
}

/// What the registry tells of a project that has so many live agents.
fn info(listed: &ListedProject, live: usize) -> ProjectInfo {
    let row = &listed.row;
    ProjectInfo {
        root: row.root.clone(),
        name: listed.name.clone(),
        id: row.id.clone(),
        state: listed.state.name().to_owned(),
        trusted: row.trusted,
        first_seen: row.first_seen.clone(),
        last_seen: row.last_seen.clone(),
        agents: number(live),
        error: None,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
