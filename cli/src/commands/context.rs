//! `pu context`: what an agent would know, or was told, and why.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::prompt;
use crate::render::{self, View};
use clap::Subcommand;
use pu_protocol::context::TaskDescription;
use pu_protocol::{Answer, Request};

/// What context a task gets, and why
#[derive(Debug, Subcommand)]
pub(crate) enum Context {
    Explain(ExplainArgs),
    Show(ShowArgs),
}

/// Show what context a task would get: every candidate, its score, its reason, and why it was left out
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu context explain \"fix the auth race\"
  pu context explain --budget 2000 --tag billing --text \"round the totals\"")]
pub(crate) struct ExplainArgs {
    /// The task as it would be given to `pu spawn`; `-` reads it from standard input.
    task: String,
    /// For which agent [default: as in `pu spawn`].
    #[arg(short, long, value_name = "TYPE")]
    agent: Option<String>,
    /// How many tokens of context there may be.
    #[arg(long, value_name = "TOKENS")]
    budget: Option<u32>,
    /// A tag that specs are picked by; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The id or path of a spec that must be in; may be repeated.
    #[arg(long = "spec", value_name = "ID")]
    specs: Vec<String>,
    /// Show the context itself too.
    #[arg(long)]
    text: bool,
}

/// Show what context an agent was given
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu context show fix-auth")]
pub(crate) struct ShowArgs {
    /// The agent: id, unique prefix of one, or name.
    agent: String,
}

impl Context {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = match self {
            Self::Explain(args) => args.request(invocation)?,
            Self::Show(args) => Request::ContextShow { agent: args.agent.clone(), cwd: invocation.cwd() },
        };
        let reply = invocation.ask(&request)?;
        let Answer::ContextReport(answer) = &reply.answer else {
            return Err(invocation.mismatch("context", &reply.answer));
        };
        invocation.show(&reply, || render::context::explanation(answer, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}

impl ExplainArgs {
    fn request(&self, invocation: &Invocation) -> Result<Request, Failure> {
        let task = TaskDescription {
            prompt: prompt::gather(Some(&self.task), None, &invocation.cwd)?,
            tags: self.tags.clone(),
            specs: self.specs.clone(),
            agent: self.agent.clone(),
            budget: self.budget,
        };
        Ok(Request::ContextExplain { cwd: invocation.cwd.clone(), task, with_text: self.text })
    }
}
