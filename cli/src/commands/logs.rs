//! `pu logs`: what an agent has written, and what it goes on to write.

use crate::attach::locate;
use crate::daemon;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::render::count;
use crate::screen;
use crate::shim::{CLIENT, Incoming, ShimError, ShimLink};
use crate::text::Plain;
use pu_protocol::answer::{Gap, LogsReport};
use pu_protocol::frame::{Hello, Mode, ShimFrame};
use pu_protocol::{Answer, Base64Bytes, ErrorCode, Request};
use std::path::Path;
use std::time::Duration;

/// Before a shim that went away is looked for again, and how often without a byte gained.
const AGAIN: Duration = Duration::from_millis(100);
const TRIES: u32 = 20;

/// Print an agent's output
///
/// Escape sequences and control characters are taken out; --raw prints the bytes as the agent wrote them. Output stays
/// after an agent's end. What is no longer kept is told on stderr. With --json each piece is an object with its offset,
/// the bytes in base64 and the gap before it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu logs fix-auth
  pu logs fix-auth --tail 4096 -f
  pu logs fix-auth --raw > typescript")]
pub(crate) struct Args {
    /// The agent: id, name, or the first four or more characters of either.
    agent: String,
    /// Only the last so many bytes.
    #[arg(long, value_name = "BYTES", conflicts_with = "since")]
    tail: Option<u64>,
    /// Only what comes from this offset on, counted in bytes from the agent's start.
    #[arg(long, value_name = "OFFSET")]
    since: Option<u64>,
    /// Go on until the agent ends.
    #[arg(short, long)]
    follow: bool,
    /// The bytes as they are.
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

/// Prints what there is from an offset on, without what only a terminal understands.
pub(crate) fn print_since(invocation: &Invocation, agent: &str, since: u64) -> Result<(), Failure> {
    let args = Args { agent: agent.to_owned(), tail: None, since: Some(since), follow: false, raw: false };
    args.run(invocation).map(|_| ())
}

/// Where the output goes.
struct Sink {
    json: bool,
    plain: Option<Plain>,
    /// Where the next byte belongs.
    offset: u64,
}

/// How following a shim came to its end.
enum Followed {
    Ended,
    Lost,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let mut sink = Sink { json: invocation.json, plain: (!self.raw).then(Plain::default), offset: 0 };
        let since = self.since.or(if self.tail.is_none() { Some(0) } else { None });
        let mut live = self.drain(invocation, &mut sink, since, self.tail)?;
        let mut tries = 0;
        while self.follow && live {
            let before = sink.offset;
            let ended = self.follow_shim(invocation, &mut sink)?;
            let since = Some(sink.offset);
            live = self.drain(invocation, &mut sink, since, None)? && !matches!(ended, Followed::Ended);
            tries = if sink.offset > before { 0 } else { tries + 1 };
            if live && tries >= TRIES {
                return Err(Failure::LinkLost {
                    agent: self.agent.clone(),
                    why: "its shim does not answer".to_owned(),
                });
            }
            if live {
                daemon::pause(AGAIN);
            }
        }
        Ok(Outcome::DONE)
    }

    /// Prints what the daemon has, up to the end that it saw first. Whether the agent still runs.
    fn drain(
        &self,
        invocation: &Invocation,
        sink: &mut Sink,
        mut since: Option<u64>,
        tail: Option<u64>,
    ) -> Result<bool, Failure> {
        let mut goal = None;
        loop {
            let request =
                Request::Logs { agent: self.agent.clone(), cwd: invocation.cwd(), since, tail, max_bytes: None };
            let reply = invocation.ask(&request)?;
            let Answer::LogsReport(report) = reply.answer else {
                return Err(invocation.mismatch("logs", &reply.answer));
            };
            let goal = *goal.get_or_insert(report.end);
            let (next, live, empty) = (report.next_offset, report.live, report.data.0.is_empty());
            sink.take(report)?;
            since = Some(next);
            if next >= goal || empty {
                return Ok(live);
            }
        }
    }

