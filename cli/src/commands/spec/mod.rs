//! `pu spec`: the specs and rule files of a project: which there are, what is in them, what is wrong with them.
//!
//! None of these runs a plugin, so that they may be asked of a project before it is trusted.

mod lint;
mod list;
mod search;
mod show;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use clap::Subcommand;

/// Look at the specs and rule files of this project: what there is, and what is wrong with it
#[derive(Debug, Subcommand)]
pub(crate) enum Spec {
    List(list::Args),
    Show(show::Args),
    Search(search::Args),
    Lint(lint::Args),
}

impl Spec {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::List(args) => args.run(invocation),
            Self::Show(args) => args.run(invocation),
            Self::Search(args) => args.run(invocation),
            Self::Lint(args) => args.run(invocation),
        }
    }
}
