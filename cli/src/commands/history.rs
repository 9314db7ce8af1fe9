//! `pu history`: what ran here, knowing what, and how it ended.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use crate::screen;
use crate::text::printable;
use jiff::{SignedDuration, Timestamp};
use pu_protocol::{Answer, Request};

/// What ran: with what context, and how it ended
///
/// The newest first. With an agent's name, each of its lives in full: what it was told and why, and which files it left
/// otherwise than it found them. How much is kept is bounded by [history] in the configuration.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu history
  pu history fix-auth
  pu history --since 7d --agent claude --state exited
  pu history --spec AUTH --json")]
pub(crate) struct Args {
    /// Only this agent: name, id, or the first four or more characters of an id.
    #[arg(value_name = "AGENT")]
    called: Option<String>,
    /// Only agents of this type.
    #[arg(short, long, value_name = "TYPE")]
    agent: Option<String>,
    /// Only those that are or ended so: running, exited, killed, lost, exit_unknown, ….
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only those that were started since: 90m, 12h, 7d, or a time such as 2026-11-23T13:00:00Z.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only those that were told this spec, by id or path.
    #[arg(long, value_name = "ID")]
    spec: Option<String>,
    /// At most so many.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Those of all projects.
    #[arg(long)]
    all_projects: bool,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::History {
            cwd: invocation.cwd(),
            all_projects: self.all_projects,
            agent: self.called.clone(),
            agent_type: self.agent.clone(),
            state: self.state.clone(),
            since: self.since.as_deref().map(|when| moment(when, Timestamp::now())).transpose()?,
            spec: self.spec.clone(),
            limit: Some(self.limit),
        })?;
        let Answer::HistoryReport { runs, more, warnings } = &reply.answer else {
            return Err(invocation.mismatch("history", &reply.answer));
        };
        // For programs they are in the answer.
        if !invocation.json {
            warnings.iter().for_each(|warning| screen::complain(&printable(warning)));
        }
        let view = View::new(invocation.style);
        invocation.show(&reply, || match self.called {
            Some(_) => render::history::in_full(runs, *more, &view),
            None => render::history::table(runs, *more, self.all_projects, &view),
        })?;
        Ok(Outcome::DONE)
    }
}

/// A time as it stands on the wire, from one or from how long ago it was.
fn moment(typed: &str, now: Timestamp) -> Result<String, Failure> {
    if let Ok(time) = typed.parse::<Timestamp>() {
        return Ok(time.to_string());
    }
    let unknown = || Failure::Usage(format!("--since `{typed}` is neither a time nor like 90m, 12h or 7d"));
    let unit = typed.chars().last().ok_or_else(unknown)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        _ => return Err(unknown()),
    };
    let number: i64 =
        typed.trim_end_matches(unit).parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(unknown)?;
    let ago = number.checked_mul(seconds).map(SignedDuration::from_secs).ok_or_else(unknown)?;
    now.checked_sub(ago).map(|time| time.to_string()).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_time_or_how_long_ago() {
        let now: Timestamp = "2026-01-08T00:00:00Z".parse().unwrap();
        let told = |typed: &str| moment(typed, now).ok();
        for (typed, wanted) in [
            ("7d", "2026-01-01T00:00:00Z"),
            ("1w", "2026-01-01T00:00:00Z"),
            ("90m", "2026-01-07T22:30:00Z"),
            ("2026-01-03T01:00:00+01:00", "2026-01-03T00:00:00Z"),
        ] {
            assert_eq!(told(typed).as_deref(), Some(wanted), "{typed}");
        }
        for typed in ["", "d", "7", "7x", "-7d", "yesterday", "99999999999999999w"] {
            assert_eq!(told(typed), None, "{typed}");
        }
    }
}
