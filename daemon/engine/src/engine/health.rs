//! `health`.

use super::state::Engine;
use pu_protocol::answer::HealthReport;
use pu_protocol::{Answer, PROTOCOL_VERSION};

impl Engine {
    pub(super) fn health(&self) -> Answer {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Answer::HealthReport(HealthReport {
            pid: std::process::id(),
            uptime_seconds: self.started.elapsed().as_secs(),
            protocol_version: PROTOCOL_VERSION,
            engine_version: env!("CARGO_PKG_VERSION").into(),
            projects: count(self.projects.count()),
            agent_count: count(self.roster.live_count()),
            managed: self.options.managed,
        })
    }
}
