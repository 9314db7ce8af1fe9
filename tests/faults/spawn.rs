//! A spawn that fails, or whose daemon or shim is killed, at every point that it passes.

use crate::stage::{FOREVER, Stage};
use crate::table::{Table, told};
use crate::visits::Visit;
use e2e::{AUTH_TASK, Output, World, becomes_whole, wait_until};
use serde_json::Value;

const EIO: &str = "Input/output error";

/// Spawns; the rules hold in the shim, and in the daemon only if it was armed with them.
fn spawn(stage: &Stage<'_>, name: &str, rules: &str) -> Output {
    let name = format!("--name={name}");
    let args = ["spawn", "--json", "--agent", "terminal", &name, "--command", FOREVER, AUTH_TASK];
    stage.armed(stage.project.pu(args), rules).output()
}

/// All points of a spawn, of the daemon and of the shim, up to the note that nobody waits for.
fn visits(stage: &Stage<'_>) -> Vec<Visit> {
    // What is written once for a project is not a part of every spawn.
    spawn(stage, "first", "").ok();
    remove(stage, "first");
    let visits = stage.visits(|| {
        spawn(stage, "model", "").ok();
        stage.project.wrote("model", "ready");
        let noted =
            || std::fs::read_to_string(&stage.trace).unwrap().contains("moment renamed:committed").then_some(());
        wait_until("the spawn is noted as committed", noted);
    });
    remove(stage, "model");
    visits.into_iter().filter(Visit::is_worth_it).collect()
}

/// Ends an agent and removes what is left of it, as its user would.
#[track_caller]
fn remove(stage: &Stage<'_>, name: &str) {
    let state = wait_until(&format!("{name} runs or has ended"), || {
        let state = stage.project.agent(name)["state"].as_str().unwrap().to_owned();
        (!matches!(state.as_str(), "starting" | "link_lost")).then_some(state)
    });
    if state == "running" {
        stage.project.pu(["kill", name]).output().ok();
    }
    stage.project.ended(name);
    stage.project.pu(["clean", "--yes", name]).output().ok();
}

/// Fails one point. Either the spawn fails, names the cause and leaves nothing, or it did not need what failed and is whole.
#[track_caller]
fn fail_at(stage: &Stage<'_>, visit: &Visit, table: &mut Table) {
    let rule = visit.rule("EIO");
    let (of_daemon, of_shim) = if visit.is_of_daemon() { (rule.as_str(), "") } else { ("", rule.as_str()) };
    stage.arm(of_daemon);
    let before = stage.traces();
    stage.forget_trace();
    let output = spawn(stage, "new", of_shim);
    stage.was_passed(visit);
    if output.code() == Some(0) {
        stage.project.running("new");
        becomes_whole(stage.world, &stage.project);
        remove(stage, "new");
        table.row(visit, "nothing: the agent runs without it", "all that an agent has");
    } else {
        let stderr = output.stderr();
        assert!(stderr.contains(EIO) && !stderr.contains("left behind"), "{visit}: the cause is not named: {output}");
        table.row(visit, &told(&stderr), "nothing");
    }
    stage.is_as(&before);
    stage.bystander_is_well();
}

#[track_caller]
fn fail_at_each(visits: impl Fn(&Stage<'_>) -> Vec<Visit>) {
    let world = World::new();
    let stage = Stage::set(&world);
    let mut table = Table::new("A spawn that fails");
    for visit in visits(&stage).iter().filter(|visit| visit.is_step) {
        fail_at(&stage, visit, &mut table);
    }
    table.show();
    stage.end();
}

#[test]
fn a_failure_at_any_step_leaves_nothing() {
    fail_at_each(|stage| visits(stage).into_iter().filter(Visit::is_named).collect());
}

#[test]
#[ignore = "long: make faults"]
fn a_failure_of_any_file_leaves_nothing() {
    fail_at_each(|stage| visits(stage).into_iter().filter(|visit| !visit.is_named()).collect());
}

/// Kills the program at each point; the next daemon completes the spawn or takes it back. What was answered is there.
#[track_caller]
fn kill_at_each(chosen: impl Fn(&Visit) -> bool) {
    let world = World::new();
    let stage = Stage::set(&world);
    let mut table = Table::new("A spawn whose daemon or shim is killed");
    for (number, visit) in visits(&stage).iter().filter(|visit| chosen(visit)).enumerate() {
        let (rule, name) = (visit.rule("kill"), format!("agent-{number}"));
        let (of_daemon, of_shim) = if visit.is_of_daemon() { (rule.as_str(), "") } else { ("", rule.as_str()) };
        stage.arm(of_daemon);
        stage.forget_trace();
        let output = spawn(&stage, &name, of_shim);
        stage.was_passed(visit);
        stage.disarm();
        let agents = whoever_came(&stage);
        let agent = agents.iter().find(|agent| agent["name"] == name.as_str());
        assert!(output.code() != Some(0) || agent.is_some(), "{visit}: it was answered and is gone: {output}");
        let state = agent.map_or("taken back, or about to be", |agent| agent["state"].as_str().unwrap());
        table.row(visit, &told(&output.stderr()), state);
        // What a daemon passes while it starts is counted, too, and grows with the agents that live: the next point would be
        // another one. A shim that was killed has left an agent whose end nobody saw; it is the user's to remove as well.
        if agent.is_some() {
            remove(&stage, &name);
        }
        stage.bystander_is_well();
    }
    // Those that never came to their shim are taken back when none can come any more.
    becomes_whole(&world, &stage.project);
    table.show();
    stage.end();
}

/// The agents, once each that lives has its shim and each shim its agent: one may have been on its way when its daemon died.
#[track_caller]
fn whoever_came(stage: &Stage<'_>) -> Vec<Value> {
    wait_until("every shim is that of an agent that lives", || {
        let agents = stage.project.agents();
        let lives = |agent: &&Value| matches!(agent["state"].as_str(), Some("starting" | "running" | "link_lost"));
        let live = agents.iter().filter(lives).count();
        (live == stage.world.shims().len()).then_some(agents)
    })
}

#[test]
fn a_daemon_killed_at_a_step_leaves_it_whole_or_undone() {
    let steps = ["spawn.worktree", "worktree.fill", "spawn.shim", "spawn.started", "spawn.committed"];
    kill_at_each(|visit| steps.contains(&visit.point.as_str()));
}

#[test]
#[ignore = "long: make faults"]
fn a_daemon_or_shim_killed_at_any_step_leaves_it_whole_or_undone() {
    kill_at_each(Visit::is_named);
}

#[test]
#[ignore = "long: make faults"]
fn a_daemon_or_shim_killed_at_any_file_leaves_it_whole_or_undone() {
    kill_at_each(|visit| !visit.is_named());
}

/// The shim stops before it says that its agent runs: it is given up, and its agent with it.
#[test]
#[ignore = "long: make faults"]
fn a_shim_that_hangs_while_it_starts_is_given_up() {
    let world = World::new();
    let stage = Stage::set(&world);
    let before = stage.traces();
    let output = spawn(&stage, "new", "shim.started=stop");
    output.fails(124, "timed_out");
    stage.is_as(&before);
    stage.end();
}
