//! `pu trust`: what of a project can act is allowed, after it was shown.

use crate::confirm;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::trust::{TrustReport, TrustState};
use pu_protocol::{Answer, Request};

/// Show what of this project can act, and allow it
///
/// Plugins with their digests, the commands of agent definitions, what assemblers are granted, and where the specs lie. What
/// was allowed is known by its digest: a plugin or a command that is changed later, by a `git pull` or an editor, is asked
/// for again. Edited specs are not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu trust
  pu trust --show
  pu trust --yes

Without a terminal to ask on, and without --yes, it shows and refuses with exit code 4.")]
pub(crate) struct Args {
    /// Only show it; allow nothing.
    #[arg(long, conflicts_with = "yes")]
    show: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let shown = invocation.ask(&Request::TrustShow { cwd: invocation.cwd.clone() })?;
        let report = report_of(&shown.answer, "trust_show", invocation)?;
        let view = View::new(invocation.style);
        if self.show || report.state == TrustState::Trusted {
            invocation.show(&shown, || render::trust::report(report, &view))?;
            return Ok(Outcome::DONE);
        }
        if !self.yes {
            invocation.show(&shown, || render::trust::report(report, &view))?;
            if let Some(why) = confirm::refusal("allow all of this?", invocation.json)? {
                let hint = "`pu trust --yes` allows it without asking, `pu trust --show` only shows it".to_owned();
                return Err(Failure::Refused { message: format!("nothing was allowed: {why}"), hint });
            }
        } else if !invocation.json {
            screen::say(&render::trust::report(report, &view))?;
        }
        let digest = report.digest.clone();
        let done = invocation.ask(&Request::Trust { cwd: invocation.cwd.clone(), digest })?;
        let report = report_of(&done.answer, "trust", invocation)?;
        invocation.show(&done, || render::trust::done(report))?;
        Ok(Outcome::DONE)
    }
}

pub(super) fn report_of<'a>(
    answer: &'a Answer,
    request: &str,
    invocation: &Invocation,
) -> Result<&'a TrustReport, Failure> {
    match answer {
        Answer::TrustReport(report) => Ok(report),
        other => Err(invocation.mismatch(request, other)),
    }
}
