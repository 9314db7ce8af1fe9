//! The agent's terminal: the master end of its PTY, never blocking.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use portable_pty::{CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use pu_protocol::frame::TerminalSize;

use crate::error::StartError;

/// What came of reading the terminal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Bytes(usize),
    Nothing,
    /// No process has the terminal open.
    Closed,
}

pub(crate) struct Pty {
    master: Box<dyn MasterPty + Send>,
    /// A duplicate of the master, for reading, writing and waiting.
    fd: OwnedFd,
    size: TerminalSize,
}

/// The agent's end, needed only until the agent has it.
pub(crate) struct AgentEnd(Box<dyn SlavePty + Send>);

/// What to start in the terminal.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) program: PathBuf,
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) environment: Vec<(OsString, OsString)>,
}

impl Pty {
    pub(crate) fn open(size: TerminalSize) -> Result<(Self, AgentEnd), StartError> {
        let size = size.clamped();
        let pair = native_pty_system().openpty(pty_size(size)).map_err(failed("open a terminal"))?;
        let raw =
            pair.master.as_raw_fd().ok_or_else(|| failed("reach the terminal's master")("it has no descriptor"))?;
        // SAFETY: `pair.master` owns the descriptor and lives until the end of this function.
        #[allow(unsafe_code)]
        let fd = unsafe { BorrowedFd::borrow_raw(raw) };
        let fd = fd.try_clone_to_owned().map_err(failed("duplicate the terminal's master"))?;
        let flags = fcntl(&fd, FcntlArg::F_GETFL).map_err(failed("ask for the terminal's flags"))?;
        let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
        fcntl(&fd, FcntlArg::F_SETFL(flags)).map_err(failed("make the terminal non-blocking"))?;
        Ok((Self { master: pair.master, fd, size }, AgentEnd(pair.slave)))
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(crate) fn size(&self) -> TerminalSize {
        self.size
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Heard> {
        match nix::unistd::read(&self.fd, buffer) {
            Ok(0) | Err(Errno::EIO) => Ok(Heard::Closed),
            Ok(n) => Ok(Heard::Bytes(n)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Heard::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what the terminal takes now.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(&self.fd, bytes)?)
    }

    /// Sets the size, and tells the agent. True if it is another one than before.
    pub(crate) fn resize(&mut self, size: TerminalSize) -> io::Result<bool> {
        let size = size.clamped();
        if size == self.size {
            return Ok(false);
        }
        self.master.resize(pty_size(size)).map_err(|e| io::Error::other(e.to_string()))?;
        self.size = size;
        Ok(true)
    }
}

impl AgentEnd {
    /// Starts the agent in a session of its own with this terminal, and gives its process number.
    ///
    /// `portable-pty` allocates between fork and exec. That is harmless only because the shim has one thread, so that
    /// no lock of the allocator can be held by somebody who is not there after the fork: keep it that way.
    pub(crate) fn spawn(self, command: &Command) -> Result<i32, StartError> {
        let mut builder = CommandBuilder::from_argv(vec![command.program.clone().into()]);
        builder.args(command.argv.iter().skip(1));
        builder.cwd(&command.cwd);
        // The builder adds to the environment what it thinks is missing; the agent gets what the daemon gave.
        builder.env_clear();
        for (name, value) in &command.environment {
            builder.env(name, value);
        }
        let spawn_failed = |reason: String| StartError::SpawnFailed { reason };
        let child = self.0.spawn_command(builder).map_err(|e| spawn_failed(format!("{e:#}")))?;
        let pid = child.process_id().and_then(|pid| i32::try_from(pid).ok());
        pid.ok_or_else(|| spawn_failed("it has no process number".into()))
    }
}

/// Whether `path` is a folder that can be entered.
pub(crate) fn check_cwd(path: &Path) -> Result<(), StartError> {
    let missing = |source| StartError::CwdMissing { cwd: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(missing)?;
    if !metadata.is_dir() {
        return Err(missing(io::ErrorKind::NotADirectory.into()));
    }
    nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).map_err(|e| missing(e.into()))
}

fn pty_size(size: TerminalSize) -> PtySize {
    PtySize { rows: size.rows, cols: size.cols, pixel_width: 0, pixel_height: 0 }
}

fn failed<E: std::fmt::Display>(act: &'static str) -> impl FnOnce(E) -> StartError {
    move |error| StartError::PtyFailed { act, reason: error.to_string() }
}
