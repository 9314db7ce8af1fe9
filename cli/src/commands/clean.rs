//! `pu clean`: what ended agents left is removed, after it was shown.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::answer::CleanItem;
use pu_protocol::{Answer, Request};
use std::collections::BTreeSet;
use std::io::{self, BufRead, IsTerminal};

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
        let planned = going(items);
        if self.dry_run || planned.is_empty() {
            invocation.show(&plan, || render::clean::items(items, true, &view))?;
            return Ok(Outcome::DONE);
        }
        if !invocation.json {
            screen::say(&render::clean::items(items, true, &view))?;
        }
        if !confirmed(invocation.json)? {
            return Ok(Outcome::DONE);
        }
        // Only what was shown: an agent that ended since then stays for the next time.
        self.remove(invocation, planned)
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

/// The agents of which something goes.
fn going(items: &[CleanItem]) -> Vec<String> {
    let ids: BTreeSet<&String> = items.iter().filter(|i| i.removed).map(|i| &i.agent_id).collect();
    ids.into_iter().cloned().collect()
}

fn confirmed(json: bool) -> Result<bool, Failure> {
    if json || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Refused {
            message: "nothing was removed: there is no terminal to ask on".to_owned(),
            hint: "`--yes` removes without asking, `--dry-run` shows what would go".to_owned(),
        });
    }
    screen::complain("remove these? [y/N]");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|e| Failure::io("read the answer from", "the terminal", e))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
