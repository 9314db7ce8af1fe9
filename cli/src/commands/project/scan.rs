//! `pu project scan`: looks for projects now.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render;
use pu_protocol::{Answer, Request};
use std::path::PathBuf;

/// Look for projects below folders
///
/// Without folders it looks below those of `[discovery] roots` in PU_HOME/config.toml, where new projects are found by
/// themselves too. What is found is known, not trusted: nothing of it acts before `pu trust` there.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu project scan\n  pu project scan ~/work /srv/repositories")]
pub(crate) struct Args {
    /// The folders [default: the configured ones].
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let roots = self.roots.iter().map(|root| {
            let root = invocation.path(root);
            root.canonicalize().map_err(|e| Failure::io("find", root, e))
        });
        let roots = roots.collect::<Result<Vec<_>, Failure>>()?;
        let reply = invocation.ask(&Request::ProjectScan { roots })?;
        let Answer::ProjectScanReport(report) = &reply.answer else {
            return Err(invocation.mismatch("project_scan", &reply.answer));
        };
        invocation.show(&reply, || render::scan::report(report, invocation.style))?;
        Ok(Outcome::DONE)
    }
}
