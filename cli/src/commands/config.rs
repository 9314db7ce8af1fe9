//! `pu config`: what is configured, and where.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use clap::Subcommand;
use pu_protocol::{Answer, Request};

/// What is configured for this project, and where
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    Show(ShowArgs),
}

/// Show the values in force: what this project's .pu/config.toml says, else your own config.toml, else the default
///
/// Each line is one that a config.toml could have, tables before the key. A file that is faulty changes nothing until it is
/// mended: what it said before is shown, with a warning.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu config show
  pu config show --origin
  pu config show terminal
  pu config show --json context.budget")]
pub(crate) struct ShowArgs {
    /// Only this key (`terminal.rows`), or what is in this table (`terminal`).
    key: Option<String>,
    /// Show where each value comes from: the default, or a file with its line.
    #[arg(long)]
    origin: bool,
}

impl Config {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::Show(args) => args.run(invocation),
        }
    }
}

impl ShowArgs {
    fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = Request::ConfigShow { cwd: invocation.cwd(), key: self.key.clone() };
        let reply = invocation.ask(&request)?;
        let Answer::ConfigReport(report) = &reply.answer else {
            return Err(invocation.mismatch("config_show", &reply.answer));
        };
        invocation.show(&reply, || render::config::report(report, self.origin, invocation.style))?;
        Ok(Outcome::DONE)
    }
}
