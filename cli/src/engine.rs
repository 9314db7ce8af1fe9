//! Starting `pu-engine`: which program, with which files, and what to say when it does not come up.
//!
//! Never speaks to the engine; never stops one.

use crate::endpoint::Endpoint;
use crate::failure::Failure;
use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = "pu-engine";
/// How much of the log's end is read for a message, and how many lines of it are shown.
const TAIL_BYTES: u64 = 8 * 1024;
const TAIL_LINES: usize = 10;
/// How long the winner of the lock has to come up before another engine is tried; twice as long each time.
const RESTART_AFTER: Duration = Duration::from_millis(300);
const RESTART_AFTER_MAX: Duration = Duration::from_millis(1200);

/// An engine that was started and may still be on its way up, or may have left the field to another.
pub(crate) struct Engine {
    program: PathBuf,
    child: Child,
    started: Instant,
    restart_after: Duration,
}

impl Engine {
    pub(crate) fn start(endpoint: &Endpoint) -> Result<Self, Failure> {
        let program = program();
        let child = spawn(&program, endpoint)?;
        Ok(Self { program, child, started: Instant::now(), restart_after: RESTART_AFTER })
    }

    /// Fails if the engine ended badly. If it left the field and still nobody answers, starts another: the lock that it
    /// found taken may have been that of a daemon on its way out.
    pub(crate) fn check(&mut self, endpoint: &Endpoint) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) if status.success() && self.started.elapsed() < self.restart_after => Ok(()),
            Ok(Some(status)) if status.success() => {
                self.started = Instant::now();
                self.restart_after = (self.restart_after * 2).min(RESTART_AFTER_MAX);
                self.child = spawn(&self.program, endpoint)?;
                Ok(())
            }
            Ok(Some(status)) => Err(self.gave_up(endpoint, format!("{} ended with {status}", self.program.display()))),
            Err(e) => Err(Failure::io("watch", &self.program, e)),
        }
    }

    pub(crate) fn gave_up(&self, endpoint: &Endpoint, why: String) -> Failure {
        let log = endpoint.home.daemon_log();
        let log_tail = tail(&log, TAIL_LINES).unwrap_or_default();
        Failure::NoDaemon { socket: endpoint.socket.clone(), why, log, log_tail }
    }
}

/// Whether the process that the lock file names runs. Only patience depends on it: the number may be somebody else's by
/// now, and then a start that fails takes longer to say so.
pub(crate) fn holder_lives(endpoint: &Endpoint) -> bool {
    let named = std::fs::read_to_string(endpoint.home.daemon_lock()).ok().and_then(|text| text.trim().parse().ok());
    // Signal 0 is not sent; it only asks.
    named.is_some_and(|pid: i32| pid > 1 && nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok())
}

/// The daemon that holds the lock, by its pid, which stands in the lock file.
pub(crate) fn lock_holder(endpoint: &Endpoint) -> Option<i32> {
    let file = File::open(endpoint.home.daemon_lock()).ok()?;
    // Who can lock it is alone: what stands in it is of a daemon that is gone.
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let named = std::fs::read_to_string(endpoint.home.daemon_lock()).ok()?.trim().parse().ok();
    named.filter(|pid: &i32| *pid > 1)
}

/// Tells a daemon to end, as a service manager does.
pub(crate) fn terminate(pid: i32) {
    // It may be gone already.
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
}

/// `PU_ENGINE`, else the one beside this executable, else the one on the PATH.
pub(crate) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("PU_ENGINE").filter(|p| !p.is_empty()) {
        return path.into();
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(PROGRAM)));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PROGRAM.into())
}

/// The engine makes a session of its own, so that the terminal's signals and its end do not reach it.
fn spawn(program: &Path, endpoint: &Endpoint) -> Result<Child, Failure> {
    let home = endpoint.home.root();
    DirBuilder::new().recursive(true).mode(0o700).create(home).map_err(|e| Failure::io("create", home, e))?;
    let log = endpoint.home.daemon_log();
    let stderr = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&log)
        .map_err(|e| Failure::io("open", &log, e))?;
    let mut command = Command::new(program);
    command.arg("--background").env("PU_HOME", home).current_dir(home);
    if !endpoint.is_default() {
        command.args([OsString::from("--socket"), endpoint.socket.clone().into()]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    command.spawn().map_err(|e| Failure::NoDaemon {
        socket: endpoint.socket.clone(),
        why: format!("cannot start {}: {e}", program.display()),
        log,
        log_tail: String::new(),
    })
}

/// The last lines of a file that may be long.
pub(crate) fn tail(path: &Path, lines: usize) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let window = TAIL_BYTES.max(lines as u64 * 256);
    file.seek(SeekFrom::Start(length.saturating_sub(window)))?;
    let mut bytes = Vec::new();
    file.take(window).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].join("\n"))
}
