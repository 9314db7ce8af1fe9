//! The daemon as a command sees it: asked, and started first where none runs.
//!
//! Holds no connection from one request to the next and never decides what an answer means.

use crate::connection::{Connection, LinkError, Reply};
use crate::endpoint::Endpoint;
use crate::engine::{self, Engine};
use crate::failure::{Failure, NOT_KNOWN};
use crate::release;
use pu_protocol::{Answer, ErrorCode, Request};
use std::io;
use std::time::{Duration, Instant};

/// How long a start may take when no daemon is to be seen.
const START_LIMIT: Duration = Duration::from_secs(3);
/// How long it may take in all: a daemon that has the lock is on its way up or down, and a loaded machine makes that long.
const START_LIMIT_MAX: Duration = Duration::from_secs(10);
/// The first pauses between two probes of a daemon that is starting; from then on each is `PROBE_PAUSE`.
const FIRST_PAUSES: [Duration; 5] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
];
/// How often a request is repeated. Once is too little: the socket of a daemon that is being killed takes connections
/// until the last of its threads is gone.
const REPEATS: usize = 5;
const REPEAT_PAUSE: Duration = Duration::from_millis(20);
const PROBE_PAUSE: Duration = Duration::from_millis(100);

/// Asks the daemon, starting one if none runs. An error answer is a failure.
///
/// A request that may be sent twice without harm is sent again when the daemon goes away under it, and any that the
/// daemon surely has not read.
pub(crate) fn ask(endpoint: &Endpoint, request: &Request) -> Result<Reply, Failure> {
    let patience = patience(request);
    let mut reply = ensure(endpoint)?.exchange(request, patience);
    for _ in 0..REPEATS {
        let again = |error: &LinkError| error.was_not_read() || (error.is_gone() && may_repeat(request));
        if !reply.as_ref().is_err_and(again) {
            break;
        }
        pause(REPEAT_PAUSE);
        reply = ensure(endpoint)?.exchange(request, patience);
    }
    accept(endpoint, request, reply)
}

/// Asks the daemon only if one runs.
pub(crate) fn ask_running(endpoint: &Endpoint, request: &Request) -> Result<Option<Reply>, Failure> {
    let Some(mut connection) = open(endpoint)? else { return Ok(None) };
    match connection.exchange(request, patience(request)) {
        Err(error) if error.is_gone() && open(endpoint)?.is_none() => Ok(None),
        reply => accept(endpoint, request, reply).map(Some),
    }
}

/// A connection to a daemon that answers, which is started if it does not run (DAEMON-001).
///
/// Any number of callers may do this at once: each starts an engine, the engine's lock lets one of them live, and all
/// callers find that one.
pub(crate) fn ensure(endpoint: &Endpoint) -> Result<Connection, Failure> {
    match open(endpoint)? {
        Some(connection) => Ok(connection),
        None => start(endpoint),
    }
}

/// A connection to the daemon, or nothing if none listens.
pub(crate) fn open(endpoint: &Endpoint) -> Result<Option<Connection>, Failure> {
    match Connection::open(&endpoint.socket) {
        Ok(connection) => Ok(Some(connection)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => Ok(None),
        Err(e) => Err(Failure::io("connect to the daemon at", &endpoint.socket, e)),
    }
}

fn start(endpoint: &Endpoint) -> Result<Connection, Failure> {
    let begun = Instant::now();
    let mut deadline = begun + START_LIMIT;
    let mut engine = Engine::start(endpoint)?;
    let mut pauses = FIRST_PAUSES.into_iter();
    loop {
        pause(pauses.next().unwrap_or(PROBE_PAUSE));
        if let Some(connection) = probe(endpoint, deadline)? {
            return Ok(connection);
        }
        // An engine that found the lock taken ends well. If then nobody answers, the holder was about to stop.
        engine.check(endpoint)?;
        let now = Instant::now();
        if engine::holder_lives(endpoint) {
            deadline = (now + START_LIMIT).min(begun + START_LIMIT_MAX);
        }
        if now >= deadline {
            return Err(engine.gave_up(endpoint, format!("none came up within {}s", (deadline - begun).as_secs())));
        }
    }
}

/// A connection on which `health` was answered just now.
fn probe(endpoint: &Endpoint, deadline: Instant) -> Result<Option<Connection>, Failure> {
    let Some(mut connection) = open(endpoint)? else { return Ok(None) };
    let left = deadline.saturating_duration_since(Instant::now()).max(PROBE_PAUSE);
    match connection.exchange(&Request::Health, left) {
        Ok(Reply { answer: Answer::HealthReport(_), .. }) => Ok(Some(connection)),
        Ok(_) | Err(LinkError::TimedOut(_)) => Ok(None),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(no_answer(endpoint, &Request::Health, &error)),
    }
}

#[allow(clippy::disallowed_methods, reason = "the pauses of DAEMON-001 are times; what is waited for has no event")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn accept(endpoint: &Endpoint, request: &Request, reply: Result<Reply, LinkError>) -> Result<Reply, Failure> {
    match reply {
        Ok(Reply { answer: Answer::Error(body), .. }) if body.code == ErrorCode::UnknownRequest => {
            Err(release::difference(endpoint, &name(request)).unwrap_or(body).into())
        }
        Ok(Reply { answer: Answer::Error(body), .. }) => Err(Failure::Answered(body)),
        Ok(reply) => Ok(reply),
        Err(error @ LinkError::NotUnderstood(_)) => match release::difference(endpoint, &name(request)) {
            Some(body) => Err(body.into()),
            None => Err(no_answer(endpoint, request, &error)),
        },
        Err(error) => Err(no_answer(endpoint, request, &error)),
    }
}

