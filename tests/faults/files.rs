//! A disk that is full or broken, for every file that is written: what the user is told, and that all goes on once there is
//! room again.

use crate::stage::{FOREVER, Stage};
use crate::table::{Table, told};
use e2e::{AUTH_TASK, Output, Project, World, lines_of, numbered, pause, wait_until, write};
use pu_protocol::Answer;
use serde_json::json;
use std::time::Duration;

/// The names by which the system tells each error.
const ERRORS: [(&str, &str); 4] = [
    ("ENOSPC", "No space left on device"),
    ("short", "No space left on device"),
    ("EIO", "Input/output error"),
    ("EMFILE", "Too many open files"),
];

fn spawn(project: &Project<'_>, name: &str) -> Output {
    let name = format!("--name={name}");
    project.pu(["spawn", "--json", "--agent", "terminal", &name, "--command", FOREVER, AUTH_TASK]).output()
}

/// As long as nothing can be written under this name, spawns fail, say why and leave nothing. Then they work again.
#[track_caller]
fn none_can_be_written(stage: &Stage<'_>, file: &str, errors: &[(&str, &str)], table: &mut Table) {
    // A lock is never written to, so no write of it is cut short.
    for (action, cause) in errors.iter().filter(|(action, _)| *action != "short" || !file.ends_with(".lock")) {
        let act = if *action == "short" { "write" } else { "*" };
        stage.arm(&format!("{act}:{file}={action}"));
        let before = stage.traces();
        let output = spawn(&stage.project, "new");
        assert_ne!(output.code(), Some(0), "{file} {action}: {output}");
        let stderr = output.stderr();
        assert!(
            stderr.contains(cause) && stderr.contains(file),
            "{file} {action}: cause or file is not named: {output}"
        );
        stage.is_as(&before);
        table.row(&format!("{file}: {action}"), &told(&stderr), "nothing");
        stage.bystander_is_well();
    }
    stage.disarm();
    spawn(&stage.project, "new").ok();
    stage.project.wrote("new", "ready");
    stage.project.pu(["kill", "new"]).output().ok();
    stage.project.pu(["clean", "--yes", "new"]).output().ok();
}

#[track_caller]
fn for_files(files: &[&str], errors: &[(&str, &str)]) {
    let world = World::new();
    let stage = Stage::set(&world);
    let mut table = Table::new("A file that cannot be written");
    for file in files {
        none_can_be_written(&stage, file, errors, &mut table);
    }
    table.show();
    stage.end();
}

#[test]
fn a_spawn_on_a_full_disk_is_told_and_works_once_there_is_room() {
    for_files(&["launch.json", "manifest.json"], &ERRORS[..1]);
}

#[test]
#[ignore = "long: make faults"]
fn a_spawn_on_a_broken_disk_is_told_and_works_once_it_is_mended() {
    for_files(&["launch.json", "context.md", "claimed", "history.jsonl", "manifest.json", "manifest.lock"], &ERRORS);
}

/// Its own record is the shim's: it cannot start its agent without, and says so.
#[test]
fn a_shim_on_a_full_disk_starts_nothing_and_says_why() {
    let world = World::new();
    let stage = Stage::set(&world);
    for rules in ["*:shim.json=ENOSPC", "create-folder=ENOSPC"] {
        let before = stage.traces();
        let args = ["spawn", "--json", "--agent", "terminal", "--name=new", "--command", FOREVER, AUTH_TASK];
        let output = stage.armed(stage.project.pu(args), rules).output();
        output.fails(1, "launch_failed");
        assert!(output.stderr().contains("No space left on device"), "{output}");
        stage.is_as(&before);
    }
    stage.end();
}

