//! `pu untrust`: nothing more of a project acts.

use super::trust::report_of;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::Request;

/// Take back what `pu trust` or `pu init` allowed
///
/// Nothing more of the project acts: no plugin, no agent definition, no spec of it reaches an agent. Agents that run go on:
/// `pu kill` ends them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu untrust\n  pu -C ~/work/shop untrust")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::Untrust { cwd: invocation.cwd.clone() })?;
        let report = report_of(&reply.answer, "untrust", invocation)?;
        invocation.show(&reply, || render::trust::done(report))?;
        Ok(Outcome::DONE)
    }
}
