//! Linux: `poll`, and orphans become children of the shim.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Watch;

/// Processes below this one whose parent dies become children of this one, so that a double fork hides nobody.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// Waits until one of `watches` is ready or the time is up. A signal ends the wait early, with nothing ready.
pub(crate) fn wait(watches: &mut [Watch<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let mut fds: Vec<PollFd<'_>> = watches.iter().map(|w| PollFd::new(w.fd, flags(w))).collect();
    match poll(&mut fds, poll_timeout(timeout)) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    for (watch, fd) in watches.iter_mut().zip(&fds) {
        let seen = fd.revents().unwrap_or(PollFlags::empty());
        let broken = seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL);
        watch.readable = watch.read && (broken || seen.contains(PollFlags::POLLIN));
        watch.writable = watch.write && (broken || seen.contains(PollFlags::POLLOUT));
    }
    Ok(())
}

fn flags(watch: &Watch<'_>) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::POLLIN, watch.read);
    flags.set(PollFlags::POLLOUT, watch.write);
    flags
}

/// Rounded up: a wait that ends just before its deadline would run in circles.
fn poll_timeout(timeout: Option<Duration>) -> PollTimeout {
    let Some(timeout) = timeout else { return PollTimeout::NONE };
    let milliseconds = timeout.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}
