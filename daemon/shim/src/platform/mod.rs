//! What Linux and macOS do differently for a shim: waiting on terminals, and keeping orphans in sight.

use std::os::fd::BorrowedFd;

/// A file that is waited on, and what came of it.
#[derive(Debug)]
pub(crate) struct Watch<'fd> {
    pub(crate) fd: BorrowedFd<'fd>,
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// Reading will not block: there are bytes, or the end, or an error.
    pub(crate) readable: bool,
    /// Writing will not block, or will fail at once.
    pub(crate) writable: bool,
}

impl<'fd> Watch<'fd> {
    pub(crate) fn new(fd: BorrowedFd<'fd>, read: bool, write: bool) -> Self {
        Self { fd, read, write, readable: false, writable: false }
    }
}

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{adopt_orphans, wait};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{adopt_orphans, wait};
