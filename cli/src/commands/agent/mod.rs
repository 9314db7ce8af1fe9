//! `pu agent`: one agent looked at closely.

mod explain;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use clap::Subcommand;

/// Look at one agent closely
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    Explain(explain::Args),
}

impl Agent {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::Explain(args) => args.run(invocation),
        }
    }
}
