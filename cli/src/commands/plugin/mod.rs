//! `pu plugin`: context plugins: used in a project, and written.
//!
//! A component is never run or compiled here: that is the daemon's part, by request.

mod add;
mod bench;
mod build;
mod inspect;
mod list;
mod named;
mod new;
mod remove;
mod switch;
mod test;
mod verify;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use clap::Subcommand;

/// Use and write plugins, which decide what context a task gets
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    List(list::Args),
    Inspect(inspect::Args),
    Add(add::Args),
    Remove(remove::Args),
    Enable(switch::EnableArgs),
    Disable(switch::DisableArgs),
    Verify(verify::Args),
    New(new::Args),
    Build(build::Args),
    Test(test::Args),
    Bench(bench::Args),
}

impl Plugin {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::List(args) => args.run(invocation),
            Self::Inspect(args) => args.run(invocation),
            Self::Add(args) => args.run(invocation),
            Self::Remove(args) => args.run(invocation),
            Self::Enable(args) => args.run(invocation),
            Self::Disable(args) => args.run(invocation),
            Self::Verify(args) => args.run(invocation),
            Self::New(args) => args.run(invocation),
            Self::Build(args) => args.run(invocation),
            Self::Test(args) => args.run(invocation),
            Self::Bench(args) => args.run(invocation),
        }
    }
}