/// The request's type, as it stands on the wire.
fn name(request: &Request) -> String {
    let value = serde_json::to_value(request).ok();
    value.and_then(|v| Some(v.get("type")?.as_str()?.to_owned())).unwrap_or_default()
}

pub(crate) fn no_answer(endpoint: &Endpoint, request: &Request, error: &LinkError) -> Failure {
    let request = name(request);
    let silent =
        Failure::NoAnswer { socket: endpoint.socket.clone(), request: request.clone(), why: error.to_string() };
    match error {
        LinkError::RequestTooLong => Failure::RequestTooLong { request },
        LinkError::TimedOut(_) => Failure::TimedOut { message: silent.to_string(), hint: NOT_KNOWN },
        _ => silent,
    }
}

/// Whether asking twice does no more than asking once.
fn may_repeat(request: &Request) -> bool {
    match request {
        Request::Hello { .. }
        | Request::Health
        | Request::Doctor { .. }
        | Request::Init { .. }
        | Request::ConfigShow { .. }
        | Request::ProjectList { .. }
        | Request::ProjectAdd { .. }
        | Request::ProjectShow { .. }
        | Request::ProjectScan { .. }
        | Request::TrustShow { .. }
        | Request::Trust { .. }
        | Request::Untrust { .. }
        | Request::Status { .. }
        | Request::AgentExplain { .. }
        | Request::History { .. }
        | Request::Logs { .. }
        | Request::Attach { .. }
        | Request::Resize { .. }
        | Request::ContextExplain { .. }
        | Request::ContextShow { .. }
        | Request::ContextDrop { .. }
        | Request::ContextLearned { .. }
        | Request::ContextForget { .. }
        | Request::SpecList { .. }
        | Request::SpecShow { .. }
        | Request::SpecSearch { .. }
        | Request::SpecLint { .. }
        | Request::PluginList { .. }
        | Request::PluginInspect { .. }
        | Request::PluginEncode { .. }
        | Request::PluginRun { .. }
        | Request::PluginBench { .. }
        | Request::Subscribe { .. }
        | Request::Clean { dry_run: true, .. } => true,
        Request::Spawn(_)
        | Request::Resume(_)
        | Request::Input { .. }
        | Request::Kill { .. }
        | Request::Clean { .. }
        | Request::ProjectRemove { .. }
        | Request::PluginAdd { .. }
        | Request::PluginRemove { .. }
        | Request::PluginSwitch { .. }
        | Request::Shutdown { .. } => false,
    }
}

/// How long an answer may take before the daemon counts as stuck. Git on a large repository, a kill's grace, a first
/// indexing and the compiling of a large plugin take their time; a daemon that dies is noticed at once, whatever stands
/// here.
pub(crate) fn patience(request: &Request) -> Duration {
    Duration::from_secs(match request {
        Request::Spawn(_) | Request::Resume(_) | Request::Init { .. } => 300,
        Request::Clean { .. } | Request::PluginBench { .. } => 300,
        Request::Kill { grace_ms, .. } => (grace_ms.unwrap_or_default() / 1000 + 30).max(120),
        // The whole folder may have to be indexed first.
        Request::ContextExplain { specs: Some(_), .. } => 600,
        Request::SpecLint { .. } => 600,
        Request::SpecList { .. } | Request::SpecShow { .. } | Request::SpecSearch { .. } => 120,
        Request::ContextExplain { .. } | Request::Shutdown { .. } | Request::Doctor { .. } => 120,
        Request::History { .. } => 120,
        // The disks below the roots may be large and slow, and the first index may have to be built.
        Request::ProjectScan { .. } => 600,
        Request::TrustShow { .. } | Request::Trust { .. } | Request::Untrust { .. } => 300,
        Request::PluginInspect { .. } | Request::PluginEncode { .. } => 120,
        // The compiler has a minute for each, and may have some before this one.
        Request::PluginAdd { .. } | Request::PluginSwitch { .. } => 300,
        // A call ends within half a second, whatever the plugin does.
        Request::PluginRun { tasks, .. } => tasks.len() as u64 + 120,
        _ => 30,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::layout::HomeLayout;

    #[test]
    fn a_kill_may_take_as_long_as_its_grace() {
        let kill = |grace_ms| Request::Kill {
            cwd: None,
            agents: vec!["docs".into()],
            worktree: None,
            all: false,
            include_root: false,
            grace_ms,
        };
        for (grace_ms, seconds) in [(None, 120), (Some(5_000), 120), (Some(600_000), 630)] {
            assert_eq!(patience(&kill(grace_ms)), Duration::from_secs(seconds), "{grace_ms:?}");
        }
    }

    #[test]
    fn a_request_without_an_answer_says_why() {
        let endpoint = Endpoint { home: HomeLayout::new("/h"), socket: "/h/daemon.sock".into() };
        for (error, code) in [
            (LinkError::Closed, ErrorCode::DaemonUnavailable),
            (LinkError::TimedOut(Duration::from_secs(30)), ErrorCode::TimedOut),
            (LinkError::RequestTooLong, ErrorCode::InvalidPrompt),
        ] {
            let body = no_answer(&endpoint, &Request::Health, &error).body();
            assert_eq!(body.code, code, "{error:?}");
            assert!(body.message.contains("`health`") && body.hint.is_some(), "{body:?}");
        }
    }
}
