//! `pu spec lint`: what is wrong with the specs and rule files of a project.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use clap::ValueEnum;
use pu_protocol::spec::SpecSeverity;
use pu_protocol::{Answer, Request};

/// The exit code for an error that was found.
const FOUND: u8 = 1;

/// Look what is wrong with the specs and rule files: dead links, ids used twice, rules that never fire
///
/// Each finding has its place, a code for programs and what to do. Links to other sites are not looked at, and nothing is
/// changed. Exits with 0 if there is no error, and with 1 if there is one, or a warning with `--strict`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu spec lint
  pu spec lint docs .cursor --level warning
  pu spec lint --strict --json")]
pub(crate) struct Args {
    /// Only what is found at these paths from the project's root: files, folders or globs.
    paths: Vec<String>,
    /// Show only what is as bad as this; `--json` has all.
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "note")]
    level: Level,
    /// Let warnings count as errors for the exit code.
    #[arg(long)]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Error,
    Warning,
    Note,
}

impl Level {
    fn severity(self) -> SpecSeverity {
        match self {
            Self::Error => SpecSeverity::Error,
            Self::Warning => SpecSeverity::Warning,
            Self::Note => SpecSeverity::Note,
        }
    }
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let request = Request::SpecLint { cwd: invocation.cwd.clone(), paths: self.paths.clone() };
        let reply = invocation.ask(&request)?;
        let Answer::SpecLintReport { specs, errors, warnings, notes, findings, more } = &reply.answer else {
            return Err(invocation.mismatch("spec_lint", &reply.answer));
        };
        let counted = render::spec::Counted { specs: *specs, errors: *errors, warnings: *warnings, notes: *notes };
        let least = self.level.severity();
        invocation.show(&reply, || render::spec::findings(findings, *more, least, counted, invocation.style))?;
        let is_bad = *errors > 0 || (self.strict && *warnings > 0);
        Ok(if is_bad { Outcome(FOUND) } else { Outcome::DONE })
    }
}
