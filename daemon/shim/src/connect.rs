//! The shim's socket: opened in the agent's private folder, and open to its owner only.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use interprocess::local_socket::traits::{Listener as _, StreamCommon as _};
use interprocess::local_socket::{GenericFilePath, ListenerNonblockingMode, ListenerOptions, ToFsName as _};
use interprocess::os::unix::uds_local_socket::{Listener, Stream};
use nix::unistd::geteuid;
use pu_protocol::frame::{Refused, ShimFrame};
use pu_protocol::layout::SOCKET_PATH_MAX;
use pu_record::atomic;

use crate::client::Client;
use crate::error::StartError;
use crate::serve::{REST, Shim};

/// More connections than this are refused; a person and a daemon need a handful.
const CLIENTS_MAX: usize = 64;

/// Binds the socket at `path`. A file that a dead shim left there is removed; that no live one is there, the caller
/// has checked.
pub(crate) fn listen(path: &Path) -> Result<Listener, StartError> {
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        return Err(StartError::SocketPathTooLong { path: path.to_owned(), length, max: SOCKET_PATH_MAX });
    }
    atomic::remove_file(path).map_err(StartError::RecordUnwritable)?;
    let failed = |source| StartError::SocketFailed { path: path.to_owned(), source };
    let name = path.to_fs_name::<GenericFilePath>().map_err(failed)?;
    let options = ListenerOptions::new().name(name).nonblocking(ListenerNonblockingMode::Both);
    let listener = options.create_sync_as::<Listener>().map_err(failed)?;
    // Until this line the folder, which is 0700, keeps others out.
    std::fs::set_permissions(path, Permissions::from_mode(atomic::PRIVATE_FILE)).map_err(failed)?;
    Ok(listener)
}

impl Shim {
    /// Takes in all that wait at the door.
    pub(crate) fn on_connect(&mut self) {
        loop {
            match self.listener.accept() {
                Ok(stream) => self.admit(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // Out of descriptors, most likely: those who wait go on waiting, and the agent is not disturbed.
                    self.log.say(&format!("cannot accept a connection: {error}"));
                    self.listener_rests_until = Some(Instant::now() + REST);
                    return;
                }
            }
        }
    }

    fn admit(&mut self, stream: Stream) {
        if !is_own_user(&stream) {
            self.log.say("a connection of another user was refused");
            return;
        }
        let mut client = Client::new(self.next_client, stream);
        self.next_client += 1;
        self.make_room();
        if self.clients.len() < CLIENTS_MAX {
            self.clients.push(client);
            return;
        }
        client.send(&ShimFrame::Refused(Refused {
            request: "hello".into(),
            code: "busy".into(),
            message: format!("{CLIENTS_MAX} clients are connected to this agent"),
            hint: "close some of them".into(),
        }));
        client.flush();
    }

    /// A connection that has not even said hello gives way when the room is full.
    fn make_room(&mut self) {
        if self.clients.len() >= CLIENTS_MAX
            && let Some(silent) = self.clients.iter().position(|c| c.session.is_none())
        {
            self.clients.remove(silent);
        }
    }
}

/// The permissions of the socket say the same; a system that ignores them, or a folder opened by mistake, is why the
/// peer is asked as well.
fn is_own_user(stream: &Stream) -> bool {
    let peer = stream.peer_creds().ok().and_then(|c| c.euid());
    peer == Some(geteuid().as_raw())
}