/// Output that the disk does not take is lost, and told as a gap with its bounds; the agent is not held up by it, and
/// output is kept again once the disk takes it.
#[test]
fn output_on_a_full_disk_is_a_gap_and_the_agent_goes_on() {
    let world = World::new();
    let stage = Stage::set(&world);
    let go = world.root().join("go");
    // The second write of the spool fails, and no other.
    let command =
        format!("echo first; read x; echo second; read x; echo third; until [ -e {} ]; do read x; done", go.display());
    let args = ["spawn", "--json", "--agent", "terminal", "--name=new", "--no-context", "--command", &command];
    stage.armed(stage.project.pu(args), "write:spool@2=ENOSPC").output().ok();
    stage.project.wrote("new", "first");
    let mut typed = 0;
    while !String::from_utf8_lossy(&bytes_and_gaps(&stage, "new").0).contains("third") {
        typed += 1;
        assert!(typed < 100, "{:?}", bytes_and_gaps(&stage, "new"));
        stage.project.pu(["send", "new", "x"]).output().ok();
        pause(Duration::from_millis(50));
    }
    let (_, gaps) = bytes_and_gaps(&stage, "new");
    assert_eq!(gaps.len(), 1, "what was lost is told, once: {gaps:?}");
    assert!(gaps[0].0 < gaps[0].1, "{gaps:?}");
    let agent = stage.project.running("new");
    let log = std::fs::read_to_string(world.home().agent(agent["agent_id"].as_str().unwrap()).shim_log()).unwrap();
    assert!(log.contains("No space left on device") && log.contains("kept again"), "{log}");
    write(go, "");
    stage.project.pu(["send", "new", "x"]).output().ok();
    assert_eq!(stage.project.ended("new")["state"], "exited");
    stage.end();
}

/// All output and the gaps in it, in pieces.
fn bytes_and_gaps(stage: &Stage<'_>, name: &str) -> (Vec<u8>, Vec<(u64, u64)>) {
    let mut client = stage.world.client();
    let (mut bytes, mut gaps, mut since) = (Vec::new(), Vec::new(), 0);
    loop {
        let request = json!({"type": "logs", "agent": name, "cwd": stage.project.root(), "since": since});
        let Ok(Answer::LogsReport(report)) = serde_json::from_value(client.ask(&request)) else { panic!("{request}") };
        gaps.extend(report.gap.map(|gap| (gap.from, gap.to)));
        bytes.extend(report.data.0);
        since = report.next_offset;
        if since >= report.end {
            return (bytes, gaps);
        }
    }
}

/// An exit record that the disk refuses is written as soon as it takes it: nobody is told before, nothing is forgotten.
#[test]
fn an_exit_on_a_full_disk_is_recorded_once_there_is_room() {
    let world = World::new();
    let stage = Stage::set(&world);
    let stop = world.root().join("stop-new");
    let refused: String = (1..=4).map(|time| format!("create:exit.json@{time}=ENOSPC;")).collect();
    let args = ["spawn", "--json", "--agent", "terminal", "--name=new", "--no-context", "--command", &numbered(&stop)];
    stage.armed(stage.project.pu(args), &refused).output().ok();
    stage.project.wrote("new", "40 ");
    write(&stop, "");
    let agent = stage.project.ended("new");
    assert_eq!((&agent["state"], &agent["code"]), (&"exited".into(), &3.into()), "{agent}");
    lines_of(&stage.project.output("new").0);
    let log = std::fs::read_to_string(world.home().agent(agent["agent_id"].as_str().unwrap()).shim_log()).unwrap();
    assert!(log.contains("No space left on device"), "{log}");
    stage.end();
}

/// The project's own files follow the agent's record, at the next start at the latest.
#[test]
fn an_end_that_the_project_could_not_take_in_is_taken_in_by_the_next_daemon() {
    let world = World::new();
    let stage = Stage::set(&world);
    for file in ["history.jsonl", "manifest.json"] {
        stage.disarm();
        spawn(&stage.project, "new").ok();
        stage.project.wrote("new", "ready");
        stage.arm(&format!("*:{file}=ENOSPC"));
        stage.project.running("new");
        stage.project.pu(["kill", "new"]).output().ok();
        let rows = |stage: &Stage<'_>| stage.project.manifest()["agents"].as_array().unwrap().len();
        assert_eq!(rows(&stage), 2, "{file}: it could not be written");
        stage.disarm();
        assert_eq!(stage.project.agent("new")["state"], "killed", "{file}");
        wait_until("its row is gone", || (rows(&stage) == 1).then_some(()));
        let told = stage.project.history();
        let id = &stage.project.agent("new")["agent_id"];
        let ends = told.iter().filter(|line| line["kind"] == "ended" && line["agent_id"] == *id).count();
        assert!(ends >= 1, "{file}: its end is in the history");
        stage.project.pu(["clean", "--yes", "new"]).output().ok();
    }
    stage.end();
}
