//! `pu health`: one daemon, however it comes to be asked.

use e2e::{World, is_alive, read, wait_until, write};
use std::os::unix::net::UnixListener;

/// Ten starters on a cold home, three times in a row: all are served, by one and the same daemon.
#[test]
fn ten_at_once_on_a_cold_home_find_one_daemon() {
    for round in 0..3 {
        let world = World::cold();
        let running: Vec<_> = (0..10).map(|_| world.pu(["health", "--json"]).start()).collect();
        let pids: Vec<_> = running.into_iter().map(|run| run.finish().json()["pid"].clone()).collect();
        assert!(pids.iter().all(|pid| *pid == pids[0]), "round {round}: {pids:?}");
        // Those that lost the race may still be on their way out.
        wait_until("one daemon is left", || (world.daemons().len() == 1).then_some(()));
    }
}

#[test]
fn the_report_has_the_documented_fields() {
    let world = World::new();
    let health = world.health();
    assert_eq!(health["type"], "health_report");
    assert_eq!((&health["protocol_version"], &health["managed"]), (&1.into(), &false.into()));
    assert_eq!((&health["projects"], &health["agent_count"]), (&0.into(), &0.into()));
    let _project = world.project(&[]);
    assert_eq!(world.health()["projects"], 1);
    let told = world.pu(["health"]).output().ok().stdout();
    assert!(told.starts_with("pu-engine ") && told.contains("1 project, 0 live agents"), "{told}");
}

/// A daemon that was killed leaves its socket and its PID file: neither keeps the next one from starting.
#[test]
fn what_a_killed_daemon_left_does_not_matter() {
    let world = World::new();
    let first = world.daemon();
    world.crash_daemon();
    let home = world.home();
    assert!(home.daemon_socket().exists(), "the socket was left");
    assert_eq!(read(home.daemon_pid()).trim(), first.to_string(), "the PID file was left");
    let second = world.daemon();
    assert_ne!(first, second);
    assert_eq!(read(home.daemon_pid()).trim(), second.to_string());
}

/// The number in a stale PID file may be somebody else's by now: it is neither believed nor signalled.
#[test]
fn a_pid_file_that_names_a_stranger_is_replaced_and_the_stranger_lives() {
    let world = World::new();
    let mut stranger = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    let pid = stranger.id().cast_signed();
    write(world.home().daemon_pid(), format!("{pid}\n"));
    let daemon = world.daemon();
    assert_ne!(daemon, pid);
    assert_eq!(read(world.home().daemon_pid()).trim(), daemon.to_string());
    assert!(is_alive(pid));
    drop(stranger.stdin.take());
    stranger.wait().unwrap();
}

#[test]
fn a_socket_on_which_nobody_listens_is_replaced() {
    let world = World::new();
    drop(UnixListener::bind(world.home().daemon_socket()).unwrap());
    assert!(world.home().daemon_socket().exists());
    world.daemon();
}

/// What is no socket is not ours to remove: the start fails and says what is in the way.
#[test]
fn a_file_in_the_sockets_place_is_named_and_left() {
    let world = World::new();
    write(world.home().daemon_socket(), "precious");
    let output = world.pu(["health"]).output();
    assert_ne!(output.code(), Some(0));
    assert!(output.stderr().contains("daemon.sock"), "{output}");
    assert_eq!(read(world.home().daemon_socket()), "precious");
}

/// Nothing that only asks about the daemon starts one.
#[test]
fn daemon_status_starts_no_daemon() {
    let world = World::new();
    world.pu(["daemon", "status", "--json"]).output().fails(5, "daemon_unavailable");
    assert!(world.daemons().is_empty());
    world.daemon();
    world.pu(["daemon", "status"]).output().ok();
}

#[test]
fn an_engine_that_cannot_start_is_told_with_the_end_of_its_log() {
    let world = World::new();
    let output = world.pu(["health"]).env("PU_ENGINE", "/bin/false").output();
    assert_eq!(output.code(), Some(5), "{output}");
    assert!(output.stderr().contains("daemon.log"), "{output}");
}