    /// Prints what the shim sends, whatever becomes of the daemon meanwhile.
    fn follow_shim(&self, invocation: &Invocation, sink: &mut Sink) -> Result<Followed, Failure> {
        let socket = match locate(invocation, &self.agent) {
            Ok((_, socket)) => socket,
            Err(Failure::Answered(body)) if body.code == ErrorCode::AgentEnded => return Ok(Followed::Ended),
            Err(Failure::Answered(body)) if body.code == ErrorCode::AgentUnreachable => return Ok(Followed::Lost),
            Err(failure) => return Err(failure),
        };
        match follow(&socket, sink)? {
            Ok(followed) => Ok(followed),
            Err(error @ ShimError::Refused(_)) => Err(error.for_agent(&self.agent)),
            Err(_) => Ok(Followed::Lost),
        }
    }
}

/// The outer failure is one of printing, the inner one of the link.
fn follow(socket: &Path, sink: &mut Sink) -> Result<Result<Followed, ShimError>, Failure> {
    let hello = Hello { since: Some(sink.offset), read_only: true, ..Hello::new(CLIENT, Mode::Follow) };
    let mut link = match ShimLink::open(socket, hello) {
        Ok((link, _)) => link,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        match link.next() {
            Ok(Incoming::Frame(ShimFrame::Output { offset, bytes })) => sink.piece(offset, bytes)?,
            Ok(Incoming::Frame(ShimFrame::Gap { from, to })) => sink.gap(Gap { from, to })?,
            Ok(Incoming::Frame(ShimFrame::Exited(_))) => return Ok(Ok(Followed::Ended)),
            Ok(Incoming::Frame(_) | Incoming::Unknown) => {}
            Ok(Incoming::Nothing) => match link.receive() {
                Ok(()) => {}
                Err(error) => return Ok(Err(error)),
            },
            Err(error) => return Ok(Err(error.into())),
        }
    }
}

impl Sink {
    fn take(&mut self, report: LogsReport) -> Result<(), Failure> {
        self.offset = report.next_offset;
        if self.json {
            return say_json(report);
        }
        if let Some(gap) = report.gap {
            note(gap);
        }
        self.print(&report.data.0)
    }

    fn piece(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Failure> {
        let next_offset = offset + bytes.len() as u64;
        self.offset = next_offset;
        if !self.json {
            return self.print(bytes);
        }
        let data = Base64Bytes(bytes.to_vec());
        say_json(LogsReport { offset, next_offset, end: next_offset, gap: None, data, live: true })
    }

    fn gap(&mut self, gap: Gap) -> Result<(), Failure> {
        self.offset = self.offset.max(gap.to);
        if !self.json {
            note(gap);
            return Ok(());
        }
        let data = Base64Bytes::default();
        say_json(LogsReport { offset: gap.to, next_offset: gap.to, end: gap.to, gap: Some(gap), data, live: true })
    }

    fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match &mut self.plain {
            Some(plain) => screen::write_out(plain.feed(bytes).as_bytes()),
            None => screen::write_out(bytes),
        }
    }
}

fn note(gap: Gap) {
    screen::complain(&told(gap));
}

fn told(gap: Gap) -> String {
    let size = count(usize::try_from(gap.to.saturating_sub(gap.from)).unwrap_or(usize::MAX), "byte");
    format!("pu: {size} no longer kept: offsets {} to {}", gap.from, gap.to)
}

fn say_json(report: LogsReport) -> Result<(), Failure> {
    let line = serde_json::to_string(&Answer::LogsReport(report)).map_err(|e| Failure::Output(e.into()))?;
    screen::say(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_told_with_its_size_and_its_bounds() {
        assert_eq!(told(Gap { from: 24, to: 1_048_600 }), "pu: 1,048,576 bytes no longer kept: offsets 24 to 1048600");
    }
}
