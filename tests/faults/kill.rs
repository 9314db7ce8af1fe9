//! A kill that fails, or whose daemon or shim is killed, at every point that it passes: the agent goes on whole or its end
//! is on record, and nothing in between.

use crate::stage::{FOREVER, Stage};
use crate::table::{Table, told};
use crate::visits::Visit;
use e2e::{Output, World, becomes_whole, wait_until};

/// An agent in whose shim these rules hold.
#[track_caller]
fn victim(stage: &Stage<'_>, rules: &str) {
    let args = ["spawn", "--json", "--agent", "terminal", "--name=victim", "--no-context", "--command", FOREVER];
    stage.armed(stage.project.pu(args), rules).output().ok();
    stage.project.wrote("victim", "ready");
    let agent = stage.project.agent("victim");
    let committed = stage.world.home().agent(agent["agent_id"].as_str().unwrap()).committed();
    wait_until("its spawn is noted as committed", || committed.exists().then_some(()));
}

fn kill(stage: &Stage<'_>) -> Output {
    stage.project.pu(["kill", "--json", "victim"]).output()
}

/// Every point that is passed from the request to the answer. The shim's are counted from its start.
fn visits(stage: &Stage<'_>) -> Vec<Visit> {
    stage.forget_trace();
    stage.arm("");
    victim(stage, "");
    let before = std::fs::read_to_string(&stage.trace).unwrap().lines().count();
    kill(stage).ok();
    stage.project.ended("victim");
    let visits = stage.traced().split_off(before);
    stage.project.pu(["clean", "--yes", "victim"]).output().ok();
    visits.into_iter().filter(|visit| !visit.point.ends_with(":spool")).collect()
}

#[track_caller]
fn at_each(action: &'static str, chosen: impl Fn(&Visit) -> bool) {
    let world = World::new();
    let stage = Stage::set(&world);
    let title = if action == "kill" { "A kill whose daemon or shim is killed" } else { "A kill that fails" };
    let mut table = Table::new(title);
    for visit in visits(&stage).iter().filter(|visit| chosen(visit)) {
        let rule = visit.rule(action);
        let (of_daemon, of_shim) = if visit.is_of_daemon() { (rule.as_str(), "") } else { ("", rule.as_str()) };
        // The count of the daemon's points begins where it did when they were traced.
        stage.forget_trace();
        stage.arm(of_daemon);
        victim(&stage, of_shim);
        let output = kill(&stage);
        stage.was_passed(visit);
        if output.code() != Some(0) && action != "kill" {
            assert!(output.stderr().contains("Input/output error"), "{visit}: the cause is not named: {output}");
        }
        stage.disarm();
        // It goes on, and can be killed; or it has ended, and how is known.
        if stage.project.agent("victim")["state"] == "running" {
            let again = kill(&stage);
            assert!(again.code() == Some(0) || again.stderr().contains("agent_ended"), "{visit}: {again}");
        }
        let agent = stage.project.ended("victim");
        let state = agent["state"].as_str().unwrap();
        let shim_died = action == "kill" && !visit.is_of_daemon();
        assert!(state == "killed" || (shim_died && state == "exit_unknown"), "{visit}: {agent}");
        table.row(visit, &told(&output.stderr()), state);
        stage.project.pu(["clean", "--yes", "victim"]).output().ok();
        becomes_whole(&world, &stage.project);
        stage.bystander_is_well();
    }
    table.show();
    stage.end();
}

#[test]
fn a_step_that_fails_does_not_lose_the_end() {
    at_each("EIO", |visit| visit.is_step && visit.is_named());
}

#[test]
#[ignore = "long: make faults"]
fn a_file_that_fails_does_not_lose_the_end() {
    at_each("EIO", |visit| visit.is_step && !visit.is_named());
}

#[test]
#[ignore = "long: make faults"]
fn a_daemon_or_shim_killed_at_any_point_does_not_lose_the_end() {
    at_each("kill", |_| true);
}
