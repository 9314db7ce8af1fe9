//! `pu demo`: the product shown on a throw-away project, with its promises checked.

use crate::demo;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;

/// Show on a throw-away project what PurePoint does, and check it
///
/// Makes a git project with a few specs and a PurePoint home of its own, starts an agent on a task about one of the specs,
/// shows what it was told and why, kills the daemon with SIGKILL, shows that agent and output are whole, and removes
/// everything. Needs git; no network and no key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu demo\n  pu demo --keep")]
pub(crate) struct Args {
    /// Leave the project and the home where they are; the agent and the daemon are ended all the same.
    #[arg(long)]
    keep: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        demo::run(invocation, self.keep)
    }
}
