//! A resume that fails, or whose daemon or shim is killed, at every point that it passes: the agent goes on once, or can be
//! resumed once more, and nothing is left of a life that did not begin.

use crate::stage::{FOREVER, Stage};
use crate::table::{Table, told};
use crate::visits::Visit;
use e2e::{AUTH_TASK, Output, World, becomes_whole, wait_until};
use serde_json::{Value, json};

const EIO: &str = "Input/output error";

/// An agent that has ended, with a worktree and a context.
#[track_caller]
fn begin(stage: &Stage<'_>) {
    let args = ["spawn", "--json", "--agent", "terminal", "--name=victim", "--command", FOREVER, AUTH_TASK];
    stage.project.pu(args).output().ok();
    stage.project.wrote("victim", "ready");
    end(stage);
}

/// Ends it in whatever life it is. What its spawn or resume leaves to be written, which nobody waits for, is written.
#[track_caller]
fn end(stage: &Stage<'_>) {
    let agent = stage.project.running("victim");
    let committed = stage.world.home().agent(agent["agent_id"].as_str().unwrap()).committed();
    wait_until("its start is noted as committed", || committed.exists().then_some(()));
    stage.project.pu(["kill", "victim"]).output().ok();
    stage.project.ended("victim");
}

/// Resumes it; the rules hold in the shim, and in the daemon only if it was armed with them.
fn resume(stage: &Stage<'_>, rules: &str) -> Output {
    stage.armed(stage.project.pu(["resume", "--json", "victim"]), rules).output()
}

/// All points of a resume, of the daemon and of the shim, up to the note that nobody waits for.
fn visits(stage: &Stage<'_>) -> Vec<Visit> {
    let visits = stage.visits(|| {
        resume(stage, "").ok();
        stage.project.wrote("victim", "ready");
        let noted =
            || std::fs::read_to_string(&stage.trace).unwrap().contains("moment renamed:committed").then_some(());
        wait_until("the resume is noted as committed", noted);
    });
    end(stage);
    visits.into_iter().filter(Visit::is_worth_it).collect()
}

/// Removes all its lives, as its user would.
#[track_caller]
fn remove(stage: &Stage<'_>) {
    stage.project.pu(["clean", "--yes", "victim"]).output().ok();
    becomes_whole(stage.world, &stage.project);
}

/// Fails each point. Either the resume fails, names the cause and leaves all as it was, or it did not need what failed.
#[track_caller]
fn fail_at_each(chosen: impl Fn(&Visit) -> bool) {
    let world = World::new();
    let stage = Stage::set(&world);
    begin(&stage);
    let mut table = Table::new("A resume that fails");
    for visit in visits(&stage).iter().filter(|visit| visit.is_step && chosen(visit)) {
        let rule = visit.rule("EIO");
        let (of_daemon, of_shim) = if visit.is_of_daemon() { (rule.as_str(), "") } else { ("", rule.as_str()) };
        stage.arm(of_daemon);
        let before = stage.traces();
        stage.forget_trace();
        let output = resume(&stage, of_shim);
        stage.was_passed(visit);
        if output.code() == Some(0) {
            // What could not be written is written by the next daemon.
            stage.disarm();
            end(&stage);
            table.row(visit, "nothing: the agent goes on without it", "all that an agent has");
        } else {
            let stderr = output.stderr();
            assert!(
                stderr.contains(EIO) && !stderr.contains("left behind"),
                "{visit}: the cause is not named: {output}"
            );
            stage.is_as(&before);
            table.row(visit, &told(&stderr), "all as it was");
        }
        stage.bystander_is_well();
    }
    stage.disarm();
    resume(&stage, "").ok();
    end(&stage);
    remove(&stage);
    table.show();
    stage.end();
}

#[test]
fn a_step_that_fails_leaves_the_agent_as_it_was() {
    fail_at_each(Visit::is_named);
}

#[test]
#[ignore = "long: make faults"]
fn a_file_that_fails_leaves_the_agent_as_it_was() {
    fail_at_each(|visit| !visit.is_named());
}

