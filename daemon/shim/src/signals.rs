//! Signals to the shim, turned into bytes that the loop can wait for.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};

/// The reading ends of the self-pipes. Handlers, unlike ignored signals, do not pass to the agent over its exec.
#[derive(Debug)]
pub(crate) struct Signals {
    child_ended: UnixStream,
    asked_to_end: UnixStream,
}

impl Signals {
    /// From here on a child's end and a request to end arrive here, and a hang-up does nothing at all.
    pub(crate) fn install() -> io::Result<Self> {
        flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
        Ok(Self { child_ended: self_pipe(&[SIGCHLD])?, asked_to_end: self_pipe(&[SIGTERM, SIGINT])? })
    }

    pub(crate) fn child_fd(&self) -> BorrowedFd<'_> {
        self.child_ended.as_fd()
    }

    pub(crate) fn end_fd(&self) -> BorrowedFd<'_> {
        self.asked_to_end.as_fd()
    }

    /// Whether a child has ended since the last call.
    pub(crate) fn take_child_ended(&mut self) -> bool {
        empty(&mut self.child_ended)
    }

    /// Whether somebody has sent SIGTERM or SIGINT since the last call.
    pub(crate) fn take_asked_to_end(&mut self) -> bool {
        empty(&mut self.asked_to_end)
    }
}

fn self_pipe(signals: &[i32]) -> io::Result<UnixStream> {
    let (reading, writing) = UnixStream::pair()?;
    reading.set_nonblocking(true)?;
    for signal in signals {
        pipe::register(*signal, writing.try_clone()?)?;
    }
    Ok(reading)
}

fn empty(pipe: &mut UnixStream) -> bool {
    let mut any = false;
    let mut buffer = [0; 64];
    while matches!(pipe.read(&mut buffer), Ok(n) if n > 0) {
        any = true;
    }
    any
}
