//! `pu project list`: which projects there are.

use crate::connection::Reply;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// List the projects that are known
///
/// One is `trusted` when its user has made it a project, `known` when it was only seen (nothing of it acts), and `missing`
/// when its folder is gone.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls", after_help = "Examples:\n  pu project list\n  pu project list --json")]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let first = invocation.ask(&Request::ProjectList { after: None })?;
        let whole = joined(first, invocation)?;
        let Answer::ProjectListReport { projects, .. } = &whole.answer else {
            return Err(invocation.mismatch("project_list", &whole.answer));
        };
        invocation.show(&whole, || render::project::list(projects, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}

/// Asks for what is behind the first page, if anything is, and makes one answer of all.
fn joined(first: Reply, invocation: &Invocation) -> Result<Reply, Failure> {
    let Answer::ProjectListReport { projects, total, next: Some(next) } = &first.answer else { return Ok(first) };
    let (mut projects, total, mut next) = (projects.clone(), *total, Some(next.clone()));
    while next.is_some() {
        match invocation.ask(&Request::ProjectList { after: next })?.answer {
            Answer::ProjectListReport { projects: more, next: further, .. } => {
                projects.extend(more);
                next = further;
            }
            other => return Err(invocation.mismatch("project_list", &other)),
        }
    }
    let answer = Answer::ProjectListReport { projects, total, next: None };
    let line = serde_json::to_string(&answer).map_err(|e| Failure::Output(e.into()))?;
    Ok(Reply { answer, line })
}
