//! `pu plugin inspect`: what a plugin is and can reach, without running it.

use super::named;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::{Answer, Request};

/// Show what a plugin is, what it can reach and how it is configured; runs nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu plugin inspect keyword
  pu plugin inspect ./ledger.wasm
  pu plugin inspect ./ledger --json")]
pub(crate) struct Args {
    /// Its name in this project, or the path of a component or of a folder that it was built in.
    plugin: String,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let plugin = named::resolve(invocation, &self.plugin)?;
        let reply = invocation.ask(&Request::PluginInspect { cwd: invocation.cwd.clone(), plugin })?;
        let Answer::PluginInspection(inspection) = &reply.answer else {
            return Err(invocation.mismatch("plugin_inspect", &reply.answer));
        };
        invocation.show(&reply, || render::plugin::inspection(inspection, invocation.style))?;
        Ok(Outcome::DONE)
    }
}
