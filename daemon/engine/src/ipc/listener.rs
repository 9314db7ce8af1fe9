//! The listening socket: bound once under the instance lock, one task a connection, and a bound on how many.
//!
//! Never unlinks a socket that somebody listens on.

use super::connection;
use crate::engine::Engine;
use interprocess::local_socket::tokio::{Listener as LocalListener, Stream as LocalStream};
use interprocess::local_socket::traits::StreamCommon as _;
use interprocess::local_socket::traits::tokio::{Listener as _, Stream as _};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName as _};
use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
use pu_protocol::layout::SOCKET_PATH_MAX;
use pu_protocol::{ErrorBody, ErrorCode};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many connections are served at a time; one more is told `busy` and closed at once.
const CONNECTIONS_MAX: usize = 1024;

#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    #[error(
        "the socket path {} is {} bytes long, over the {SOCKET_PATH_MAX} that every system takes: \
         set PU_HOME (or --socket) to a shorter path", path.display(), path.as_os_str().len())]
    PathTooLong { path: PathBuf },
    #[error("{} is in use: a daemon listens on it", path.display())]
    InUse { path: PathBuf },
    #[error("{} exists and is no socket: move it away", path.display())]
    NotASocket { path: PathBuf },
    #[error("cannot {act} the socket {}: {source}", path.display())]
    Io { act: &'static str, path: PathBuf, source: io::Error },
}

/// The daemon's socket, and the file it stands for.
pub struct Listener {
    inner: LocalListener,
    path: PathBuf,
    /// Device and inode of the socket file that was bound here: at the end only this one is removed.
    identity: Option<(u64, u64)>,
}

impl Listener {
    /// Binds the socket. The caller holds the instance lock, so a socket file on which nobody listens is stale.
    pub async fn bind(path: &Path) -> Result<Self, ListenerError> {
        let path = path.to_path_buf();
        if path.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(ListenerError::PathTooLong { path });
        }
        remove_stale(&path).await?;
        let io_error = |act, source| ListenerError::Io { act, path: path.clone(), source };
        let name = path.as_path().to_fs_name::<GenericFilePath>().map_err(|e| io_error("name", e))?;
        let inner = ListenerOptions::new()
            .name(name)
            .mode(0o600)
            .reclaim_name(false)
            .create_tokio()
            .map_err(|e| io_error("bind", e))?;
        let identity = identity(&path);
        Ok(Self { inner, path, identity })
    }

    /// Accepts until the future is dropped.
    pub async fn serve(&self, engine: Engine) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            match self.inner.accept().await {
                Ok(stream) => admit(stream, engine.clone(), &places),
                Err(error) => {
                    // Out of file descriptors, most likely: existing connections go on, and the next one is tried
                    // when some have closed.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Starts a task for a connection, if the peer is the daemon's user and there is a place.
fn admit(stream: LocalStream, engine: Engine, places: &Arc<Semaphore>) {
    if let Some(refusal) = refuse_other_user(&stream) {
        tokio::spawn(connection::refuse(stream, refusal));
        return;
    }
    match Arc::clone(places).try_acquire_owned() {
        Ok(place) => {
            tokio::spawn(async move {
                connection::serve(stream, engine).await;
                drop(place);
            });
        }
        Err(_) => {
            let busy = ErrorBody::new(ErrorCode::Busy, format!("the daemon serves {CONNECTIONS_MAX} connections"))
                .with_hint("close idle clients and try again");
            tokio::spawn(connection::refuse(stream, busy));
        }
    }
}

/// The socket is 0600 in a 0700 folder; this holds even where somebody loosened those.
fn refuse_other_user(stream: &LocalStream) -> Option<ErrorBody> {
    let ours = nix::unistd::geteuid().as_raw();
    match stream.peer_creds().map(|c| c.euid()) {
        Ok(Some(euid)) if euid == ours => None,
        Ok(euid) => {
            tracing::warn!(?euid, "refused a connection of another user");
            Some(ErrorBody::new(ErrorCode::NotPermitted, "this daemon serves the user who started it, nobody else"))
        }
        Err(error) => {
            tracing::warn!(%error, "refused a connection whose user cannot be found out");
            Some(ErrorBody::new(ErrorCode::NotPermitted, "the daemon cannot find out who connects"))
        }
    }
}

async fn remove_stale(path: &Path) -> Result<(), ListenerError> {
    use std::os::unix::fs::FileTypeExt as _;
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ListenerError::Io { act: "look at", path: path.into(), source }),
    };
    if !found.file_type().is_socket() {
        return Err(ListenerError::NotASocket { path: path.into() });
    }
    let name = path.to_fs_name::<GenericFilePath>().map_err(|source| ListenerError::Io {
        act: "name",
        path: path.into(),
        source,
    })?;
    // A daemon of another home may listen here by `--socket`; its lock is not ours.
    match tokio::time::timeout(Duration::from_secs(1), LocalStream::connect(name)).await {
        Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused => {}
        Ok(Err(e)) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        // Whoever listens and is too busy to answer is there all the same.
        _ => return Err(ListenerError::InUse { path: path.into() }),
    }
    tracing::info!(path = %path.display(), "removing the socket of a daemon that is gone");
    std::fs::remove_file(path).map_err(|source| ListenerError::Io { act: "remove", path: path.into(), source })
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|m| (m.dev(), m.ino()))
}
