//! `pu clean`: what ended agents left is removed, after it was shown.

use crate::confirm;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::answer::CleanItem;
use pu_protocol::{Answer, Request};
use std::collections::BTreeSet;

/// Remove what ended agents left: records, worktrees, branches
///
/// Shows first what would go and asks. A worktree or branch with work that is nowhere else is kept, and says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu clean --dry-run\n  pu clean\n  pu clean --yes fix-auth")]
pub(crate) struct Args {
    /// Only these agents [default: all ended ones of the project].
    #[arg(value_name = "AGENT")]
    agents: Vec<String>,
    /// Show what would go; remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// The ended agents of all projects.
    #[arg(long)]
    all_projects: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        if self.yes && !self.dry_run {
            return self.remove(invocation, self.agents.clone());
        }
        let plan = invocation.ask(&self.request(invocation, self.agents.clone(), true))?;
        let Answer::CleanReport { items, .. } = &plan.answer else {
            return Err(invocation.mismatch("clean", &plan.answer));
        };
        let view = View::new(invocation.style);
        if self.dry_run || !items.iter().any(|item| item.removed) {
            invocation.show(&plan, || render::clean::items(items, true, &view))?;
            return Ok(Outcome::DONE);
        }
        if !invocation.json {
            screen::say(&render::clean::items(items, true, &view))?;
        }
        if let Some(why) = confirm::refusal("remove these?", invocation.json)? {
            let hint = "`--yes` removes without asking, `--dry-run` shows what would go".to_owned();
            return Err(Failure::Refused { message: format!("nothing was removed: {why}"), hint });
        }
        self.remove(invocation, self.whose(items))
    }

    /// The agents to name so that only what was shown goes: one that ended since then stays for the next time. What is no
    /// agent's cannot be named, so with it goes whatever was asked for.
    fn whose(&self, items: &[CleanItem]) -> Vec<String> {
        let ids: BTreeSet<&str> = items.iter().filter(|i| i.removed).map(|i| i.agent_id.as_str()).collect();
        if ids.contains("") { self.agents.clone() } else { ids.into_iter().map(str::to_owned).collect() }
    }

    /// Removes, and names what went and what stays.
    fn remove(&self, invocation: &Invocation, agents: Vec<String>) -> Result<Outcome, Failure> {
        let done = invocation.ask(&self.request(invocation, agents, false))?;
        let Answer::CleanReport { items, .. } = &done.answer else {
            return Err(invocation.mismatch("clean", &done.answer));
        };
        invocation.show(&done, || render::clean::items(items, false, &View::new(invocation.style)))?;
        Ok(Outcome::DONE)
    }

    fn request(&self, invocation: &Invocation, agents: Vec<String>, dry_run: bool) -> Request {
        Request::Clean { cwd: invocation.cwd(), all_projects: self.all_projects, agents, dry_run }
    }
}
