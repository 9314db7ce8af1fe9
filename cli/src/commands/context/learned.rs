//! `pu context learned`: what ranking has learnt from use, shown or erased.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// Show what was learnt from earlier tasks and from commits, or erase it
///
/// A spec that earlier tasks like the one at hand changed, asked for (`--spec`) or named ranks higher; one that was dropped
/// from them ranks lower. `[context] learn = false` in .pu/config.toml switches that off. What commits teach is the
/// repository's and is not erased.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu context learned
  pu context learned --forget fix-auth
  pu context learned --forget-all")]
pub(crate) struct LearnedArgs {
    /// Erase what was learnt from this agent (id, the beginning of it, or name); may be repeated.
    #[arg(long, value_name = "AGENT", conflicts_with = "forget_all")]
    forget: Vec<String>,
    /// Erase all that was learnt from agents.
    #[arg(long)]
    forget_all: bool,
}

impl LearnedArgs {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let cwd = invocation.cwd.clone();
        let request = if self.forget.is_empty() && !self.forget_all {
            Request::ContextLearned { cwd }
        } else {
            Request::ContextForget { cwd, agents: self.forget.clone(), all: self.forget_all }
        };
        let reply = invocation.ask(&request)?;
        match &reply.answer {
            Answer::LearnedReport(report) => {
                invocation.show(&reply, || render::learned::report(report, &View::new(invocation.style)))?;
            }
            Answer::ForgetReport { forgotten } => {
                let tasks = render::count(usize::try_from(*forgotten).unwrap_or(usize::MAX), "task");
                invocation.show(&reply, || format!("forgot {tasks}"))?;
            }
            other => return Err(invocation.mismatch("context learned", other)),
        }
        Ok(Outcome::DONE)
    }
}
