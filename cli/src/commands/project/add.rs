//! `pu project add`: a folder with a `.pu/` becomes known.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};
use std::path::PathBuf;

/// Make a project known that brings its .pu, without trusting it
///
/// It is listed from then on, and nothing of it acts. `pu init` makes a folder a project and trusts it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu project add\n  pu project add ~/code/shop")]
pub(crate) struct Args {
    /// The folder that holds its .pu [default: the current one].
    path: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let root = self.path.as_ref().map_or_else(|| invocation.cwd.clone(), |path| invocation.path(path));
        let reply = invocation.ask(&Request::ProjectAdd { root })?;
        let Answer::ProjectReport(detail) = &reply.answer else {
            return Err(invocation.mismatch("project_add", &reply.answer));
        };
        invocation.show(&reply, || render::project::detail(detail, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}
