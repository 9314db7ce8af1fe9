//! What differs between Linux and macOS in the daemon. Everything else is the same on both.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What macOS takes as a file limit although it calls its hard limit infinite (`OPEN_MAX`).
const MACOS_OPEN_MAX: u64 = 10_240;

/// The process that started this one.
pub(crate) fn parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

/// Raises the soft limit on open files to the hard one: agents, clients and indexes are many files. Answers what the
/// soft limit was: agents get that one, since some programs take a high one badly.
pub(crate) fn raise_file_limit() -> Option<u64> {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = if cfg!(target_os = "macos") { hard.min(MACOS_OPEN_MAX) } else { hard };
        if wanted > soft {
            setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?;
        }
        Ok(soft)
    });
    raised.inspect_err(|error| tracing::warn!(%error, "the limit on open files could not be raised")).ok()
}

/// Waits until a process is gone, without polling. Waits for ever if it cannot be watched.
pub(crate) async fn gone(pid: i32) {
    let watched = tokio::task::spawn_blocking(move || await_end(pid)).await;
    if let Ok(Err(error)) = watched {
        tracing::error!(%error, "the parent process cannot be watched");
        std::future::pending::<()>().await;
    }
}

#[cfg(target_os = "linux")]
fn await_end(pid: i32) -> std::io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let Some(process) = Pid::from_raw(pid) else { return Ok(()) };
    let handle = match pidfd_open(process, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // It may have died before the handle was opened, and another process have its number by now.
    while parent() == pid {
        match poll(&mut [PollFd::new(&handle, PollFlags::IN)], None) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(target_os = "macos")]
fn await_end(pid: i32) -> std::io::Result<()> {
    use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
    let Ok(ident) = usize::try_from(pid) else { return Ok(()) };
    let queue = Kqueue::new()?;
    let flags = EvFlags::EV_ADD | EvFlags::EV_ONESHOT;
    let exit = KEvent::new(ident, EventFilter::EVFILT_PROC, flags, FilterFlag::NOTE_EXIT, 0, 0);
    let mut heard = [exit];
    match queue.kevent(&[exit], &mut heard, None) {
        Ok(_) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
