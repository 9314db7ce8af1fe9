//! A shim that is stopped or killed: its own agent is out of reach or gone, told as what it is, and no other notices.

use crate::stage::{FOREVER, Stage};
use e2e::{World, becomes_whole, is_alive, kill, lines_of, numbered, wait_until, write};
use nix::sys::signal::Signal;
use pu_record::shim::ShimRecord;
use std::time::{Duration, Instant};

/// However long a shim keeps silent, whoever asks the daemon about others is answered within this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who an agent's shim and its child are.
#[track_caller]
fn record_of(stage: &Stage<'_>, name: &str) -> ShimRecord {
    let id = stage.project.agent(name)["agent_id"].as_str().unwrap().to_owned();
    ShimRecord::read(&stage.world.home().agent(&id).shim()).unwrap()
}

/// Stopped, it answers nobody. The daemon and a new daemon serve all others; when it goes on, nothing is lost.
#[test]
fn a_stopped_shim_holds_nobody_up_and_loses_nothing() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stop = world.root().join("stop-frozen");
    stage.project.spawn("frozen", &numbered(&stop), &["--no-context"]);
    stage.project.wrote("frozen", "20 ");
    stage.project.spawn("doomed", FOREVER, &["--no-context"]);
    stage.project.wrote("doomed", "ready");
    let shims = ["frozen", "doomed"].map(|name| record_of(&stage, name).shim.pid);
    shims.iter().for_each(|shim| kill(*shim, Signal::SIGSTOP));

    stage.project.pu(["kill", "--json", "doomed"]).output().fails(1, "agent_unreachable");
    assert!(lines_of(&stage.project.output("frozen").0) > 0, "what it wrote is read all the same");

    stage.no_daemon();
    let begun = Instant::now();
    world.daemon();
    stage.bystander_is_well();
    stage.project.spawn("other", FOREVER, &["--no-context"]);
    assert!(begun.elapsed() < PATIENCE, "the others waited {:?} for a shim that is stopped", begun.elapsed());
    let agent = wait_until("the daemon has given up to wait for it", || {
        let agent = stage.project.agent("frozen");
        (agent["state"] == "link_lost").then_some(agent)
    });
    assert!(agent["reason"].as_str().is_some_and(|reason| reason.contains("does not answer")), "{agent}");

    shims.iter().for_each(|shim| kill(*shim, Signal::SIGCONT));
    stage.project.running("frozen");
    // What it was asked while it was stopped, it does now.
    assert_eq!(stage.project.ended("doomed")["state"], "killed");
    stage.project.pu(["clean", "--yes", "doomed"]).output().ok();
    becomes_whole(&world, &stage.project);
    write(&stop, "");
    assert_eq!(stage.project.ended("frozen")["code"], 3);
    lines_of(&stage.project.output("frozen").0);
    stage.end();
}

/// Killed, with or without a daemon that sees it: nobody claims to know how the agent ended, nothing of it runs on, and
/// its user can remove it.
#[test]
fn a_killed_shim_is_told_and_can_be_removed() {
    for seen in [true, false] {
        let world = World::new();
        let stage = Stage::set(&world);
        let before = stage.traces();
        stage.project.spawn("victim", FOREVER, &["--no-context"]);
        stage.project.wrote("victim", "ready");
        let record = record_of(&stage, "victim");
        if !seen {
            stage.no_daemon();
        }
        kill(record.shim.pid, Signal::SIGKILL);
        wait_until("its terminal is hung up, and it goes", || (!is_alive(record.child.pid)).then_some(()));
        let agent = stage.project.ended("victim");
        assert_eq!(agent["state"], "exit_unknown", "{agent}");
        assert!(agent.get("code").is_none() && agent["reason"].as_str().is_some_and(|r| !r.is_empty()), "{agent}");
        assert_eq!(stage.project.output("victim").0, b"ready\r\n", "its output stays");
        stage.project.pu(["kill", "--json", "victim"]).output().fails(4, "agent_ended");
        stage.project.pu(["clean", "--yes", "victim"]).output().ok();
        stage.is_as(&before);
        stage.end();
    }
}

/// One whose agent does not mind the hang-up runs on without a terminal: that is said, and nobody takes it for another.
#[test]
fn an_agent_that_outlives_its_shim_is_named_and_not_killed_by_chance() {
    let world = World::new();
    let stage = Stage::set(&world);
    let command = "trap '' HUP; echo ready; while :; do sleep 1; done";
    stage.project.spawn("orphan", command, &["--no-context"]);
    stage.project.wrote("orphan", "ready");
    let record = record_of(&stage, "orphan");
    kill(record.shim.pid, Signal::SIGKILL);
    let agent = wait_until("the daemon sees it", || {
        let agent = stage.project.agent("orphan");
        let told = agent["reason"].as_str().is_some_and(|reason| reason.contains("shim is gone"));
        (agent["state"] == "link_lost" && told).then_some(agent)
    });
    assert_eq!(agent["pid"], record.child.pid, "{agent}");
    stage.disarm();
    assert_eq!(stage.project.agent("orphan")["state"], "link_lost");
    assert!(is_alive(record.child.pid));
    kill(record.child.pid, Signal::SIGKILL);
    assert_eq!(stage.project.ended("orphan")["state"], "exit_unknown");
    stage.end();
}
