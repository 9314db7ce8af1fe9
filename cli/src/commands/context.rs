//! `pu context`: what an agent would know, or was told, and why.

mod drop;
mod eval;
mod learned;

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::prompt;
use crate::render::{self, View};
use crate::screen;
use clap::Subcommand;
use pu_protocol::context::{ContextReport, TaskDescription};
use pu_protocol::{Answer, Request};
use std::path::PathBuf;

/// What context a task gets, and why
#[derive(Debug, Subcommand)]
pub(crate) enum Context {
    Explain(ExplainArgs),
    Show(ShowArgs),
    Drop(drop::DropArgs),
    Learned(learned::LearnedArgs),
    Eval(eval::EvalArgs),
}

/// Show what context a task would get: every candidate, its score, its reason, and why it was left out
///
/// The task knows the files that are changed where you stand, as that of `pu spawn --root` does; an agent in a new worktree
/// has changed none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu context explain \"fix the auth race\"
  pu context explain --context-budget 2000 --tag billing --text \"round the totals\"
  pu context explain --file task.md
  pu context explain \"fix the auth race\" --diff \"fix the race in the auth tests\"")]
pub(crate) struct ExplainArgs {
    /// The task as it would be given to `pu spawn`; `-` reads it from standard input.
    #[arg(required_unless_present = "file")]
    task: Option<String>,
    /// For which agent [default: as in `pu spawn`].
    #[arg(short, long, value_name = "TYPE")]
    agent: Option<String>,
    /// How many tokens of context there may be.
    #[arg(long, visible_alias = "budget", value_name = "TOKENS")]
    context_budget: Option<u32>,
    /// Read the task from a file (`-`: standard input); it follows TASK if both are given.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A tag that specs are picked by; may be repeated.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// The id or path of a spec that must be in; may be repeated.
    #[arg(long = "spec", value_name = "ID")]
    specs: Vec<String>,
    /// Show the context itself too.
    #[arg(long, conflicts_with = "diff")]
    text: bool,
    /// Show what another task would get, with the same options, that this one does not, and the other way round.
    #[arg(long, value_name = "OTHER_TASK")]
    diff: Option<String>,
}

/// Show what context an agent was given
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu context show fix-auth")]
pub(crate) struct ShowArgs {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
}

impl Context {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = match self {
            Self::Explain(args) => match &args.diff {
                Some(other) => return args.show_diff(other, invocation),
                None => args.request(invocation)?,
            },
            Self::Show(args) => Request::ContextShow { agent: args.agent.clone(), cwd: invocation.cwd() },
            Self::Drop(args) => return args.run(invocation),
            Self::Learned(args) => return args.run(invocation),
            Self::Eval(args) => return args.run(invocation),
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
        let prompt = prompt::gather(self.task.as_deref(), self.file.as_deref(), &invocation.cwd)?;
        Ok(self.request_for(prompt, invocation))
    }

    fn request_for(&self, prompt: String, invocation: &Invocation) -> Request {
        let task = TaskDescription {
            prompt,
            tags: self.tags.clone(),
            specs: self.specs.clone(),
            agent: self.agent.clone(),
            budget: self.context_budget,
        };
        Request::ContextExplain {
            cwd: invocation.cwd.clone(),
            task,
            with_text: self.text,
            specs: None,
            chain: None,
            ranking: false,
            expected: Vec::new(),
        }
    }

    fn show_diff(&self, other: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
        let this = ask(&self.request(invocation)?, invocation)?;
        let other = ask(&self.request_for(other.to_owned(), invocation), invocation)?;
        let told = if invocation.json {
            render::context_diff::json(&this, &other).to_string()
        } else {
            render::context_diff::text(&this, &other, &View::new(invocation.style))
        };
        screen::say(&told)?;
        Ok(Outcome::DONE)
    }
}

/// The report of a context.
fn ask(request: &Request, invocation: &Invocation) -> Result<ContextReport, Failure> {
    match invocation.ask(request)?.answer {
        Answer::ContextReport(answer) => Ok(answer.report),
        other => Err(invocation.mismatch("context", &other)),
    }
}
