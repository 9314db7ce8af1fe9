//! `pu wait`: until an agent has ended.

use crate::agents;
use crate::connection::LinkError;
use crate::daemon;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::{AgentInfo, Answer, ErrorBody, ErrorCode, Event, Request};
use std::time::{Duration, Instant};

/// Silence longer than this is checked by asking: an event may be lost, a state is not.
const SILENCE: Duration = Duration::from_secs(30);
/// Before a daemon that went away is looked for again.
const AGAIN: Duration = Duration::from_millis(100);

/// Wait until an agent has ended, and exit with its exit code
///
/// A daemon that is restarted meanwhile makes no difference.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu wait fix-auth && echo done\n  pu wait fix-auth --timeout 600")]
pub(crate) struct Args {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
    /// Seconds to wait at most; the exit code is 124 then.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|e| e.to_string())
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        wait(invocation, &self.agent, self.timeout)
    }
}

/// Waits, tells how the agent ended and gives its exit code.
pub(crate) fn wait(invocation: &Invocation, agent: &str, timeout: Option<Duration>) -> Result<Outcome, Failure> {
    let deadline = timeout.map(|time| (time, Instant::now() + time));
    let mut agent = agents::find(invocation, agent)?;
    while agent.state.is_live() {
        match watch(invocation, &agent, deadline.map(|(_, at)| at))? {
            Some(changed) => agent = changed,
            None => {
                if let Some((time, _)) = deadline.filter(|(_, at)| Instant::now() >= *at) {
                    return Err(Failure::TimedOut {
                        message: format!("{} still runs after {time:?}", agent.name),
                        hint: "it goes on: `pu logs` shows what it does, `pu kill` ends it",
                    });
                }
                daemon::pause(AGAIN);
            }
        }
    }
    if invocation.json {
        screen::say(&as_json(&agent)?)?;
    } else {
        screen::say(&render::agents::ending(&agent, &View::new(invocation.style)))?;
    }
    match agents::exit_code(&agent.state) {
        Some(code) => Ok(Outcome(code)),
        None => Err(Failure::LinkLost { agent: agent.name.clone(), why: "how it ended is not known".to_owned() }),
    }
}

/// The agent as an answer of a type of its own: no request has it for its answer.
fn as_json(agent: &AgentInfo) -> Result<String, Failure> {
    let mut answer = serde_json::to_value(agent).map_err(|e| Failure::Output(e.into()))?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("type".to_owned(), "agent_info".into());
    }
    Ok(answer.to_string())
}

/// Listens until the agent changes. Nothing if the time is over or the daemon went away.
fn watch(invocation: &Invocation, agent: &AgentInfo, deadline: Option<Instant>) -> Result<Option<AgentInfo>, Failure> {
    let request = Request::Subscribe { cwd: None };
    let mut connection = daemon::ensure(&invocation.endpoint)?;
    match connection.exchange(&request, SILENCE) {
        Ok(reply) if matches!(reply.answer, Answer::Subscribed { .. }) => {}
        Ok(reply) => match reply.answer {
            Answer::Error(body) if body.code != ErrorCode::ShuttingDown => return Err(body.into()),
            Answer::Error(_) => return Ok(None),
            other => return Err(invocation.mismatch("subscribe", &other)),
        },
        Err(error) if error.is_gone() => return Ok(None),
        Err(error) => return Err(daemon::no_answer(&invocation.endpoint, &request, &error)),
    }
    // Asked after subscribing, so that no end falls between the two.
    let now = present(invocation, agent)?;
    if !now.state.is_live() {
        return Ok(Some(now));
    }
    loop {
        let left = deadline.map_or(SILENCE, |at| at.saturating_duration_since(Instant::now()).min(SILENCE));
        match connection.receive(left) {
            Ok(reply) => match reply.answer {
                Answer::Event(line) => match concerning(line.event, agent) {
                    Some(changed) if !changed.state.is_live() => return Ok(Some(changed)),
                    Some(_) | None => {}
                },
                _ => return present(invocation, agent).map(Some),
            },
            // An event of a newer daemon, or a long silence: the state says what it was about.
            Err(LinkError::NotUnderstood(_)) => {}
            Err(LinkError::TimedOut(_)) if left == SILENCE => return present(invocation, agent).map(Some),
            Err(_) => return Ok(None),
        }
    }
}

fn concerning(event: Event, agent: &AgentInfo) -> Option<AgentInfo> {
    match event {
        Event::AgentChanged { agent: changed } | Event::AgentEnded { agent: changed } => {
            (changed.agent_id == agent.agent_id).then_some(changed)
        }
        _ => None,
    }
}

fn present(invocation: &Invocation, agent: &AgentInfo) -> Result<AgentInfo, Failure> {
    let all = agents::list(invocation, None, true)?;
    all.into_iter().find(|a| a.agent_id == agent.agent_id).ok_or_else(|| {
        let message = format!("{} was removed while it was waited for", agent.name);
        ErrorBody::new(ErrorCode::AgentNotFound, message).into()
    })
}
