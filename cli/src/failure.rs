//! What can go wrong in `pu`, how it is told to people and programs, and which exit code it becomes.
//!
//! The daemon's own errors pass through unchanged; nothing here decides what to do about a failure.

use crate::screen::{self, Style};
use crate::text::printable;
use pu_protocol::{ErrorBody, ErrorCode, LINE_MAX};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended that did what it was asked: the code `pu` exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome(pub(crate) u8);

impl Outcome {
    pub(crate) const DONE: Self = Self(0);
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The daemon said no.
    #[error("{0}")]
    Answered(ErrorBody),
    /// No daemon, and none could be started.
    #[error("no daemon answers at {}: {why}", socket.display())]
    NoDaemon { socket: PathBuf, why: String, log: PathBuf, log_tail: String },
    /// The connection ended, or said nothing sensible, before the answer was there.
    #[error("the daemon at {} did not answer `{request}`: {why}", socket.display())]
    NoAnswer { socket: PathBuf, request: String, why: String },
    /// Nothing was sent.
    #[error("the request `{request}` would be longer than the {LINE_MAX} bytes that a daemon takes")]
    RequestTooLong { request: String },
    #[error("cannot {act} {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: io::Error },
    /// Standard output cannot be written to.
    #[error("cannot write the answer: {0}")]
    Output(io::Error),
    #[error("{0}")]
    Usage(String),
    /// Something that `pu` itself will not do unasked.
    #[error("{message}")]
    Refused { message: String, hint: String },
    /// Something took longer than the user allowed, or than is thinkable.
    #[error("{message}")]
    TimedOut { message: String, hint: &'static str },
    /// The connection to an agent broke while it was in use.
    #[error("the link to {agent} is lost: {why}")]
    LinkLost { agent: String, why: String },
    /// A program that builds a plugin failed.
    #[error("{tool} failed: {why}{}", last_words(said))]
    Tool { tool: String, why: String, said: Said },
    /// A check of `pu demo` does not hold.
    #[error("the demonstration failed: {0}")]
    Demo(String),
}

/// What a tool that failed had to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// It stands on standard error already.
    Above,
    /// The last lines of it, which nobody has seen.
    Lines(String),
}

fn last_words(said: &Said) -> String {
    match said {
        Said::Lines(lines) if !lines.is_empty() => format!("; the last that it said:\n{lines}"),
        Said::Lines(_) | Said::Above => String::new(),
    }
}

/// What may or may not have been done.
pub(crate) const NOT_KNOWN: &str = "whether it was done is not known: see `pu status` and `pu daemon logs`";

impl From<ErrorBody> for Failure {
    fn from(body: ErrorBody) -> Self {
        Self::Answered(body)
    }
}

impl Failure {
    pub(crate) fn io(act: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { act, path: path.into(), source }
    }

    /// The failure as a program reads it.
    pub(crate) fn body(&self) -> ErrorBody {
        let (code, hint) = match self {
            Self::Answered(body) => return body.clone(),
            Self::NoDaemon { log, .. } => (ErrorCode::DaemonUnavailable, Some(format!("see {}", log.display()))),
            Self::NoAnswer { .. } => (ErrorCode::DaemonUnavailable, Some(NOT_KNOWN.to_owned())),
            Self::RequestTooLong { .. } => (
                ErrorCode::InvalidPrompt,
                Some("put the text into a file and name the file in the prompt: the agent reads it".to_owned()),
            ),
            Self::Io { source, .. } => (ErrorCode::Io, io_hint(source.kind()).map(str::to_owned)),
            Self::Output(_) => (
                ErrorCode::Io,
                Some("see whether the disk is full, or the program gone, that standard output goes to".to_owned()),
            ),
            Self::Usage(_) => (ErrorCode::InvalidRequest, Some("see `pu help`".to_owned())),
            Self::Refused { hint, .. } => (ErrorCode::InvalidRequest, Some(hint.clone())),
            Self::TimedOut { hint, .. } => (ErrorCode::TimedOut, Some((*hint).to_owned())),
            Self::LinkLost { .. } => (ErrorCode::AgentUnreachable, Some("see `pu status`".to_owned())),
            Self::Tool { said, .. } => {
                let above = if *said == Said::Above { "what it says stands above; " } else { "" };
                (ErrorCode::BuildFailed, Some(format!("{above}once that is mended, run `pu plugin build` again")))
            }
            Self::Demo(_) => (
                ErrorCode::Internal,
                Some("`pu demo --keep` leaves its folders; the daemon's log there is home/daemon.log".to_owned()),
            ),
        };
        let mut body = ErrorBody::new(code, self.to_string());
        body.hint = hint;
        body
    }

    /// `pu help` and the README hold the table of these codes.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { .. } => REFUSED,
            other => exit_code(other.body().code),
        }
    }
}

/// What can be done about a file that cannot be used, where its kind says so.
fn io_hint(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as K;
    match kind {
        K::NotFound => Some("check the path: it counts from the current folder, or from the one that -C names"),
        K::PermissionDenied => Some("check with `ls -ld` whose it is and what you may do with it"),
        K::StorageFull | K::QuotaExceeded => Some("make room on the disk, then try again"),
        K::ReadOnlyFilesystem => Some("it lies on a file system that can only be read: choose another place"),
        K::InvalidData => Some("it must be text in UTF-8"),
        _ => None,
    }
}

/// What is there was not allowed to be done.
const REFUSED: u8 = 4;

