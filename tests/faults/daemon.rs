//! A daemon that fails or is killed on its way up, on its way down, and while one takes the place of another.

use crate::stage::Stage;
use crate::table::Table;
use crate::visits::Visit;
use e2e::{World, wait_until, write};

fn is_quick(visit: &Visit) -> bool {
    visit.is_named() || visit.point.contains("daemon.")
}

/// Fails each step of a start. The daemon says why it does not come up, or comes up all the same; the next one does.
#[track_caller]
fn fail_each_step(chosen: impl Fn(&Visit) -> bool) {
    let world = World::new();
    let stage = Stage::set(&world);
    let mut table = Table::new("A daemon that fails while it starts");
    for visit in stage.visits_of_start().iter().filter(|visit| visit.is_step && chosen(visit)) {
        stage.no_daemon();
        stage.forget_trace();
        let output = stage.start_armed(&visit.rule("EIO"));
        stage.was_passed(visit);
        if output.code() == Some(0) {
            let report = stage.project.pu(["status", "--json"]).output().json();
            let known =
                report.to_string().contains("bystander") || report["unrecognised"].to_string().contains("error");
            assert!(known, "{visit}: the bystander is lost without a word: {report}");
            table.row(visit, "nothing: it serves", "nothing");
        } else {
            // Told in the daemon's last words, which the client shows.
            assert!(output.stderr().contains("Input/output error"), "{visit}: the cause is not named: {output}");
            assert!(world.daemons().is_empty(), "{visit}");
            let stderr = output.stderr();
            let last = stderr.lines().rfind(|line| line.contains("Input/output")).unwrap_or_default();
            table.row(visit, last, "nothing");
        }
        stage.disarm();
        stage.bystander_is_well();
    }
    table.show();
    stage.end();
}

#[test]
fn a_start_that_fails_says_why_and_the_next_one_succeeds() {
    fail_each_step(is_quick);
}

#[test]
#[ignore = "long: make faults"]
fn a_file_that_fails_at_the_start_is_named_and_the_next_start_succeeds() {
    fail_each_step(|visit| !is_quick(visit));
}

/// Killed at each point of its start, whatever it has done by then.
#[test]
#[ignore = "long: make faults"]
fn a_daemon_killed_while_it_starts_is_followed_by_a_whole_one() {
    let world = World::new();
    let stage = Stage::set(&world);
    let mut table = Table::new("A daemon that is killed while it starts");
    for visit in &stage.visits_of_start() {
        stage.no_daemon();
        stage.forget_trace();
        let output = stage.start_armed(&visit.rule("kill"));
        stage.was_passed(visit);
        stage.disarm();
        stage.bystander_is_well();
        table.row(visit, output.stderr().lines().next().unwrap_or_default(), "nothing");
    }
    table.show();
    stage.end();
}

/// Killed while it stops: by `stop` and by `restart`, which must bring a daemon whatever became of the one before.
#[test]
fn a_daemon_killed_while_it_stops_is_followed_by_a_whole_one() {
    let world = World::new();
    let stage = Stage::set(&world);
    for verb in ["stop", "restart"] {
        for point in ["daemon.stop", "daemon.stopped"] {
            stage.forget_trace();
            stage.arm(&format!("{point}=kill"));
            let output = stage.project.pu(["daemon", verb]).output();
            wait_until(&format!("{point} is passed"), || stage.fired().then_some(()));
            assert!(verb == "stop" || output.code() == Some(0), "{point}: {output}");
            stage.bystander_is_well();
        }
    }
    stage.end();
}

/// Two that start at once, one of them held up while it has the lock and nothing else: there is one daemon in the end.
#[test]
fn a_daemon_that_dawdles_with_the_lock_keeps_others_out_and_nothing_breaks() {
    let world = World::new();
    let stage = Stage::set(&world);
    stage.no_daemon();
    let go = world.root().join("go");
    let slow = stage.armed(world.pu(["daemon", "start"]), &format!("daemon.bind=wait:{}", go.display())).start();
    let here = world.root().join("go.here");
    wait_until("the first has the lock", || here.exists().then_some(()));
    let quick = world.pu(["health", "--json"]).start();
    write(&go, "");
    slow.finish().ok();
    quick.finish().ok();
    wait_until("one daemon is left", || (world.daemons().len() == 1).then_some(()));
    stage.bystander_is_well();
    stage.end();
}
