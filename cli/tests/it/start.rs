//! How a daemon is found and started (DAEMON-001), from the client's side.

use crate::world::{Act, World, error, health, ran, until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

fn healthy(_: &Value) -> Act {
    Act::Say(health())
}

#[test]
fn a_running_daemon_is_asked_and_none_is_started() {
    let world = World::new();
    let daemon = world.daemon(healthy);
    let ran = world.pu(&["health"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(ran.out, "pu-engine 0.1.0, pid 42, up 5s, protocol 1: 1 project, 2 live agents\n");
    assert_eq!(daemon.requests(), [json!({ "type": "health" })]);
}

#[test]
fn json_is_the_line_as_it_came() {
    let world = World::new();
    let _daemon = world.daemon(healthy);
    let answer: Value = serde_json::from_str(&world.pu(&["--json", "health"]).out).unwrap();
    assert_eq!(answer, health(), "a field that this pu does not know is passed on");
}

#[test]
fn a_missing_daemon_is_started_with_private_files() {
    let world = World::new();
    let engine =
        world.engine("echo $$ > \"$PU_HOME/daemon.lock\"; echo \"started with $* in $PU_HOME\" >&2; exec sleep 30");
    let mut child = world.command(&["health"]).env("PU_ENGINE", engine).spawn().unwrap();
    let log = || std::fs::read_to_string(world.log()).unwrap_or_default();
    until("the engine runs", || log().contains("started"));
    assert_eq!(log(), format!("started with --background in {}\n", world.home().display()));
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(world.home()), mode(world.log())), (0o700, 0o600));
    let _daemon = world.daemon(healthy);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_engine_is_told_of_a_socket_that_is_not_the_default() {
    let world = World::new();
    let engine = world.engine("echo \"$*\" >&2; exit 1");
    let socket = world.path("other.sock");
    let mut command = world.command(&["--socket", socket.to_str().unwrap(), "health"]);
    assert_eq!(ran(command.env("PU_ENGINE", engine).output().unwrap()).code, 5);
    let log = std::fs::read_to_string(world.log()).unwrap();
    assert_eq!(log, format!("--background --socket {}\n", socket.display()));
}

#[test]
fn an_engine_that_fails_is_told_at_once_with_the_end_of_its_log() {
    let world = World::new();
    let engine = world.engine("for i in 1 2 3 4 5 6 7 8 9 10 11; do echo \"line $i\" >&2; done; exit 7");
    let text = ran(world.command(&["health"]).env("PU_ENGINE", &engine).output().unwrap());
    assert!(!text.err.contains("within"), "a failure needs no time-out: {}", text.err);
    assert_eq!((text.code, text.out.as_str()), (5, ""));
    assert!(text.err.contains("exit status: 7") && text.err.contains("daemon.log"), "{}", text.err);
    assert!(text.err.contains("line 11") && !text.err.contains("line 1\n"), "{}", text.err);

    let coded = ran(world.command(&["--json", "health"]).env("PU_ENGINE", &engine).output().unwrap());
    let error: Value = serde_json::from_str(&coded.err).unwrap();
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("daemon_unavailable")));
}

#[test]
fn an_engine_that_never_answers_is_given_up_after_three_seconds() {
    let world = World::new();
    let engine = world.engine("echo stuck >&2; echo $$ > \"$PU_HOME/pid\"; exec sleep 60");
    let begun = Instant::now();
    let ran = ran(world.command(&["health"]).env("PU_ENGINE", engine).output().unwrap());
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("within 3s") && ran.err.contains("stuck"), "{}", ran.err);
    let pid = std::fs::read_to_string(world.home().join("pid")).unwrap();
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn a_daemon_that_has_the_lock_is_given_more_time() {
    let world = World::new();
    let engine = world.engine("exit 0");
    world.lock_is_held_by(std::process::id());
    let begun = Instant::now();
    let ran = ran(world.command(&["health"]).env("PU_ENGINE", engine).output().unwrap());
    assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(ran.code == 5 && ran.err.contains("within 10s"), "{}", ran.err);
}

#[test]
fn a_missing_engine_is_named() {
    let world = World::new();
    let ran = world.pu(&["health"]);
    assert_eq!(ran.code, 5);
    assert!(ran.err.contains("cannot start") && ran.err.contains("no-engine"), "{}", ran.err);
}

#[test]
fn losers_of_the_lock_wait_for_the_winner() {
    let world = World::new();
    let engine = world.engine("echo lost >&2; exit 0");
    // The winner is this test.
    world.lock_is_held_by(std::process::id());
    let mut children: Vec<_> =
        (0..4).map(|_| world.command(&["health"]).env("PU_ENGINE", &engine).spawn().unwrap()).collect();
    let log = || std::fs::read_to_string(world.log()).unwrap_or_default();
    until("four engines came and left", || log().lines().count() >= 4);
    let _daemon = world.daemon(healthy);
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn a_daemon_that_dies_before_it_answers_is_asked_again_where_that_is_harmless() {
    for (args, answered) in [(&["health"][..], true), (&["spawn", "--root", "p"], false)] {
        let world = World::new();
        let first = std::sync::atomic::AtomicBool::new(true);
        let daemon = world.daemon(move |_| {
            if first.swap(false, std::sync::atomic::Ordering::SeqCst) { Act::HangUp } else { Act::Say(health()) }
        });
        let ran = world.pu(args);
        assert_eq!(ran.code, if answered { 0 } else { 5 }, "{args:?}: {}", ran.err);
        assert_eq!(daemon.requests().len(), if answered { 2 } else { 1 });
        if !answered {
            assert!(ran.err.contains("the connection was closed") && ran.err.contains("not known"), "{}", ran.err);
        }
    }
}

/// The socket of a daemon that is being killed takes connections until it is gone. What it has not read was not done, so
/// even a spawn is asked for again.
#[test]
#[cfg(target_os = "linux")]
fn what_no_daemon_has_read_is_asked_for_again() {
    let world = World::new();
    let daemon = world.daemon_after(2, |_| Act::Say(error("name_taken", "docs is taken")));
    let ran = world.pu(&["spawn", "--root", "p"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert_eq!(daemon.requests().len(), 1);
}

#[test]
fn asking_for_the_daemon_does_not_start_one() {
    let world = World::new();
    let engine = world.engine("touch \"$PU_HOME/started\"");
    for (args, code) in [(&["daemon", "status"][..], 5), (&["daemon", "stop"], 0)] {
        let ran = ran(world.command(args).env("PU_ENGINE", &engine).output().unwrap());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
    }
    assert!(!world.home().exists());
}
