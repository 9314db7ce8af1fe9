//! `pu plugin remove`: a plugin leaves the project.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::{Answer, Request};

/// Take a plugin out of the project: its file, its pin, its place in the chain
#[derive(Debug, clap::Args)]
#[command(visible_alias = "rm", after_help = "Examples:\n  pu plugin remove ledger")]
pub(crate) struct Args {
    /// Its name in this project.
    name: String,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::PluginRemove { cwd: invocation.cwd.clone(), name: self.name.clone() })?;
        let Answer::PluginChanged { plugin, changed } = &reply.answer else {
            return Err(invocation.mismatch("plugin_remove", &reply.answer));
        };
        invocation.show(&reply, || render::plugin::changed("removed", plugin, changed, invocation.style))?;
        Ok(Outcome::DONE)
    }
}
