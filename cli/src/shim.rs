//! A connection to an agent's shim: frames out, frames in.
//!
//! Knows when a frame is whole and nothing of what it is for.

use crate::connection::connect;
use crate::failure::Failure;
use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::Stream as _;
use pu_protocol::frame::{ClientFrame, Decoder, FrameError, Hello, Refused, ShimFrame, Welcome};
use pu_protocol::{ErrorBody, ErrorCode};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

/// How long a shim may take to answer a greeting, or to take in what is left to send.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name that shims know this program by.
pub(crate) const CLIENT: &str = concat!("pu ", env!("CARGO_PKG_VERSION"));

#[derive(Debug, thiserror::Error)]
pub(crate) enum ShimError {
    #[error("its shim closed the connection")]
    Closed,
    #[error("its shim refused {}: {}", .0.request, .0.message)]
    Refused(Refused),
    #[error("its shim sent what is no frame: {0}")]
    Frame(#[from] FrameError),
    #[error("its shim cannot be reached: {0}")]
    Io(#[from] io::Error),
}

impl ShimError {
    pub(crate) fn for_agent(self, agent: &str) -> Failure {
        if let Self::Refused(refused) = &self
            && refused.code == "version_mismatch"
        {
            let body = ErrorBody::new(ErrorCode::UnsupportedProtocol, format!("{agent}: {}", refused.message));
            return body.with_hint(refused.hint.clone()).into();
        }
        Failure::LinkLost { agent: agent.to_owned(), why: self.to_string() }
    }
}

/// What stands next in the bytes received.
pub(crate) enum Incoming<'a> {
    Frame(ShimFrame<'a>),
    /// A frame of a newer protocol, to be skipped.
    Unknown,
    /// No whole frame.
    Nothing,
}

pub(crate) struct ShimLink {
    stream: Stream,
    decoder: Decoder,
    /// Frames that the socket has not taken yet.
    unsent: Vec<u8>,
}

impl ShimLink {
    /// Connects, greets, and waits for the welcome. What comes after it is left for `next`.
    pub(crate) fn open(socket: &Path, hello: Hello) -> Result<(Self, Welcome), ShimError> {
        let mut link = Self { stream: connect(socket)?, decoder: Decoder::new(), unsent: Vec::new() };
        link.stream.set_recv_timeout(Some(PATIENCE))?;
        link.stream.set_send_timeout(Some(PATIENCE))?;
        link.push(&ClientFrame::Hello(hello))?;
        link.finish_sending()?;
        let welcome = link.welcome()?;
        link.stream.set_recv_timeout(None)?;
        Ok((link, welcome))
    }

    fn welcome(&mut self) -> Result<Welcome, ShimError> {
        loop {
            match self.next()? {
                Incoming::Frame(ShimFrame::Welcome(welcome)) => return Ok(welcome),
                Incoming::Frame(ShimFrame::Refused(refused)) => return Err(ShimError::Refused(refused)),
                Incoming::Frame(_) | Incoming::Unknown => {}
                Incoming::Nothing => self.receive()?,
            }
        }
    }

    /// The next whole frame of those received.
    pub(crate) fn next(&mut self) -> Result<Incoming<'_>, FrameError> {
        let Some(raw) = self.decoder.next_frame()? else { return Ok(Incoming::Nothing) };
        Ok(ShimFrame::decode(&raw)?.map_or(Incoming::Unknown, Incoming::Frame))
    }

    /// Takes in what has come; waits for something on a blocking link.
    pub(crate) fn receive(&mut self) -> Result<(), ShimError> {
        let mut buffer = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ShimError::Closed),
                Ok(n) => {
                    self.decoder.feed(&buffer[..n]);
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    pub(crate) fn push(&mut self, frame: &ClientFrame<'_>) -> Result<(), FrameError> {
        frame.encode(&mut self.unsent)
    }

    pub(crate) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Sends as much as the socket takes now.
    pub(crate) fn send_some(&mut self) -> Result<(), ShimError> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => return Err(ShimError::Closed),
                Ok(n) => drop(self.unsent.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Sends all that is left, within `PATIENCE`.
    pub(crate) fn finish_sending(&mut self) -> Result<(), ShimError> {
        self.stream.set_nonblocking(false)?;
        self.stream.write_all(&self.unsent)?;
        self.unsent.clear();
        Ok(())
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)
    }
}

impl AsFd for ShimLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Stream::UdSocket(socket) => socket.as_fd(),
        }
    }
}
