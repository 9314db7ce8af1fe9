//! `pu plugin verify`: whether the plugins are those that were pinned.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::plugin::{Pin, PluginInfo};
use pu_protocol::{Answer, Request};

/// The exit code for a plugin that is not what was pinned.
const REFUSED: u8 = 4;

/// Check that the project's plugins are those that plugins.lock pins
///
/// Exits with 4 if one differs from its pin or is pinned and not there, or if plugins.lock is damaged. One that is not
/// pinned is told, and is no failure.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu plugin verify\n  pu plugin verify && pu spawn \"fix the auth race\"")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::PluginList { cwd: invocation.cwd.clone() })?;
        let Answer::PluginListReport { plugins } = &reply.answer else {
            return Err(invocation.mismatch("plugin_list", &reply.answer));
        };
        invocation.show(&reply, || render::plugin::pins(plugins, &View::new(invocation.style)))?;
        let all_hold = render::plugin::lock_damage(plugins).is_none() && plugins.iter().all(holds);
        Ok(if all_hold { Outcome::DONE } else { Outcome(REFUSED) })
    }
}

fn holds(plugin: &PluginInfo) -> bool {
    match plugin.pin {
        Pin::None | Pin::Matches => true,
        Pin::Differs | Pin::Missing => false,
    }
}
