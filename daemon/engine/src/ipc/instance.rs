//! Single instance: the lock that is held for life, and the PID file under it.
//!
//! The lock file is never unlinked: a waiter and a newcomer would hold different inodes and both believe themselves
//! alone. Touches no socket.

use pu_protocol::layout::HomeLayout;
use pu_record::fault;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error("another daemon holds {lock}{}", .pid.as_ref().map(|p| format!(" (pid {p})")).unwrap_or_default())]
    AlreadyRunning { lock: PathBuf, pid: Option<String> },
    #[error("cannot {act} {path}: {source}")]
    Io { act: &'static str, path: PathBuf, source: io::Error },
}

/// Proof that this process is the only daemon of its home.
///
/// Invariant: while an `Instance` lives, its process holds the exclusive lock.
#[derive(Debug)]
pub struct Instance {
    /// Held open for life; closing it is what lets the next daemon in.
    _lock: File,
    pid_file: Option<PathBuf>,
}

impl Instance {
    /// Takes the lock, or says who has it. A standalone daemon writes its PID file too; a managed one has none.
    pub fn acquire(home: &HomeLayout, with_pid_file: bool) -> Result<Self, InstanceError> {
        let path = home.daemon_lock();
        let mut options = OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false).mode(0o600);
        let lock = fault::file("open", &path)
            .and_then(|()| options.open(&path))
            .map_err(|source| InstanceError::Io { act: "open", path: path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = std::fs::read_to_string(&path).ok().map(|s| s.trim().to_owned()).filter(|s| !s.is_empty());
                return Err(InstanceError::AlreadyRunning { lock: path, pid });
            }
            Err(TryLockError::Error(source)) => return Err(InstanceError::Io { act: "lock", path, source }),
        }
        let noted = fault::file("write", &path).and_then(|()| note_holder(&lock));
        noted.map_err(|source| InstanceError::Io { act: "write", path, source })?;
        let pid_file = if with_pid_file { Some(write_pid_file(home)?) } else { None };
        Ok(Self { _lock: lock, pid_file })
    }

    /// Whether the PID file still names this process.
    fn pid_file_is_ours(&self) -> bool {
        self.pid_file.as_ref().is_some_and(|path| {
            std::fs::read_to_string(path).is_ok_and(|text| text.trim() == std::process::id().to_string())
        })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let (true, Some(path)) = (self.pid_file_is_ours(), &self.pid_file) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The holder's pid stands in the lock file, so that the loser can name the winner in managed mode too.
fn note_holder(mut lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{}", std::process::id())
}

/// Under the lock a PID file that is there already is a dead daemon's and is replaced.
fn write_pid_file(home: &HomeLayout) -> Result<PathBuf, InstanceError> {
    let path = home.daemon_pid();
    let io_error = |act, source| InstanceError::Io { act, path: home.daemon_pid(), source };
    for _ in 0..2 {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match fault::file("create", &path).and_then(|()| options.open(&path)) {
            Ok(mut file) => {
                let text = format!("{}\n", std::process::id());
                fault::write_all(&mut file, &path, text.as_bytes()).map_err(|e| io_error("write", e))?;
                return Ok(path);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let mut stale = String::new();
                let _ = File::open(&path).and_then(|mut f| f.read_to_string(&mut stale));
                tracing::info!(pid = stale.trim(), "replacing the PID file of a daemon that is gone");
                std::fs::remove_file(&path).map_err(|e| io_error("remove the stale", e))?;
            }
            Err(e) => return Err(io_error("create", e)),
        }
    }
    Err(io_error("create", io::ErrorKind::AlreadyExists.into()))
}
