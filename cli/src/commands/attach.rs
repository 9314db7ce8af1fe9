//! `pu attach`: an agent on the user's own terminal.

use crate::attach::detach::{self, DetachKeys};
use crate::attach::{Attachment, locate};
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use pu_protocol::Request;

/// Show an agent on this terminal, and type to it
///
/// The agent goes on when you detach, close the terminal or lose the connection. With --json nothing is attached: the
/// answer says where the agent's shim listens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu attach fix-auth
  pu attach fix-auth --read-only
  pu attach fix-auth --detach-keys 'C-a q'")]
pub(crate) struct Args {
    /// The agent: id, unique prefix of one, or name.
    agent: String,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Only look: what is typed goes nowhere, but for the detach keys.
    #[arg(long)]
    read_only: bool,
    /// The keys that detach, separated by blanks [default: C-\ d].
    #[arg(long, value_name = "KEYS", env = "PU_DETACH_KEYS")]
    detach_keys: Option<String>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        if invocation.json {
            let reply = invocation.ask(&Request::Attach { agent: self.agent.clone(), cwd: invocation.cwd() })?;
            invocation.show(&reply, String::new)?;
            return Ok(Outcome::DONE);
        }
        attach(invocation, &self.agent, &self.options)
    }
}

pub(crate) fn attach(invocation: &Invocation, agent: &str, options: &Options) -> Result<Outcome, Failure> {
    let keys = DetachKeys::parse(options.detach_keys.as_deref().unwrap_or(detach::DEFAULT))?;
    let (agent, socket) = locate(invocation, agent)?;
    Attachment { agent, socket, read_only: options.read_only, keys }.run()
}
