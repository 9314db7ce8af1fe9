//! `pu resume`: agents that ended go on.

use super::spawn::environment;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::prompt;
use crate::render::{self, View};
use crate::screen;
use crate::text::printable;
use pu_protocol::answer::FailedAgent;
use pu_protocol::{Answer, Request, ResumeRequest};
use std::path::PathBuf;

/// Start agents again that were lost, stopped or killed
///
/// Each goes on under its name, in its worktree and, where its program can, in its session; one whose session cannot go on
/// begins anew with its task. Its context is assembled anew, and what is different is shown. What it wrote before stays
/// under its earlier id.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu resume fix-auth
  pu resume fix-auth --prompt \"go on, and test it\"
  pu resume --all
  pu resume --fresh docs")]
pub(crate) struct Args {
    /// The agents: id, name, or the first four or more characters of either.
    #[arg(value_name = "AGENT", required_unless_present = "all", conflicts_with = "all")]
    agents: Vec<String>,
    /// Every agent of the project that a reboot or a crash took, or that was ended with its daemon.
    #[arg(long)]
    all: bool,
    /// With --all: those of all projects.
    #[arg(long, requires = "all", conflicts_with = "agents")]
    all_projects: bool,
    /// What to do now; `-` reads it from standard input. Without it a session that goes on waits for its user.
    #[arg(short, long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Read that from a file (`-`: standard input); it follows TEXT if both are given.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Begin anew with the task, even where the session could go on.
    #[arg(long)]
    fresh: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let prompt = if self.prompt.is_some() || self.file.is_some() {
            prompt::gather(self.prompt.as_deref(), self.file.as_deref(), &invocation.cwd)?
        } else {
            String::new()
        };
        let reply = invocation.ask(&Request::Resume(Box::new(ResumeRequest {
            cwd: invocation.cwd.clone(),
            agents: self.agents.clone(),
            all: self.all,
            all_projects: self.all_projects,
            prompt,
            fresh: self.fresh,
            size: screen::terminal_size(),
            env: environment(std::env::vars_os()),
        })))?;
        let Answer::ResumeReport { resumed, failed } = &reply.answer else {
            return Err(invocation.mismatch("resume", &reply.answer));
        };
        if invocation.json || !resumed.is_empty() || failed.is_empty() {
            invocation.show(&reply, || render::resume::report(resumed, &View::new(invocation.style)))?;
        }
        match failed.split_first() {
            None => Ok(Outcome::DONE),
            Some((first, rest)) => {
                // For programs all of them are in the answer.
                if !invocation.json {
                    rest.iter().for_each(tell);
                }
                Err(failure(first))
            }
        }
    }
}

fn tell(failed: &FailedAgent) {
    screen::complain(&format!("not resumed: {}: {}", printable(&failed.agent), printable(&failed.error.message)));
}

fn failure(failed: &FailedAgent) -> Failure {
    let mut body = failed.error.clone();
    body.message = format!("not resumed: {}: {}", failed.agent, body.message);
    body.into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn agents_are_named_or_all_are_meant() {
        use clap::Parser as _;
        let cases: [(&[&str], bool); 7] = [
            (&["a", "b"], true),
            (&["a", "--prompt", "go on", "--fresh"], true),
            (&["--all"], true),
            (&["--all", "--all-projects", "--prompt", "go on"], true),
            (&[], false),
            (&["a", "--all"], false),
            (&["a", "--all-projects"], false),
        ];
        for (words, taken) in cases {
            let line = ["pu", "resume"].iter().chain(words);
            assert_eq!(crate::args::Cli::try_parse_from(line).is_ok(), taken, "{words:?}");
        }
    }
}
