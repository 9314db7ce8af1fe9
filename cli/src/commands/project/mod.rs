//! `pu project`: the projects that the daemon knows.
//!
//! What may act in one is decided by `pu trust` and `pu init`, not here.

mod add;
mod list;
mod remove;
mod scan;
mod show;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use clap::Subcommand;

/// List, find, add and forget projects
#[derive(Debug, Subcommand)]
pub(crate) enum Project {
    List(list::Args),
    Show(show::Args),
    Add(add::Args),
    Remove(remove::Args),
    Scan(scan::Args),
}

impl Project {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::List(args) => args.run(invocation),
            Self::Show(args) => args.run(invocation),
            Self::Add(args) => args.run(invocation),
            Self::Remove(args) => args.run(invocation),
            Self::Scan(args) => args.run(invocation),
        }
    }
}
