//! `pu plugin list`: which plugins the project has, and how they do.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// List the plugins of this project, in the order of the chain, and how they do
///
/// STATE is `ready`, `off`, `not pinned`, `pin differs`, `set_aside` (it failed five times in a row) or the code of the
/// error that keeps it from running. Calls, times and picks are counted since the daemon started.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls", after_help = "Examples:\n  pu plugin list\n  pu plugin list --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::PluginList { cwd: invocation.cwd.clone() })?;
        let Answer::PluginListReport { plugins } = &reply.answer else {
            return Err(invocation.mismatch("plugin_list", &reply.answer));
        };
        invocation.show(&reply, || render::plugin::list(plugins, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}
