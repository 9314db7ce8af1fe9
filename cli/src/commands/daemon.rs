//! `pu daemon`: the daemon itself: started, stopped, looked at.

use super::health;
use crate::connection::Reply;
use crate::daemon::{self, ask_running};
use crate::endpoint::Endpoint;
use crate::engine;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::count;
use crate::screen;
use crate::text::printable_lines;
use clap::Subcommand;
use pu_protocol::{Answer, ErrorCode, Request};
use std::time::{Duration, Instant};

/// How long a daemon that was told to stop may go on listening.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const STOP_PROBE: Duration = Duration::from_millis(20);

/// Start, stop and look at the daemon
#[derive(Debug, Subcommand)]
pub(crate) enum Daemon {
    /// Start the daemon if it does not run
    #[command(after_help = "Examples:\n  pu daemon start")]
    Start,
    /// Stop the daemon; the agents go on
    #[command(after_help = "Examples:\n  pu daemon stop\n  pu daemon stop --stop-agents")]
    Stop {
        /// End the agents too.
        #[arg(long)]
        stop_agents: bool,
    },
    /// Put another daemon in its place, such as a newer one; the agents go on
    #[command(after_help = "Examples:\n  pu daemon restart")]
    Restart,
    /// Say whether the daemon runs, without starting it
    #[command(after_help = "Examples:\n  pu daemon status && echo up")]
    Status,
    /// Show the end of the daemon's log
    #[command(after_help = "Examples:\n  pu daemon logs --lines 200")]
    Logs {
        /// How many lines.
        #[arg(long, default_value_t = 50)]
        lines: usize,
    },
}

impl Daemon {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        match self {
            Self::Start => show_health(invocation, &invocation.ask(&Request::Health)?),
            Self::Stop { stop_agents } => match stop(invocation, stop_agents.then_some(true))? {
                Some(reply) => show_stopped(invocation, &reply),
                None => say_none(invocation),
            },
            Self::Restart => {
                make_room(invocation)?;
                show_health(invocation, &invocation.ask(&Request::Health)?)
            }
            Self::Status => match ask_running(&invocation.endpoint, &Request::Health)? {
                Some(reply) => show_health(invocation, &reply),
                None => Err(Failure::NoDaemon {
                    socket: invocation.endpoint.socket.clone(),
                    why: "none runs".to_owned(),
                    log: invocation.endpoint.home.daemon_log(),
                    log_tail: String::new(),
                }),
            },
            Self::Logs { lines } => logs(invocation, *lines),
        }
    }
}

/// Stops the daemon and waits until it is gone, so that the next one finds the field free. Another daemon that somebody
/// starts meanwhile is none of our business.
fn stop(invocation: &Invocation, stop_agents: Option<bool>) -> Result<Option<Reply>, Failure> {
    let endpoint = &invocation.endpoint;
    let Some(before) = running_pid(endpoint)? else { return Ok(None) };
    let Some(reply) = ask_running(endpoint, &Request::Shutdown { stop_agents })? else { return Ok(None) };
    wait_while(|| Ok(running_pid(endpoint)? == Some(before)))?;
    Ok(Some(reply))
}

/// Stops the daemon for the next one, be it of another release: one that does not understand that it is to stop is sent
/// SIGTERM. Agents go on running, whatever this daemon would do by itself.
fn make_room(invocation: &Invocation) -> Result<(), Failure> {
    let refusal = match stop(invocation, Some(false)) {
        Ok(_) => return Ok(()),
        Err(failure) => failure,
    };
    let endpoint = &invocation.endpoint;
    match engine::lock_holder(endpoint) {
        _ if !is_not_understood(&refusal) => Err(refusal),
        // It said nothing, and is gone: it ended before it was through with stopping.
        None if matches!(refusal, Failure::NoAnswer { .. }) => Ok(()),
        None => Err(refusal),
        Some(holder) => {
            engine::terminate(holder);
            wait_while(|| Ok(engine::lock_holder(endpoint) == Some(holder)))
        }
    }
}

fn is_not_understood(failure: &Failure) -> bool {
    use ErrorCode as E;
    match failure {
        Failure::NoAnswer { .. } => true,
        Failure::Answered(body) => {
            matches!(body.code, E::UnknownRequest | E::InvalidRequest | E::MalformedRequest | E::UnsupportedProtocol)
        }
        _ => false,
    }
}

fn wait_while(mut holds: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let deadline = Instant::now() + STOP_LIMIT;
    while holds()? {
        if Instant::now() > deadline {
            return Err(Failure::TimedOut {
                message: format!("the daemon still runs {STOP_LIMIT:?} after it was told to stop"),
                hint: "`pu daemon logs` shows what it is at, `pu health` its process",
            });
        }
        daemon::pause(STOP_PROBE);
    }
    Ok(())
}

fn running_pid(endpoint: &Endpoint) -> Result<Option<u32>, Failure> {
    let reply = match ask_running(endpoint, &Request::Health) {
        Err(Failure::Answered(body)) if body.code == ErrorCode::ShuttingDown => return Ok(None),
        other => other?,
    };
    Ok(reply.and_then(|reply| match reply.answer {
        Answer::HealthReport(report) => Some(report.pid),
        _ => None,
    }))
}

fn show_stopped(invocation: &Invocation, reply: &Reply) -> Result<Outcome, Failure> {
    let Answer::ShutdownReport { stopped_agents, left_running } = reply.answer else {
        return Err(invocation.mismatch("shutdown", &reply.answer));
    };
    invocation.show(reply, || match (stopped_agents, left_running) {
        (0, 0) => "the daemon is stopped".to_owned(),
        (0, left) => format!("the daemon is stopped; {} left running", count(left as usize, "agent")),
        (ended, 0) => format!("the daemon is stopped; {} ended", count(ended as usize, "agent")),
        (ended, left) => format!(
            "the daemon is stopped; {} ended, {} left running",
            count(ended as usize, "agent"),
            count(left as usize, "agent")
        ),
    })?;
    Ok(Outcome::DONE)
}

fn say_none(invocation: &Invocation) -> Result<Outcome, Failure> {
    let answer = Answer::ShutdownReport { stopped_agents: 0, left_running: 0 };
    let line = serde_json::to_string(&answer).map_err(|e| Failure::Output(e.into()))?;
    invocation.show(&Reply { answer, line }, || "no daemon runs".to_owned())?;
    Ok(Outcome::DONE)
}

fn show_health(invocation: &Invocation, reply: &Reply) -> Result<Outcome, Failure> {
    let Answer::HealthReport(report) = &reply.answer else {
        return Err(invocation.mismatch("health", &reply.answer));
    };
    invocation.show(reply, || health::human(report))?;
    Ok(Outcome::DONE)
}

fn logs(invocation: &Invocation, lines: usize) -> Result<Outcome, Failure> {
    let path = invocation.endpoint.home.daemon_log();
    let text = engine::tail(&path, lines).map_err(|e| Failure::io("read", &path, e))?;
    if invocation.json {
        screen::say(&serde_json::json!({ "type": "daemon_log", "path": path, "text": text }).to_string())?;
    } else {
        screen::say(&printable_lines(&text))?;
    }
    Ok(Outcome::DONE)
}
