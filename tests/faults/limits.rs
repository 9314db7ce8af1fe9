//! The system's limits: open files, the length of a socket's path, a home that can only be read.

use crate::stage::{FOREVER, Stage};
use e2e::{Client, World, wait_until};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// As many open files as a daemon may have, hard: it serves a few clients with it and not these.
const FILES: u32 = 96;

/// Out of file descriptors: the daemon says so to whoever asks, leaves nothing half done, and goes on when it has some again.
#[test]
fn a_daemon_without_descriptors_says_so_and_goes_on_when_it_has_some() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.no_daemon();
    let start =
        format!("ulimit -n {FILES} && exec {} daemon start", world.command("pu").get_program().to_str().unwrap());
    world.program("sh").args(["-c", &start]).output().ok();
    stage.bystander_is_well();
    let before = stage.traces();
    let mut kept = world.client();
    assert_eq!(kept.ask(&json!({"type": "health"}))["type"], "health_report");
    // A connection that is not accepted yet waits in the socket's queue.
    let socket = world.home().daemon_socket();
    let idle: Vec<Client> = (0..FILES + 20).map_while(|_| Client::try_connect(&socket).ok()).collect();
    wait_until("the daemon has no descriptor left", || {
        let log = std::fs::read_to_string(world.home().daemon_log()).unwrap();
        log.contains("cannot accept a connection").then_some(())
    });
    let environment: BTreeMap<&str, String> =
        world.environment().into_iter().map(|(name, value)| (name, value.into_string().unwrap())).collect();
    let answer = kept.ask(&json!({
        "type": "spawn", "cwd": stage.project.root(), "prompt": "x", "agent": "terminal", "name": "new",
        "command": FOREVER, "no_context": true, "placement": {"in": "root"}, "env": environment,
    }));
    assert_eq!(answer["type"], "error", "{answer}");
    assert!(answer.to_string().contains("Too many open files"), "the cause is named: {answer}");
    assert_eq!(kept.ask(&json!({"type": "health"}))["type"], "health_report", "it lives");
    drop(idle);
    stage.is_as(&before);
    stage.bystander_is_well();
    stage.project.spawn("new", FOREVER, &["--root"]);
    stage.project.pu(["kill", "new"]).output().ok();
    stage.end();
}

/// A home whose daemon's socket has too long a path: told with what to do, nothing is left running.
#[test]
fn a_home_on_too_long_a_path_is_told_with_what_to_do() {
    let world = World::new();
    let home = world.root().join("x".repeat(110));
    let output = world.pu(["health"]).env("PU_HOME", &home).output();
    assert_ne!(output.code(), Some(0), "{output}");
    let told = output.stderr();
    assert!(told.contains("daemon.sock") && told.contains("103") && told.contains("PU_HOME"), "{output}");
    assert!(world.daemons().is_empty());
}

/// One whose daemon has room for its socket and whose agents have none for theirs: the spawn says so and leaves nothing.
#[test]
fn a_home_that_is_too_long_for_agents_only_is_told_by_the_spawn() {
    let world = World::new();
    let project = world.project(&[]);
    world.pu(["daemon", "stop"]).output().ok();
    let room = 103 - "/daemon.sock".len() - world.root().as_os_str().len() - "/".len();
    let home = world.root().join("y".repeat(room));
    let spawn = |name: &str| {
        let args = ["spawn", "--json", "--agent", "terminal", "--no-context", "--command", FOREVER, "--name", name];
        project.pu(args).env("PU_HOME", &home).output()
    };
    // The other home does not know the project yet.
    project.pu(["init"]).env("PU_HOME", &home).output().ok();
    let output = spawn("new");
    output.fails(1, "launch_failed");
    assert!(output.stderr().contains("shim.sock") && output.stderr().contains("PU_HOME"), "{output}");
    assert_eq!(project.branches(), ["main"]);
    assert!(!project.worktree("new").exists());
    assert_eq!(std::fs::read_dir(home.join("agents")).unwrap().count(), 0, "a folder is left");
    project.pu(["daemon", "stop"]).env("PU_HOME", &home).output().ok();
}

/// Runs a command of `sh` in a mount namespace of its own, where `folder` can only be read. `None` where the system does
/// not let this user make one.
fn where_read_only(world: &World, folder: &Path, command: &str) -> Option<e2e::Output> {
    let able = world.program("sh").args(["-c", "unshare -rm true"]).output();
    if !cfg!(target_os = "linux") || able.code() != Some(0) {
        eprintln!("SKIPPED: this user cannot make a mount namespace, so no folder was made read-only");
        return None;
    }
    let place = folder.display();
    let script = format!("mount --bind {place} {place} && mount -o remount,ro,bind {place} && {command}");
    Some(world.program("unshare").args(["-rm", "sh", "-c", &script]).output())
}

#[test]
fn a_home_that_can_only_be_read_is_told() {
    let world = World::new();
    let pu = world.command("pu").get_program().to_str().unwrap().to_owned();
    std::fs::create_dir_all(world.home().root()).unwrap();
    let Some(output) = where_read_only(&world, world.home().root(), &format!("{pu} health")) else { return };
    assert_ne!(output.code(), Some(0), "{output}");
    let told = output.stderr();
    assert!(told.contains("Read-only file system") && told.contains(world.home().root().to_str().unwrap()), "{output}");
    assert!(world.daemons().is_empty());
}

/// It becomes so under a daemon that runs: agents go on, and whatever has to be written is refused with the cause.
#[test]
fn a_home_that_becomes_read_only_costs_no_agent() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.arm("create:launch.json=EROFS");
    let before = stage.traces();
    let output = stage.project.try_spawn("new", FOREVER, &[]);
    assert!(output.code() != Some(0) && output.stderr().contains("Read-only file system"), "{output}");
    stage.is_as(&before);
    stage.end();
}
