//! `pu init`: a folder becomes a project.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View, count, project};
use crate::text::printable;
use pu_protocol::answer::InitReport;
use pu_protocol::trust::TrustState;
use pu_protocol::{Answer, Request};
use std::path::PathBuf;

/// Make a folder a project, and trust it
///
/// Writes `.pu/` with a configuration and a .gitignore, and indexes the specs and rule files that are there, which are
/// counted by kind: `spec`, or the tool that a rule file is for. Doing it again changes nothing that is there already.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu init\n  pu init ~/work/shop")]
pub(crate) struct Args {
    /// The folder [default: the current one].
    path: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let root = match &self.path {
            Some(path) => {
                let path = invocation.path(path);
                path.canonicalize().map_err(|e| Failure::io("find", path, e))?
            }
            None => invocation.cwd.clone(),
        };
        let reply = invocation.ask(&Request::Init { root })?;
        let Answer::InitReport(report) = &reply.answer else {
            return Err(invocation.mismatch("init", &reply.answer));
        };
        invocation.show(&reply, || human(report, invocation))?;
        Ok(Outcome::DONE)
    }
}

fn human(report: &InitReport, invocation: &Invocation) -> String {
    let style = invocation.style;
    let root = report.root.to_string_lossy();
    let head = if report.created.is_empty() { "was a project already:" } else { "is a project now:" };
    let mut lines = vec![format!("{} {head} {}", style.bold(&printable(&report.name)), printable(&root))];
    lines.extend(report.created.iter().map(|file| format!("wrote     {}", printable(file))));
    lines.push(format!("specs     {} indexed", count(report.specs as usize, "spec")));
    if !report.found.is_empty() {
        lines.push(format!("found     {}", project::kinds(&report.found)));
    }
    lines.extend(report.skipped.iter().map(|why| style.warn(&format!("skipped   {}", printable(why)))));
    if !report.allowed.is_empty() {
        lines.push("allowed   what this repository brings may act from now on:".to_owned());
        lines.extend(render::trust::parts(&report.allowed, TrustState::Trusted, &View::new(style)));
    }
    lines.push(style.dim("next      pu spawn \"what is to be done\""));
    lines.join("\n")
}
