//! `pu attach`: an agent on the user's own terminal.

use super::logs;
use crate::attach::detach::{self, DetachKeys};
use crate::attach::{Attachment, check_terminal, locate};
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use pu_protocol::Request;
use std::ffi::OsString;

/// Show an agent on this terminal, and type to it
///
/// The agent goes on when you detach, close the terminal or lose the connection. With --json nothing is attached: the
/// answer says where the agent's shim listens.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu attach fix-auth
  pu attach fix-auth --read-only
  pu attach fix-auth --since 81920
  pu attach fix-auth --detach-keys 'C-a q'")]
pub(crate) struct Args {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
    /// Print first what the agent wrote from this offset on, where you left off: plain, and above the agent's screen. What of
    /// it is no longer kept is told with its size.
    #[arg(long, value_name = "OFFSET", conflicts_with = "json")]
    since: Option<u64>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Only look: what is typed goes nowhere, but for the detach keys.
    #[arg(long)]
    read_only: bool,
    /// The keys that detach, separated by blanks [default: $PU_DETACH_KEYS, else C-\ d].
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
}

impl Options {
    /// Fails if attaching would, for all that is known before there is an agent.
    pub(crate) fn check(&self, agent: &str) -> Result<(), Failure> {
        self.keys(std::env::var_os("PU_DETACH_KEYS"))?;
        check_terminal(agent)
    }

    /// The option wins over the variable. An empty variable counts as unset.
    fn keys(&self, variable: Option<OsString>) -> Result<DetachKeys, Failure> {
        let variable = variable.filter(|keys| !keys.is_empty()).map(|keys| keys.to_string_lossy().into_owned());
        let typed = self.detach_keys.clone().or(variable);
        DetachKeys::parse(typed.as_deref().unwrap_or(detach::DEFAULT))
    }
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        if invocation.json {
            let reply = invocation.ask(&Request::Attach { agent: self.agent.clone(), cwd: invocation.cwd() })?;
            invocation.show(&reply, String::new)?;
            return Ok(Outcome::DONE);
        }
        if let Some(since) = self.since {
            self.options.check(&self.agent)?;
            logs::print_since(invocation, &self.agent, since)?;
        }
        attach(invocation, &self.agent, &self.options)
    }
}

pub(crate) fn attach(invocation: &Invocation, agent: &str, options: &Options) -> Result<Outcome, Failure> {
    let keys = options.keys(std::env::var_os("PU_DETACH_KEYS"))?;
    let (agent, socket) = locate(invocation, agent)?;
    Attachment { agent, socket, read_only: options.read_only, keys }.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detach_keys_come_from_the_option_the_variable_or_neither() {
        for (option, variable, wanted) in [
            (None, None, detach::DEFAULT),
            (None, Some(""), detach::DEFAULT),
            (None, Some("C-a q"), "C-a q"),
            (Some("C-b"), Some("C-a q"), "C-b"),
        ] {
            let options = Options { read_only: false, detach_keys: option.map(str::to_owned) };
            assert_eq!(options.keys(variable.map(OsString::from)).unwrap().text(), wanted);
        }
        let none = Options::default();
        assert!(matches!(none.keys(Some("Bogus".into())), Err(Failure::Usage(_))));
    }
}
