//! One connection to the daemon: lines out, lines in.
//!
//! Starts no daemon, retries nothing and never waits longer than it was told to.

use interprocess::local_socket::traits::Stream as _;
use interprocess::local_socket::{GenericFilePath, Stream, ToFsName};
use pu_protocol::{Answer, AnswerLine, LINE_MAX, Request, RequestId, RequestLine};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Connects to a local socket.
pub(crate) fn connect(socket: &Path) -> io::Result<Stream> {
    Stream::connect(socket.to_fs_name::<GenericFilePath>()?)
}

/// An answer, and the line it came on: programs get the line as it is, with fields that this `pu` does not know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) line: String,
}

/// Why a connection gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the connection was closed")]
    Closed,
    #[error("nothing came for {0:?}")]
    TimedOut(Duration),
    #[error("its line is longer than {LINE_MAX} bytes")]
    TooLong,
    #[error(
        "its answer is not understood ({0}); the daemon may be of another version: `pu daemon restart` changes that and leaves the agents running"
    )]
    NotUnderstood(serde_json::Error),
    #[error("the request is longer than {LINE_MAX} bytes")]
    RequestTooLong,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl LinkError {
    /// Whether the other side is gone, so that asking a new daemon makes sense.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Closed) || self.was_not_read()
    }

    /// Whether the daemon went away with bytes of the request unread, so that nothing was done about it: the socket of
    /// one that is being killed takes connections until it is gone. A reset is how Linux tells of unread bytes (a close
    /// of a socket that has none is an end of file); where a system does not, this is false.
    pub(crate) fn was_not_read(&self) -> bool {
        use io::ErrorKind as K;
        matches!(self, Self::Io(e) if matches!(e.kind(), K::BrokenPipe | K::ConnectionReset | K::ConnectionAborted))
    }
}

pub(crate) struct Connection {
    stream: BufReader<Stream>,
    /// What has come of a line whose end has not: a time-out loses nothing.
    partial: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(socket: &Path) -> io::Result<Self> {
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, connect(socket)?), partial: Vec::new() })
    }

    pub(crate) fn send(&mut self, request: &Request, patience: Duration) -> Result<(), LinkError> {
        self.send_as(None, request, patience)
    }

    /// Sends a request that its answer is known by: such ones are worked on side by side.
    pub(crate) fn send_as(
        &mut self,
        id: Option<RequestId>,
        request: &Request,
        patience: Duration,
    ) -> Result<(), LinkError> {
        let mut line = serde_json::to_vec(&RequestLine { id, request: request.clone() }).map_err(io::Error::from)?;
        line.push(b'\n');
        if line.len() > LINE_MAX {
            return Err(LinkError::RequestTooLong);
        }
        let stream = self.stream.get_mut();
        stream.set_send_timeout(Some(patience))?;
        stream.write_all(&line).map_err(|e| if is_timeout(&e) { LinkError::TimedOut(patience) } else { e.into() })
    }

    /// Waits for the next line, `patience` at most.
    pub(crate) fn receive(&mut self, patience: Duration) -> Result<Reply, LinkError> {
        self.receive_any(patience).map(|(_, reply)| reply)
    }

    /// The same, with what the request was called.
    pub(crate) fn receive_any(&mut self, patience: Duration) -> Result<(Option<RequestId>, Reply), LinkError> {
        let line = self.read_line(patience)?;
        let AnswerLine { id, answer } = serde_json::from_str(&line).map_err(LinkError::NotUnderstood)?;
        Ok((id, Reply { answer, line }))
    }

    pub(crate) fn exchange(&mut self, request: &Request, patience: Duration) -> Result<Reply, LinkError> {
        self.send(request, patience)?;
        self.receive(patience)
    }

    fn read_line(&mut self, patience: Duration) -> Result<String, LinkError> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LinkError::TimedOut(patience));
            }
            self.stream.get_ref().set_recv_timeout(Some(left))?;
            let available = match self.stream.fill_buf() {
                Ok([]) => return Err(LinkError::Closed),
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::Interrupted || is_timeout(&e) => continue,
                Err(e) => return Err(e.into()),
            };
            let end = available.iter().position(|&b| b == b'\n');
            let taken = end.map_or(available.len(), |at| at + 1);
            self.partial.extend_from_slice(&available[..end.unwrap_or(taken)]);
            self.stream.consume(taken);
            if self.partial.len() >= LINE_MAX {
                return Err(LinkError::TooLong);
            }
            if end.is_some() {
                let line = std::mem::take(&mut self.partial);
                return String::from_utf8(line).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e).into());
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
