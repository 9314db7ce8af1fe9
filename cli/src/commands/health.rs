//! `pu health`: whether the daemon is well.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{count, duration};
use crate::text::printable;
use pu_protocol::answer::HealthReport;
use pu_protocol::{Answer, Request};

/// Ask the daemon whether it is well; start it if it does not run
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu health\n  pu health --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::Health)?;
        let Answer::HealthReport(report) = &reply.answer else {
            return Err(invocation.mismatch("health", &reply.answer));
        };
        invocation.show(&reply, || human(report))?;
        Ok(Outcome::DONE)
    }
}

pub(crate) fn human(report: &HealthReport) -> String {
    format!(
        "pu-engine {}{}, pid {}, up {}, protocol {}: {}, {}",
        printable(&report.engine_version),
        if report.managed { " (managed)" } else { "" },
        report.pid,
        duration(i64::try_from(report.uptime_seconds).unwrap_or(i64::MAX)),
        report.protocol_version,
        count(report.projects as usize, "project"),
        count(report.agent_count as usize, "live agent"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_one_line() {
        let report = HealthReport {
            pid: 42,
            uptime_seconds: 125,
            protocol_version: 1,
            engine_version: "0.1.0".into(),
            projects: 1,
            agent_count: 3,
            managed: false,
        };
        assert_eq!(human(&report), "pu-engine 0.1.0, pid 42, up 2m, protocol 1: 1 project, 3 live agents");
    }
}
