//! The projects of the registry: one file for each `project_…` request, and what several of them need.
//!
//! They tell what is known and change the registry; nothing in a project runs or is written for one.

mod add;
mod list;
mod remove;
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
        let condition = self.condition(listed);
        ProjectDetail {
            project: ProjectInfo { error: condition.first().cloned(), ..info(listed, live) },
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
        self.projects.by_root(&listed.row.root).config_fault().into_iter().collect()
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
