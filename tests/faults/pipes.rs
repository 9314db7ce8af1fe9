//! Full pipes: somebody who holds an end and does not read must hold up nobody but himself.

use crate::stage::{FOREVER, Stage};
use e2e::{Terminal, World, kill, lines_of, numbered, wait_until, write};
use nix::sys::signal::Signal;
use std::io::Read as _;
use std::process::Stdio;

/// An attached terminal that is stopped, and reads nothing: the agent goes on at full speed, and no byte is missing.
#[test]
fn an_attached_terminal_that_does_not_read_holds_up_nobody() {
    let world = World::new();
    let stage = Stage::set(&world);
    // Far more than any socket and any terminal take in.
    let flood = "read x; awk 'BEGIN { for (i = 0; i < 200000; i++) print i, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" }'; \
                 echo done; read x";
    stage.project.spawn("flood", flood, &["--no-context"]);
    let pu = world.command("pu").get_program().to_owned();
    let attached = Terminal::open(pu.as_ref(), &["attach", "flood"], world.environment(), stage.project.root());
    let stopped = wait_until("somebody is attached", || {
        let found = world.processes().into_iter().find(|(_, line)| line.contains("attach flood"));
        found.map(|(pid, _)| pid)
    });
    kill(stopped, Signal::SIGSTOP);
    stage.project.pu(["send", "flood", "go"]).output().ok();
    let id = stage.project.agent("flood")["agent_id"].as_str().unwrap().to_owned();
    wait_until("all is written", || {
        let tail = world.client().ask(&serde_json::json!({"type": "logs", "agent": id, "tail": 64}));
        let report: pu_protocol::answer::LogsReport = serde_json::from_value(tail).unwrap();
        String::from_utf8_lossy(&report.data.0).contains("done").then_some(())
    });
    stage.bystander_is_well();
    kill(stopped, Signal::SIGCONT);
    drop(attached);
    stage.project.pu(["kill", "flood"]).output().ok();
    stage.end();
}

/// An agent that does not read what is typed: the terminal is full at some time, and the daemon and others are not.
#[test]
fn an_agent_that_does_not_read_its_input_holds_up_nobody() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.project.spawn("deaf", "stty raw -echo; echo ready; exec sleep 1000", &["--no-context"]);
    stage.project.wrote("deaf", "ready");
    let text = "x".repeat(100_000);
    for _ in 0..4 {
        // Whether the shim takes it or says that it has enough is the shim's to decide; that there is an answer is not.
        let _ = stage.project.pu(["send", "--no-enter", "deaf", &text]).output();
    }
    stage.bystander_is_well();
    stage.project.pu(["kill", "deaf"]).output().ok();
    stage.end();
}

/// An application starts the daemon, holds its standard error in a pipe and does not read it: the daemon serves all the
/// same, however much it has to say.
#[test]
fn a_log_that_nobody_reads_does_not_stop_the_daemon() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.no_daemon();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut command = world.command("pu-engine");
    command.env("PU_LOG", "trace").stdout(Stdio::null()).stderr(writer);
    let mut engine = command.spawn().unwrap();
    drop(command);
    wait_until("it serves", || e2e::Client::try_connect(&world.home().daemon_socket()).ok());
    // Each is a line in the log: more than a pipe takes in, by far.
    let mut client = world.client();
    for _ in 0..2000 {
        let answer = client.ask(&serde_json::json!({"type": "logs", "agent": "nobody"}));
        assert_eq!(answer["code"], "agent_not_found", "{answer}");
    }
    drop(client);
    stage.bystander_is_well();
    let before = stage.traces();
    stage.project.spawn("new", FOREVER, &["--no-context"]);
    stage.project.pu(["kill", "new"]).output().ok();
    stage.project.pu(["clean", "--yes", "new"]).output().ok();
    stage.is_as(&before);
    stage.project.pu(["daemon", "stop"]).output().ok();
    assert!(engine.wait().unwrap().success());
    let mut said = Vec::new();
    reader.read_to_end(&mut said).unwrap();
    assert!(said.len() > 60_000, "the pipe was never full: {} bytes", said.len());
    stage.end();
}

/// Whoever reads the answer has enough of it: no complaint, and the daemon does not care.
#[test]
fn a_reader_who_goes_away_is_no_fault() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stop = world.root().join("stop-followed");
    stage.project.spawn("followed", &numbered(&stop), &["--no-context"]);
    let pu = world.command("pu").get_program().to_str().unwrap().to_owned();
    let output = world.program("sh").args(["-c", &format!("{pu} logs -f followed | head -n 3")]);
    assert_eq!(output.cwd(stage.project.root()).output().ok().stdout().lines().count(), 3);
    write(&stop, "");
    stage.project.ended("followed");
    lines_of(&stage.project.output("followed").0);
    stage.end();
}
