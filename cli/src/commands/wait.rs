//! `pu wait`: until an agent has ended, or does what is waited for.

use crate::agents;
use crate::connection::LinkError;
use crate::daemon;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::{self, View};
use crate::screen;
use pu_protocol::{AgentInfo, Answer, Doing, ErrorBody, ErrorCode, Event, Request};
use std::time::{Duration, Instant};

/// Silence longer than this is checked by asking: an event may be lost, a state is not.
const SILENCE: Duration = Duration::from_secs(30);
/// Before a daemon that went away is looked for again.
const AGAIN: Duration = Duration::from_millis(100);

/// Wait until an agent has ended, and exit with its exit code
///
/// With --for it waits until the agent is blocked, idle or done instead, and exits with 0 then; with 4 if the agent ended
/// without. A daemon that is restarted meanwhile makes no difference.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pu wait fix-auth && echo done\n  pu wait fix-auth --timeout 600\n  pu wait fix-auth --for blocked"
)]
pub(crate) struct Args {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
    /// Seconds to wait at most; the exit code is 124 then.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Wait until it is so, as far as its signals tell.
    #[arg(long = "for", value_name = "STATE")]
    until: Option<Until>,
}

/// What can be waited for besides the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Until {
    /// It needs somebody.
    Blocked,
    /// It waits for a task; one that is done does too.
    Idle,
    /// It has done what it was told, or has ended with exit code 0.
    Done,
}

impl Until {
    fn is_met(self, agent: &AgentInfo) -> bool {
        let doing = agent.activity.state;
        match self {
            Self::Blocked => doing == Doing::Blocked,
            Self::Idle => matches!(doing, Doing::Idle | Doing::Done),
            Self::Done => doing == Doing::Done,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Idle => "idle",
            Self::Done => "done",
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|e| e.to_string())
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let Some(until) = self.until else { return wait(invocation, &self.agent, self.timeout) };
        let agent = wait_while(invocation, &self.agent, self.timeout, |agent| !until.is_met(agent))?;
        if !until.is_met(&agent) {
            let message = format!("{} has ended ({}) without being {}", agent.name, agent.state.name(), until.name());
            let hint = format!("`pu logs {}` shows what it wrote", agent.name);
            return Err(ErrorBody::new(ErrorCode::AgentEnded, message).with_hint(hint).into());
        }
        if invocation.json {
            screen::say(&as_json(&agent)?)?;
        } else {
            screen::say(&render::activity::sentence(&agent, &View::new(invocation.style)))?;
        }
        Ok(Outcome::DONE)
    }
}

/// Waits, tells how the agent ended and gives its exit code.
pub(crate) fn wait(invocation: &Invocation, agent: &str, timeout: Option<Duration>) -> Result<Outcome, Failure> {
    let agent = wait_while(invocation, agent, timeout, |_| true)?;
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

/// Waits while the agent lives and is as `unfinished` says; answers it as it is then.
fn wait_while(
    invocation: &Invocation,
    agent: &str,
    timeout: Option<Duration>,
    unfinished: impl Fn(&AgentInfo) -> bool,
) -> Result<AgentInfo, Failure> {
    let deadline = timeout.map(|time| (time, Instant::now() + time));
    let goes_on = |agent: &AgentInfo| agent.state.is_live() && unfinished(agent);
    let mut agent = agents::find(invocation, agent)?;
    while goes_on(&agent) {
        match watch(invocation, &agent, deadline.map(|(_, at)| at), &goes_on)? {
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
    Ok(agent)
}

/// The agent as an answer of a type of its own: no request has it for its answer.
fn as_json(agent: &AgentInfo) -> Result<String, Failure> {
    let mut answer = serde_json::to_value(agent).map_err(|e| Failure::Output(e.into()))?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("type".to_owned(), "agent_info".into());
    }
    Ok(answer.to_string())
}

/// Listens until what is waited for is so. Nothing if the time is over or the daemon went away.
fn watch(
    invocation: &Invocation,
    agent: &AgentInfo,
    deadline: Option<Instant>,
    goes_on: &impl Fn(&AgentInfo) -> bool,
) -> Result<Option<AgentInfo>, Failure> {
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
    // Asked after subscribing, so that nothing falls between the two.
    let now = present(invocation, agent)?;
    if !goes_on(&now) {
        return Ok(Some(now));
    }
    loop {
        let left = deadline.map_or(SILENCE, |at| at.saturating_duration_since(Instant::now()).min(SILENCE));
        match connection.receive(left) {
            Ok(reply) => match reply.answer {
                Answer::Event(line) => match concerning(line.event, agent) {
                    Some(changed) if !goes_on(&changed) => return Ok(Some(changed)),
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
