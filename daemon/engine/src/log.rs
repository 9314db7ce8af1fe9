//! The daemon's log: lines on standard error, which is `daemon.log` when `pu` starts the daemon, and may be a pipe when an
//! application does.
//!
//! Invariant: writing the log waits for nobody. Whoever holds the other end of a pipe and does not read it loses lines.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Write};
use tracing_subscriber::EnvFilter;

/// So much a pipe that is ready takes at once on every system (`PIPE_BUF` of POSIX), and never less.
const PIECE: usize = 512;

/// Writes from now on what is told to `tracing`. `PU_LOG` sets the level.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("PU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| StandardError)
        .with_ansi(false)
        // A log that cannot be written (full disk, closed pipe) is lost; by default the complaint about it would panic.
        .log_internal_errors(false)
        .init();
}

#[derive(Debug)]
struct StandardError;

impl Write for StandardError {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Held over both: between the question and the write no other thread fills the pipe.
        let mut stderr = io::stderr().lock();
        let ready = poll(&mut [PollFd::new(&io::stderr(), PollFlags::OUT)], Some(&Timespec::default()));
        if ready == Ok(0) {
            // There is no room: the rest of the line is lost.
            return Ok(bytes.len());
        }
        stderr.write(&bytes[..bytes.len().min(PIECE)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