/// The exit code that stands for an error of this kind.
fn exit_code(code: ErrorCode) -> u8 {
    use ErrorCode as E;
    match code {
        E::InvalidRequest | E::InvalidName | E::InvalidPrompt => 2,
        E::NotAProject
        | E::ProjectNotFound
        | E::ProjectAmbiguous
        | E::AgentNotFound
        | E::AgentAmbiguous
        | E::UnknownAgentType
        | E::CommandNotFound
        | E::UnknownBase
        | E::WorktreeNotFound
        | E::SpecNotFound
        | E::PluginNotFound
        | E::UnknownConfigKey
        | E::NotAGitRepository
        | E::GitMissing => 3,
        E::NotPermitted
        | E::ProjectUntrusted
        | E::TrustOutdated
        | E::NameTaken
        | E::AgentEnded
        | E::AgentRunning
        | E::PathOutsideProject
        | E::PluginRefused
        | E::RequiredAssemblerFailed => REFUSED,
        E::DaemonUnavailable | E::ShuttingDown | E::Busy | E::UnsupportedProtocol => 5,
        E::TimedOut => 124,
        E::MalformedRequest
        | E::UnknownRequest
        | E::LineTooLong
        | E::AgentUnreachable
        | E::LaunchFailed
        | E::BuildFailed
        | E::GitFailed
        | E::InvalidConfig
        | E::PathTooLong
        | E::RecordDamaged
        | E::Io
        | E::DiskFull
        | E::Internal => 1,
    }
}

/// Tells how it went and gives the code to exit with.
pub(crate) fn conclude(outcome: Result<Outcome, Failure>, json: bool) -> ExitCode {
    match outcome {
        Ok(Outcome(code)) => ExitCode::from(code),
        // Whoever read the answer has enough of it (`pu status | head`).
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            let text = if json { as_json(&failure) } else { as_text(&failure, Style::of_stderr()) };
            screen::complain(&text);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn as_json(failure: &Failure) -> String {
    let line = pu_protocol::AnswerLine { id: None, answer: pu_protocol::Answer::Error(failure.body()) };
    serde_json::to_string(&line).unwrap_or_else(|_| failure.to_string())
}

fn as_text(failure: &Failure, style: Style) -> String {
    let body = failure.body();
    let mut text = format!("{} {}", style.bad("error:"), printable(&body.message));
    if let Failure::NoDaemon { log, log_tail, .. } = failure
        && !log_tail.is_empty()
    {
        text.push_str(&format!("\nthe end of {}:", printable(&log.display().to_string())));
        for line in log_tail.lines() {
            text.push_str(&format!("\n  {}", printable(line)));
        }
    }
    if let Some(hint) = &body.hint {
        text.push_str(&format!("\n{} {}", style.dim("hint:"), printable(hint)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_scripts_tell_apart() {
        for (code, wanted) in [
            (ErrorCode::AgentNotFound, 3),
            (ErrorCode::NotAProject, 3),
            (ErrorCode::ProjectNotFound, 3),
            (ErrorCode::ProjectAmbiguous, 3),
            (ErrorCode::PluginNotFound, 3),
            (ErrorCode::PluginRefused, 4),
            (ErrorCode::NameTaken, 4),
            (ErrorCode::ProjectUntrusted, 4),
            (ErrorCode::AgentEnded, 4),
            (ErrorCode::AgentRunning, 4),
            (ErrorCode::DaemonUnavailable, 5),
            (ErrorCode::InvalidRequest, 2),
            (ErrorCode::TimedOut, 124),
            (ErrorCode::Internal, 1),
        ] {
            assert_eq!(exit_code(code), wanted, "{code:?}");
        }
    }

    #[test]
    fn an_error_is_told_with_its_hint_and_without_control_characters() {
        let failure =
            Failure::from(ErrorBody::new(ErrorCode::AgentNotFound, "no agent \x1b[2J").with_hint("pu status"));
        insta::assert_snapshot!(as_text(&failure, Style::PLAIN), @r"
        error: no agent \u{1b}[2J
        hint: pu status
        ");
        insta::assert_snapshot!(
            as_json(&failure),
            @r#"{"type":"error","code":"agent_not_found","message":"no agent \u001b[2J","hint":"pu status"}"#
        );
    }

    #[test]
    fn what_can_be_done_is_said_where_something_can() {
        let hint = |kind: io::ErrorKind| Failure::io("read", "/work/task.md", kind.into()).body().hint;
        assert!(hint(io::ErrorKind::NotFound).is_some_and(|text| text.contains("-C")));
        assert!(hint(io::ErrorKind::PermissionDenied).is_some_and(|text| text.contains("ls -ld")));
        assert_eq!(hint(io::ErrorKind::WouldBlock), None);
        for failure in [Failure::Output(io::ErrorKind::StorageFull.into()), Failure::Demo("it broke".into())] {
            assert!(failure.body().hint.is_some(), "{failure}");
        }
    }

    #[test]
    fn a_daemon_that_does_not_start_shows_its_log() {
        let failure = Failure::NoDaemon {
            socket: "/h/daemon.sock".into(),
            why: "it ended with exit status: 1".into(),
            log: "/h/daemon.log".into(),
            log_tail: "boom\n".into(),
        };
        insta::assert_snapshot!(as_text(&failure, Style::PLAIN), @r"
        error: no daemon answers at /h/daemon.sock: it ended with exit status: 1
        the end of /h/daemon.log:
          boom
        hint: see /h/daemon.log
        ");
    }
}
