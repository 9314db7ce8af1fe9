//! `pu spec show`: one spec, its front matter, its sections, its text.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// Show a spec: what its front matter says, its sections with their tokens, or its text
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu spec show specs/auth.md
  pu spec show AUTH-001 --text
  pu spec show AUTH --section auth-002-sessions-expire")]
pub(crate) struct Args {
    /// Its id, its path from the project's root, or an id that it alone defines.
    spec: String,
    /// Show the text of this section only; ids of sections stand in the list without it.
    #[arg(long, value_name = "ID")]
    section: Option<String>,
    /// Show all of its text too.
    #[arg(long, conflicts_with = "section")]
    text: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::SpecShow {
            cwd: invocation.cwd.clone(),
            spec: self.spec.clone(),
            section: self.section.clone(),
            with_text: self.text,
        })?;
        let Answer::SpecReport(detail) = &reply.answer else {
            return Err(invocation.mismatch("spec_show", &reply.answer));
        };
        invocation.show(&reply, || render::spec::detail(detail, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }
}
