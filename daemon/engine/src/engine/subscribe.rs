//! `subscribe`: events of one project or of all.

use super::dispatch::Reply;
use super::failure::Failure;
use super::state::Engine;
use pu_protocol::Event;
use std::path::{Path, PathBuf};

/// Which events a subscriber wants.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    project: Option<PathBuf>,
}

impl EventFilter {
    pub fn lets_through(&self, event: &Event) -> bool {
        let Some(wanted) = &self.project else { return true };
        project_of(event).is_none_or(|root| root == wanted)
    }
}

fn project_of(event: &Event) -> Option<&Path> {
    match event {
        Event::AgentStarted { agent }
        | Event::AgentAdopted { agent }
        | Event::AgentChanged { agent }
        | Event::AgentEnded { agent } => Some(&agent.project_root),
        Event::AgentRemoved { project_root, .. } => Some(project_root),
        Event::ProjectAdded { root, .. } | Event::ProjectChanged { root, .. } | Event::SpecsChanged { root, .. } => {
            Some(root)
        }
        Event::DaemonStopping => None,
    }
}

impl Engine {
    pub(super) async fn subscribe(&self, cwd: Option<PathBuf>) -> Result<Reply, Failure> {
        let project = self.project_root(cwd).await;
        Ok(Reply::Events(self.events.subscribe(), EventFilter { project }))
    }
}
