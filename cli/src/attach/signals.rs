//! The signals that an attached terminal must act on, as descriptors that can be polled.
//!
//! Acts on none of them itself.

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::low_level::pipe;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

const CAUGHT: [i32; 6] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT];

/// One pipe a signal: that it is readable says that the signal came since it was last read.
pub(crate) struct Signals {
    pipes: Vec<(i32, UnixStream)>,
}

impl Signals {
    pub(crate) fn catch() -> io::Result<Self> {
        let mut pipes = Vec::with_capacity(CAUGHT.len());
        for signal in CAUGHT {
            let (ours, handlers) = UnixStream::pair()?;
            ours.set_nonblocking(true)?;
            pipe::register(signal, handlers)?;
            pipes.push((signal, ours));
        }
        Ok(Self { pipes })
    }

    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.pipes.iter().map(|(_, pipe)| pipe.as_fd())
    }

    /// The signals that came since this was last asked.
    pub(crate) fn take(&mut self) -> Vec<i32> {
        let mut came = Vec::new();
        for (signal, pipe) in &mut self.pipes {
            let mut buffer = [0; 64];
            while pipe.read(&mut buffer).is_ok_and(|n| n > 0) {
                if came.last() != Some(signal) {
                    came.push(*signal);
                }
            }
        }
        came
    }
}
