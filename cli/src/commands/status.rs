//! `pu status`: which agents there are.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// List the agents of this project, or of all
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls", after_help = "Examples:\n  pu status\n  pu status --all-projects --json")]
pub(crate) struct Args {
    /// The agents of all projects.
    #[arg(long)]
    all_projects: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let cwd = invocation.cwd();
        let reply = invocation.ask(&Request::Status { cwd, all_projects: self.all_projects })?;
        let Answer::StatusReport(report) = &reply.answer else {
            return Err(invocation.mismatch("status", &reply.answer));
        };
        let all = self.all_projects;
        invocation.show(&reply, || render::agents::status(report, all, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}
