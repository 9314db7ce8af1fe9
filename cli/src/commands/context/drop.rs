//! `pu context drop`: specs that an agent was given and that were not wanted.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::text::printable;
use pu_protocol::{Answer, Request};

/// Note that specs which an agent was given were not wanted for its task
///
/// They rank lower for later tasks like it. The agent keeps what it has: its context is not changed any more.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu context drop fix-auth BILL
  pu context drop fix-auth specs/images.md docs/deploy.md

`pu context learned --forget fix-auth` takes it back.")]
pub(crate) struct DropArgs {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
    /// The ids or paths of specs that its context had.
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<String>,
}

impl DropArgs {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::ContextDrop {
            agent: self.agent.clone(),
            cwd: invocation.cwd(),
            specs: self.specs.clone(),
        })?;
        let Answer::ContextDropReport { agent_id, name, dropped } = &reply.answer else {
            return Err(invocation.mismatch("context drop", &reply.answer));
        };
        invocation.show(&reply, || {
            let specs: Vec<_> = dropped.iter().map(|spec| printable(spec)).collect();
            format!(
                "noted: {} not wanted for the task of {} ({}); it keeps its context, later tasks like it rank that lower",
                specs.join(", "),
                printable(name),
                printable(agent_id)
            )
        })?;
        Ok(Outcome::DONE)
    }
}
