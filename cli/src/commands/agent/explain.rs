//! `pu agent explain`: what an agent is doing, and how that is known.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// Show what an agent is doing, and everything that tells so
///
/// Of all that speaks of an agent the strongest source is believed: a program status in its output, a hook that it runs,
/// the title of its terminal, whether it writes at all. The others are shown with what they said last.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu agent explain fix-auth\n  pu agent explain fix-auth --json")]
pub(crate) struct Args {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = Request::AgentExplain { agent: self.agent.clone(), cwd: invocation.cwd() };
        let reply = invocation.ask(&request)?;
        let Answer::AgentExplainReport(explanation) = &reply.answer else {
            return Err(invocation.mismatch("agent_explain", &reply.answer));
        };
        invocation.show(&reply, || render::activity::explanation(explanation, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}
