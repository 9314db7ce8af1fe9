//! The daemon itself: alone on its socket, standalone and managed, and how it ends.

use e2e::{Client, World, is_alive, kill, wait_until};
use nix::sys::signal::Signal;
use serde_json::json;

const FOREVER: &str = "echo ready; exec sleep 1000";

/// The loser of the race for the lock has nothing to do: that is no failure.
#[test]
fn a_second_daemon_of_a_home_ends_at_once_and_well() {
    let world = World::new();
    let first = world.daemon();
    world.program("pu-engine").output().ok();
    let elsewhere = world.root().join("other.sock");
    world.program("pu-engine").args(["--socket".as_ref(), elsewhere.as_os_str()]).output().ok();
    assert!(!elsewhere.exists());
    assert_eq!(world.daemon(), first);
    assert_eq!(world.daemons(), [first]);
}

/// Two homes, one socket: the second one's daemon sees that somebody answers there, and keeps its hands off.
#[test]
fn two_daemons_never_share_a_socket() {
    let (world, other) = (World::new(), World::new());
    let first = world.daemon();
    let socket = world.home().daemon_socket();
    let output = other.program("pu-engine").args(["--socket".as_ref(), socket.as_os_str()]).output();
    assert_ne!(output.code(), Some(0), "{output}");
    assert!(output.stderr().contains("in use"), "{output}");
    assert_eq!(Client::connect(&socket).ask(&json!({"type": "health"}))["pid"], first);
}

#[test]
fn agents_go_on_when_the_daemon_is_told_to_end() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let world = World::new();
        let project = world.project(&[]);
        let pid = agent_pid(&project.spawn("worker", FOREVER, &["--root"]));
        let daemon = world.daemon();
        kill(daemon, signal);
        world.gone(daemon);
        assert_nothing_of_the_daemon(&world);
        assert!(is_alive(pid), "{signal}");
        assert_eq!(project.running("worker")["pid"], pid, "{signal}");
    }
}

#[test]
fn stop_leaves_agents_and_stop_agents_ends_them() {
    let world = World::new();
    let project = world.project(&[]);
    let pid = agent_pid(&project.spawn("worker", FOREVER, &["--root"]));
    let report = world.pu(["daemon", "stop", "--json"]).output().json();
    assert_eq!((&report["stopped_agents"], &report["left_running"]), (&0.into(), &1.into()));
    assert_nothing_of_the_daemon(&world);
    assert!(is_alive(pid));

    world.daemon();
    let report = world.pu(["daemon", "stop", "--stop-agents", "--json"]).output().json();
    assert_eq!((&report["stopped_agents"], &report["left_running"]), (&1.into(), &0.into()));
    assert_nothing_of_the_daemon(&world);
    world.gone(pid);
    wait_until("no process of the agent is left", || world.processes().is_empty().then_some(()));
    assert_eq!(project.ended("worker")["state"], "killed");
}

#[test]
fn stopping_what_does_not_run_is_no_failure() {
    let world = World::new();
    world.pu(["daemon", "stop"]).output().ok();
    assert!(world.daemons().is_empty());
}

#[test]
fn a_restart_brings_another_daemon_and_the_same_agents() {
    let world = World::new();
    let project = world.project(&[]);
    let pid = agent_pid(&project.spawn("worker", FOREVER, &["--root"]));
    let before = world.daemon();
    world.pu(["daemon", "restart"]).output().ok();
    assert_ne!(world.daemon(), before);
    assert_eq!(project.running("worker")["pid"], pid);
}

