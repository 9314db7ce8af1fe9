//! `pu spec list`: which specs and rule files the project has.

use crate::connection::Reply;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use pu_protocol::{Answer, Request};

/// List the specs and rule files of this project
///
/// KIND is the tool that a rule file is for; WHEN says when a rule is read: `always`, for files that fit its patterns, by its
/// description, or by hand; LOADED BY names agents that read the file by themselves, so that they are not given it again.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "Examples:
  pu spec list
  pu spec list docs
  pu spec list --rules --mode globs
  pu spec list --native claude --json"
)]
pub(crate) struct Args {
    /// Only the one at this path from the project's root, those in this folder, or those that this glob fits.
    path: Option<String>,
    /// Only of this kind: `spec`, `rule` (every rule file), `agents`, `claude`, `cline`, `copilot`, `cursor`, `kiro`,
    /// `skill` or `windsurf`; may be repeated.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only rule files: the same as `--kind rule`.
    #[arg(long, conflicts_with = "kinds")]
    rules: bool,
    /// Only rule files that are read like this: `always`, `globs`, `model` or `manual`; may be repeated.
    #[arg(long = "mode", value_name = "MODE")]
    modes: Vec<String>,
    /// Only with this tag; may be repeated, and then all must be there.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only what this agent loads by itself.
    #[arg(long, value_name = "AGENT")]
    native: Option<String>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let first = invocation.ask(&self.request(None, invocation))?;
        let whole = self.joined(first, invocation)?;
        let Answer::SpecListReport { specs, .. } = &whole.answer else {
            return Err(invocation.mismatch("spec_list", &whole.answer));
        };
        invocation.show(&whole, || render::spec::list(specs, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }

    fn request(&self, after: Option<String>, invocation: &Invocation) -> Request {
        Request::SpecList {
            cwd: invocation.cwd.clone(),
            path: self.path.clone(),
            kinds: if self.rules { vec!["rule".to_owned()] } else { self.kinds.clone() },
            modes: self.modes.clone(),
            tags: self.tags.clone(),
            native: self.native.clone(),
            after,
        }
    }

    /// Asks for what is behind the first page, if anything is, and makes one answer of all.
    fn joined(&self, first: Reply, invocation: &Invocation) -> Result<Reply, Failure> {
        let Answer::SpecListReport { specs, total, next: Some(next) } = &first.answer else { return Ok(first) };
        let (mut specs, total, mut next) = (specs.clone(), *total, Some(next.clone()));
        while let Some(after) = next {
            match invocation.ask(&self.request(Some(after), invocation))?.answer {
                Answer::SpecListReport { specs: more, next: further, .. } => {
                    specs.extend(more);
                    next = further;
                }
                other => return Err(invocation.mismatch("spec_list", &other)),
            }
        }
        let answer = Answer::SpecListReport { specs, total, next: None };
        let line = serde_json::to_string(&answer).map_err(|e| Failure::Output(e.into()))?;
        Ok(Reply { answer, line })
    }
}
