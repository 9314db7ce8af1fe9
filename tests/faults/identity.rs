//! Numbers that are used again and clocks that jump: what a record names may be a stranger by now, and a time in it may lie
//! in the future. No stranger is ever signalled, and no agent is lost by a clock.

use crate::stage::{FOREVER, Stage};
use e2e::{World, is_alive, kill, wait_until};
use nix::sys::signal::Signal;
use pu_record::atomic::{PRIVATE_FILE, write_atomic};
use pu_record::launch::LaunchRecord;
use pu_record::shim::ShimRecord;
use std::process::{Child, Command};

/// A process that has nothing to do with PurePoint.
struct Stranger(Child);

impl Stranger {
    fn new() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Shim and agent are gone, and their numbers are a stranger's: it is not followed, not killed, and nobody is told that
/// the agent runs.
#[test]
fn a_stranger_with_the_number_of_a_shim_or_agent_is_left_alone() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stranger = Stranger::new();
    stage.project.spawn("victim", FOREVER, &["--no-context"]);
    stage.project.wrote("victim", "ready");
    let id = stage.project.agent("victim")["agent_id"].as_str().unwrap().to_owned();
    let path = world.home().agent(&id).shim();
    let mut record = ShimRecord::read(&path).unwrap();
    stage.no_daemon();
    kill(record.shim.pid, Signal::SIGKILL);
    wait_until("shim and agent are gone", || (!is_alive(record.child.pid)).then_some(()));
    record.shim.pid = stranger.pid();
    record.child.pid = stranger.pid();
    record.write(&path).unwrap();

    world.daemon();
    let agent = stage.project.ended("victim");
    assert_eq!(agent["state"], "exit_unknown", "{agent}");
    stage.project.pu(["kill", "--json", "victim"]).output().fails(4, "agent_ended");
    stage.project.pu(["clean", "--yes", "victim"]).output().ok();
    world.pu(["daemon", "stop", "--stop-agents"]).output().ok();
    assert!(is_alive(stranger.pid()));
    stage.project.ended("bystander");
}

/// What a dead daemon has noted of itself names a stranger: a new one starts, and the stranger lives.
#[test]
fn a_stranger_with_the_number_of_a_daemon_is_no_daemon() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stranger = Stranger::new();
    stage.no_daemon();
    for path in [world.home().daemon_pid(), world.home().daemon_lock()] {
        e2e::write(path, format!("{}\n", stranger.pid()));
    }
    let daemon = world.daemon();
    assert_ne!(daemon, stranger.pid());
    assert_eq!(e2e::read(world.home().daemon_pid()).trim(), daemon.to_string());
    world.pu(["daemon", "stop"]).output().ok();
    assert!(is_alive(stranger.pid()));
    stage.end();
}

/// A clock that was set forward or back between the spawn and the next daemon: agents that run are found, and what an
/// interrupted spawn left goes, neither at once for ever nor never.
#[track_caller]
fn a_jump(to: &[&str]) {
    for &moved in to {
        let world = World::new();
        let stage = Stage::set(&world);
        stage.project.spawn("worker", FOREVER, &["--no-context"]);
        let id = stage.project.agent("worker")["agent_id"].as_str().unwrap().to_owned();
        stage.no_daemon();
        let path = world.home().agent(&id).launch();
        let mut launch = LaunchRecord::read(&path).unwrap();
        launch.created_at = moved.into();
        launch.write(&path).unwrap();
        let shim = world.home().agent(&id).shim();
        let mut record = ShimRecord::read(&shim).unwrap();
        record.started_at = moved.into();
        record.write(&shim).unwrap();
        // A spawn that never came to its shim, of the same moment.
        let mut stillborn = launch.clone();
        stillborn.agent_id = "stillborn".into();
        stillborn.name = "stillborn".into();
        stillborn.worktree = None;
        stillborn.commit =
            serde_json::json!({"agent": {"agent_id": "stillborn", "name": "stillborn", "agent": "terminal"}});
        let folder = world.home().agent("stillborn");
        pu_record::atomic::create_private_folder(folder.root()).unwrap();
        stillborn.write(&folder.launch()).unwrap();

        world.daemon();
        stage.project.running("worker");
        stage.bystander_is_well();
        wait_until("the spawn that never started is taken back", || (!folder.root().exists()).then_some(()));
        assert_eq!(stage.project.agents().len(), 2);
        stage.end();
    }
}

#[test]
fn a_clock_that_jumps_forward_costs_no_agent() {
    a_jump(&["1970-01-01T00:00:00.000Z"]);
}

/// An interrupted spawn is given all the time that it may take then: what it left goes after that.
#[test]
#[ignore = "long: make faults"]
fn a_clock_that_jumps_back_costs_no_agent() {
    a_jump(&["2999-12-31T23:59:59.999Z", "yesterday"]);
}

/// A record of another boot says nothing of the processes of this one, whatever numbers it names.
#[test]
fn numbers_of_another_boot_are_nobodys() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stranger = Stranger::new();
    stage.project.spawn("victim", FOREVER, &["--no-context"]);
    stage.project.wrote("victim", "ready");
    let id = stage.project.agent("victim")["agent_id"].as_str().unwrap().to_owned();
    let layout = world.home().agent(&id);
    let record = ShimRecord::read(&layout.shim()).unwrap();
    stage.no_daemon();
    kill(record.shim.pid, Signal::SIGKILL);
    wait_until("shim and agent are gone", || (!is_alive(record.child.pid)).then_some(()));
    for path in [layout.launch(), layout.shim()] {
        let text = e2e::read(&path).replace(&record.boot_id, "another-boot");
        write_atomic(&path, text.as_bytes(), PRIVATE_FILE).unwrap();
    }
    let mut moved = ShimRecord::read(&layout.shim()).unwrap();
    moved.shim = pu_record::process::ProcessIdentity::of(stranger.pid()).unwrap();
    moved.write(&layout.shim()).unwrap();
    world.daemon();
    assert_eq!(stage.project.agent("victim")["state"], "lost");
    assert!(is_alive(stranger.pid()));
    stage.end();
}
