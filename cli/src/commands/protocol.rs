//! `pu protocol`: the daemon's protocol for those who program against it.

use crate::failure::{Failure, Outcome};
use crate::screen;
use clap::Subcommand;

/// The daemon's protocol
#[derive(Debug, Subcommand)]
pub(crate) enum Protocol {
    /// Print the protocol as JSON Schema (draft 2020-12)
    #[command(after_help = "Examples:\n  pu protocol schema > purepoint.schema.json")]
    Schema,
}

impl Protocol {
    pub(crate) fn run(&self) -> Result<Outcome, Failure> {
        match self {
            Self::Schema => {
                screen::say(&format!("{:#}", pu_protocol::schema::schema()))?;
                Ok(Outcome::DONE)
            }
        }
    }
}