/// An upgrade: another program takes the daemon's place, again and again, while an agent writes and somebody reads along.
#[test]
fn an_upgrade_under_a_running_agent_loses_nothing() {
    let world = World::new();
    let project = world.project(&[]);
    let go = world.root().join("go");
    let command = format!(
        "i=0; until [ -e {} ]; do echo line $i; i=$((i+1)); sleep 0.005; done; echo last $i; exit 3",
        go.display()
    );
    let pid = agent_pid(&project.spawn("writer", &command, &["--root"]));
    let following = project.pu(["logs", "-f", "--raw", "writer"]).start();
    let mut before = world.daemon();
    for release in 0..5 {
        let next = world.root().join(format!("r{release}")).join("pu-engine");
        std::fs::create_dir(next.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(engine(&world), &next).unwrap();
        let shim = world.command("pu-shim").get_program().to_owned();
        world.pu(["daemon", "restart"]).env("PU_ENGINE", &next).env("PU_SHIM", &shim).output().ok();
        let now = world.daemon();
        assert_ne!(now, before);
        before = now;
        assert_eq!(project.running("writer")["pid"], pid);
    }
    e2e::write(&go, "");
    let agent = project.ended("writer");
    assert_eq!((&agent["state"], &agent["code"]), (&"exited".into(), &3.into()), "{agent}");
    let (output, gap) = project.output("writer");
    let followed = following.finish();
    assert_eq!((followed.ok().bytes(), gap), (output.as_slice(), None), "who reads along gets what there is");
    let text = String::from_utf8(output).unwrap();
    let count = text.trim_end().rsplit(' ').next().unwrap().parse::<usize>().unwrap();
    let wanted: String = (0..count).map(|i| format!("line {i}\r\n")).chain([format!("last {count}\r\n")]).collect();
    assert_eq!(text, wanted);
}

/// Whatever a managed daemon would do when it is told to end, a restart is none of its agents' ends.
#[test]
fn a_restart_of_a_managed_daemon_leaves_its_agents_running() {
    let world = World::new();
    let application = world.program("pu-engine").args(["--managed"]).start();
    wait_until("the managed daemon listens", || Client::try_connect(&world.home().daemon_socket()).ok());
    let project = world.project(&[]);
    let pid = agent_pid(&project.spawn("worker", FOREVER, &["--root"]));
    world.pu(["daemon", "restart"]).output().ok();
    application.finish().ok();
    assert_eq!(world.health()["managed"], false);
    assert_eq!(project.running("worker")["pid"], pid);
}

/// An application's daemon: no PID file, but the lock all the same; and it goes, its agents too, when the application
/// goes, however that ends.
#[test]
fn a_managed_daemon_ends_with_its_parent() {
    let world = World::new();
    let application = world.program("sh").args(["-c", "\"$0\" --managed & wait", &engine(&world)]).start();
    wait_until("the managed daemon listens", || Client::try_connect(&world.home().daemon_socket()).ok());
    let health = world.health();
    assert_eq!(health["managed"], true);
    assert!(!world.home().daemon_pid().exists());
    world.program("pu-engine").output().ok();
    let daemon = world.daemon();
    assert_eq!(world.daemons(), [daemon], "the lock keeps a second one out");

    let project = world.project(&[]);
    let agent = agent_pid(&project.spawn("worker", FOREVER, &["--root"]));
    kill(application.pid(), Signal::SIGKILL);
    world.gone(daemon);
    world.gone(agent);
    assert!(!world.home().daemon_socket().exists());
    assert_eq!(project.ended("worker")["state"], "killed", "its end is on record");
}

#[test]
fn a_managed_daemon_that_is_shut_down_ends_its_agents() {
    let world = World::new();
    let application = world.program("pu-engine").args(["--managed"]).start();
    wait_until("the managed daemon listens", || Client::try_connect(&world.home().daemon_socket()).ok());
    let project = world.project(&[]);
    let agent = agent_pid(&project.spawn("worker", FOREVER, &["--root"]));
    let report = world.client().ask(&json!({"type": "shutdown"}));
    assert_eq!(report["stopped_agents"], 1, "{report}");
    application.finish().ok();
    world.gone(agent);
}

#[test]
fn subscribers_hear_that_the_daemon_stops() {
    let world = World::new();
    world.daemon();
    let mut client = world.client();
    assert_eq!(client.ask(&json!({"type": "subscribe"}))["type"], "subscribed");
    world.pu(["daemon", "stop"]).output().ok();
    client.until("the daemon stops", |line| line["event"]["kind"] == "daemon_stopping");
}

#[test]
fn the_log_is_shown() {
    let world = World::new();
    world.daemon();
    assert!(world.pu(["daemon", "logs"]).output().ok().stdout().contains("serving"));
    assert_eq!(world.pu(["daemon", "logs", "--lines", "1"]).output().ok().stdout().lines().count(), 1);
}

/// What the daemon writes is the user's alone.
#[test]
fn its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::cold();
    let project = world.project(&[]);
    let report = project.spawn("worker", FOREVER, &["--root"]);
    let home = world.home();
    let agent = home.agent(report["agent_id"].as_str().unwrap());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in [home.root().into(), home.cache(), home.agents(), agent.root().into(), agent.output()] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    for file in
        [home.daemon_socket(), home.daemon_pid(), home.daemon_lock(), home.projects(), agent.launch(), agent.shim()]
    {
        assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
    }
}

fn engine(world: &World) -> String {
    world.command("pu-engine").get_program().to_str().unwrap().to_owned()
}

fn agent_pid(report: &serde_json::Value) -> i32 {
    report["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_else(|| panic!("no pid in {report}"))
}

fn assert_nothing_of_the_daemon(world: &World) {
    wait_until("the daemon is gone", || world.daemons().is_empty().then_some(()));
    assert!(!world.home().daemon_socket().exists(), "the socket is left");
    assert!(!world.home().daemon_pid().exists(), "the PID file is left");
}
