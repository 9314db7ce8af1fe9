//! `pu project show`: one project.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// Show a project: where it is, whether it may act, its agents, what is wrong with it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu project show\n  pu project show shop --json")]
pub(crate) struct Args {
    /// Its name, a path with a / in it, or the beginning of its id [default: the project of the current folder].
    #[arg(value_name = "PROJECT")]
    named: Option<String>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::ProjectShow { project: self.named.clone(), cwd: invocation.cwd() })?;
        let Answer::ProjectReport(detail) = &reply.answer else {
            return Err(invocation.mismatch("project_show", &reply.answer));
        };
        invocation.show(&reply, || render::project::detail(detail, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}
