//! `pu project remove`: a project is forgotten.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::{Answer, Request};

/// Forget a project, and that it was trusted
///
/// Nothing in its folder is touched: `pu init` there makes it a trusted project again, with its history.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "rm",
    after_help = "Examples:\n  pu project remove shop\n  pu project remove ./old/shop --force"
)]
pub(crate) struct Args {
    /// Its name, a path with a / in it, or the beginning of its id.
    #[arg(value_name = "PROJECT")]
    named: String,
    /// Even while agents of it run; they run on.
    #[arg(long)]
    force: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::ProjectRemove {
            project: self.named.clone(),
            cwd: invocation.cwd(),
            force: self.force,
        })?;
        let Answer::ProjectReport(detail) = &reply.answer else {
            return Err(invocation.mismatch("project_remove", &reply.answer));
        };
        invocation.show(&reply, || render::project::removed(&detail.project))?;
        Ok(Outcome::DONE)
    }
}
