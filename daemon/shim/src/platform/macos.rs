//! macOS: `select`, since its `poll` does not serve terminals; and orphans go to launchd, whatever one asks.

use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

use super::Watch;

/// There is no such service here: descendants are noted before they are signalled instead, and their groups with them.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Waits until one of `watches` is ready or the time is up. A signal ends the wait early, with nothing ready.
pub(crate) fn wait(watches: &mut [Watch<'_>], timeout: Option<Duration>) -> io::Result<()> {
    let (mut reads, mut writes) = (FdSet::new(), FdSet::new());
    let mut highest = 0;
    for watch in watches.iter() {
        highest = highest.max(watch.fd.as_raw_fd());
        if watch.read {
            reads.insert(watch.fd);
        }
        if watch.write {
            writes.insert(watch.fd);
        }
    }
    // Rounded up: a wait that ends just before its deadline would run in circles.
    let microseconds = |t: Duration| i64::try_from(t.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX);
    let mut timeout = timeout.map(|t| TimeVal::microseconds(microseconds(t)));
    match select(highest + 1, &mut reads, &mut writes, None, timeout.as_mut()) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    for watch in watches.iter_mut() {
        watch.readable = watch.read && reads.contains(watch.fd);
        watch.writable = watch.write && writes.contains(watch.fd);
    }
    Ok(())
}
