//! What lies where the daemon wants to listen: its own leavings, another user's, or somebody who listens.

use crate::stage::Stage;
use e2e::World;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;

/// Nobody is `nobody`'s number on every system that matters here.
const ANOTHER_USER: u32 = 65_534;

#[test]
fn a_stale_socket_of_another_user_is_replaced() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.no_daemon();
    let path = world.home().daemon_socket();
    let _ = std::fs::remove_file(&path);
    drop(UnixListener::bind(&path).unwrap());
    if chown(&path, Some(ANOTHER_USER), None).is_err() {
        eprintln!("SKIPPED in part: only root can give a socket to another user; a stale one of this user is tried");
    }
    world.daemon();
    stage.end();
}

/// Somebody listens and is no daemon: the file is not taken away, and the user is told which it is.
#[test]
fn a_socket_on_which_somebody_listens_is_left_alone() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.no_daemon();
    let path = world.home().daemon_socket();
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    let output = world.program("pu-engine").output();
    assert_ne!(output.code(), Some(0), "{output}");
    assert!(output.stderr().contains("in use") && output.stderr().contains("daemon.sock"), "{output}");
    assert!(path.exists());
    drop(listener);
    world.daemon();
    stage.end();
}

/// No socket at all, but a file or a folder of somebody's: it is not erased.
#[test]
fn what_is_no_socket_is_named_and_not_erased() {
    let world = World::new();
    let stage = Stage::set(&world);
    let path = world.home().daemon_socket();
    for is_folder in [false, true] {
        stage.no_daemon();
        let _ = std::fs::remove_file(&path);
        if is_folder {
            std::fs::create_dir(&path).unwrap();
        } else {
            e2e::write(&path, "precious");
        }
        let output = world.program("pu-engine").output();
        assert_ne!(output.code(), Some(0), "{output}");
        assert!(output.stderr().contains("no socket") && output.stderr().contains("move it away"), "{output}");
        assert!(is_folder || e2e::read(&path) == "precious");
        let _ = std::fs::remove_dir(&path);
        let _ = std::fs::remove_file(&path);
    }
    stage.end();
}
