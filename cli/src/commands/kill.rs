//! `pu kill`: agents are ended.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::screen;
use crate::text::printable;
use pu_protocol::answer::{FailedAgent, KilledAgent};
use pu_protocol::{Answer, Request};

/// End agents: SIGTERM to all their processes, SIGKILL after a grace
///
/// Output, records and worktrees stay; `pu clean` removes them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu kill fix-auth docs
  pu kill -w fix-auth
  pu kill --all --include-root")]
pub(crate) struct Args {
    /// The agents: id, name, or the first four or more characters of either.
    #[arg(
        value_name = "AGENT",
        required_unless_present_any = ["worktree", "all"],
        conflicts_with_all = ["worktree", "all"]
    )]
    agents: Vec<String>,
    /// Every agent in this worktree.
    #[arg(short, long, value_name = "NAME", conflicts_with = "all")]
    worktree: Option<String>,
    /// Every agent of the project that works in a worktree.
    #[arg(long)]
    all: bool,
    /// With --all: those that work in the project root too.
    #[arg(long, requires = "all", conflicts_with_all = ["agents", "worktree"])]
    include_root: bool,
    /// Milliseconds between SIGTERM and SIGKILL [default: from the configuration].
    #[arg(long, value_name = "MS")]
    grace: Option<u64>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::Kill {
            cwd: invocation.cwd(),
            agents: self.agents.clone(),
            worktree: self.worktree.clone(),
            all: self.all,
            include_root: self.include_root,
            grace_ms: self.grace,
        })?;
        let Answer::KillReport { killed, failed } = &reply.answer else {
            return Err(invocation.mismatch("kill", &reply.answer));
        };
        if invocation.json || !killed.is_empty() || failed.is_empty() {
            invocation.show(&reply, || human(killed))?;
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

fn human(killed: &[KilledAgent]) -> String {
    if killed.is_empty() {
        return "no agent to kill".to_owned();
    }
    let lines = killed.iter().map(|k| {
        let how = match (k.exit.code, &k.exit.signal) {
            (Some(code), _) => format!("exited {code}"),
            (None, Some(signal)) => format!("ended by {}", printable(signal)),
            (None, None) => "ended".to_owned(),
        };
        let mut line = format!("killed {} ({}), {how}", printable(&k.name), printable(&k.agent_id));
        if !k.exit.left_running.is_empty() {
            let pids: Vec<String> = k.exit.left_running.iter().map(ToString::to_string).collect();
            line.push_str(&format!("; left running: {}", pids.join(", ")));
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn tell(failed: &FailedAgent) {
    screen::complain(&format!("not killed: {}: {}", printable(&failed.agent), printable(&failed.error.message)));
}

fn failure(failed: &FailedAgent) -> Failure {
    let mut body = failed.error.clone();
    body.message = format!("not killed: {}: {}", failed.agent, body.message);
    body.into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn exactly_one_way_of_naming_them_is_taken_and_options_go_with_it() {
        use clap::Parser as _;
        let cases: [(&[&str], bool); 9] = [
            (&["a", "b"], true),
            (&["a", "--grace", "10"], true),
            (&["-w", "w", "--grace", "10"], true),
            (&["--all", "--include-root"], true),
            (&["--all", "--include-root", "--grace", "10"], true),
            (&[], false),
            (&["a", "--all"], false),
            (&["-w", "w", "--all"], false),
            (&["a", "--include-root"], false),
        ];
        for (words, taken) in cases {
            let line = ["pu", "kill"].iter().chain(words);
            assert_eq!(crate::args::Cli::try_parse_from(line).is_ok(), taken, "{words:?}");
        }
    }
}