/// Kills the program at each point. Under the next daemon the agent goes on by itself, or by being resumed once more.
#[track_caller]
fn kill_at_each(chosen: impl Fn(&Visit) -> bool) {
    let world = World::new();
    let stage = Stage::set(&world);
    begin(&stage);
    let mut table = Table::new("A resume whose daemon or shim is killed");
    for visit in visits(&stage).iter().filter(|visit| chosen(visit)) {
        let rule = visit.rule("kill");
        let (of_daemon, of_shim) = if visit.is_of_daemon() { (rule.as_str(), "") } else { ("", rule.as_str()) };
        stage.arm(of_daemon);
        stage.forget_trace();
        let output = resume(&stage, of_shim);
        stage.was_passed(visit);
        stage.disarm();
        let by = goes_on(&stage, visit);
        table.row(visit, &told(&output.stderr()), by);
        end(&stage);
        stage.bystander_is_well();
    }
    remove(&stage);
    table.show();
    stage.end();
}

/// Waits until it lives once, and answers what it took. Its name is held until it is known whether a shim comes.
#[track_caller]
fn goes_on(stage: &Stage<'_>, visit: &Visit) -> &'static str {
    wait_until(&format!("it goes on, or can be resumed once more, after {visit}"), || {
        let output = resume(stage, "");
        let lives = stage.project.agents().iter().filter(|agent| is_living(agent)).count();
        assert!(lives <= 1, "{visit}: it lives {lives} times: {output}");
        match (output.code() == Some(0), lives) {
            (true, _) => Some("resumed once more"),
            (false, 1) => Some("it had gone on"),
            (false, _) => None,
        }
    })
}

fn is_living(agent: &Value) -> bool {
    agent["name"] == "victim" && matches!(agent["state"].as_str(), Some("starting" | "running" | "link_lost"))
}

#[test]
fn a_daemon_killed_at_a_step_lets_the_agent_go_on_once() {
    let steps = ["resume.start", "spawn.started", "spawn.committed", "resume.answer"];
    kill_at_each(|visit| steps.contains(&visit.point.as_str()));
}

#[test]
#[ignore = "long: make faults"]
fn a_daemon_or_shim_killed_at_any_step_lets_the_agent_go_on_once() {
    kill_at_each(Visit::is_named);
}

#[test]
#[ignore = "long: make faults"]
fn a_daemon_or_shim_killed_at_any_file_lets_the_agent_go_on_once() {
    kill_at_each(|visit| !visit.is_named());
}

/// Killed while it ends its agents: those that it has ended can be resumed together, and those that it has not still run
/// and count as nobody's to be resumed.
#[test]
fn a_daemon_killed_while_it_ends_its_agents_has_noted_whom() {
    let world = World::new();
    let stage = Stage::set(&world);
    for (point, ended) in [("stop.noted", json!([])), ("stop.ended", json!(["bystander", "other"]))] {
        stage.project.spawn("other", FOREVER, &["--no-context"]);
        stage.project.wrote("other", "ready");
        stage.forget_trace();
        stage.arm(&format!("{point}=kill"));
        // It has taken up both, and is told to end them with itself.
        stage.project.running("other");
        stage.project.running("bystander");
        let _ = stage.project.pu(["daemon", "stop", "--stop-agents"]).output();
        wait_until(&format!("{point} is passed"), || stage.fired().then_some(()));
        stage.disarm();
        // Both are shell commands: `--all` names them, and runs neither a second time.
        let told = stage.project.pu(["resume", "--all", "--json"]).output();
        let report: Value = serde_json::from_str(told.stdout().trim()).unwrap_or_else(|e| panic!("{e}: {told}"));
        let names: Vec<Value> =
            report["failed"].as_array().unwrap().iter().map(|agent| agent["agent"].clone()).collect();
        assert_eq!((json!(names), &report["resumed"]), (ended.clone(), &json!([])), "{point}: {report:#}");
        for name in ended.as_array().unwrap() {
            stage.project.pu(["resume", "--json", name.as_str().unwrap()]).output().ok();
        }
        assert!(stage.project.manifest()["stopped"].is_null(), "{point}: {}", stage.project.manifest());
        stage.project.running("other");
        stage.project.pu(["kill", "other"]).output().ok();
        stage.project.pu(["clean", "--yes", "other"]).output().ok();
        stage.project.wrote("bystander", "1 ");
        stage.bystander_is_well();
    }
    stage.end();
}
