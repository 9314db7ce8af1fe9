//! What a plugin that was granted a state or the past does with them, and what becomes of one that was not.

use std::sync::Arc;
use std::time::Instant;

use pu_engine::plugins::{CallReport, ChangedFile, FailureCode, Grant, Granted, PastTask, Plugin, StateEntries, Task};
use pu_plugin_hostile::Remembering;

use crate::world::{CHAIN, SPEC, World};

fn plugin(world: &World, plugin: Remembering) -> Plugin {
    world.host.prepare(plugin.component(SPEC).unwrap()).unwrap()
}

fn call(world: &World, plugin: &Plugin, granted: Granted) -> CallReport {
    let (task, latest) = (Task::default(), Instant::now() + CHAIN);
    plugin.assemble_granted(&task, &world.reader, granted, "{}", plugin.deadline(), latest)
}

fn state(entries: &StateEntries) -> Granted {
    Granted { state: Some(Arc::new(entries.clone())), past: None }
}

fn reason(report: &CallReport) -> String {
    report.outcome.as_ref().unwrap().picks[0].reason.clone()
}

#[test]
fn each_needs_what_it_imports() {
    let world = World::new();
    for remembering in Remembering::ALL {
        let needs: Vec<&str> = plugin(&world, remembering).needs().into_iter().map(Grant::as_str).collect();
        assert_eq!(needs, [remembering.needs()], "{}", remembering.name());
    }
    assert_eq!(world.keyword().unwrap().needs(), []);
}

#[test]
fn a_call_sees_what_was_kept_before_and_hands_its_changes_back() {
    let world = World::new();
    let counter = plugin(&world, Remembering::Counter);
    let mut entries = StateEntries::new();
    for calls in 1..=3 {
        let report = call(&world, &counter, state(&entries));
        assert_eq!(reason(&report), format!("call {calls}"));
        assert_eq!(entries.len(), usize::from(calls > 1), "a call changes nothing by itself");
        report.changes.apply(&mut entries).unwrap();
    }
    assert_eq!(entries["n"], b"3");
}

#[test]
fn calls_at_the_same_time_begin_with_the_same_and_neither_sees_the_other() {
    let world = World::new();
    let counter = plugin(&world, Remembering::Counter);
    let entries = StateEntries::from([("n".to_owned(), b"4".to_vec())]);
    let reasons: Vec<String> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| reason(&call(&world, &counter, state(&entries))))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(reasons, ["call 5"; 4]);
}

#[test]
fn a_full_state_is_a_failure_that_the_plugin_hears_of_and_what_failed_keeps_nothing() {
    let world = World::new();
    let report = call(&world, &plugin(&world, Remembering::StateFlood), state(&StateEntries::new()));
    let failure = report.outcome.unwrap_err();
    assert_eq!(failure.code, FailureCode::Failed);
    assert!(failure.message.starts_with("state_full: a plugin's state has at most 1024 KiB"), "{failure}");
    assert!(report.changes.is_empty());
}

#[test]
fn what_was_not_granted_answers_with_a_failure_and_no_trap() {
    let world = World::new();
    let report = call(&world, &plugin(&world, Remembering::StateFlood), Granted::default());
    let failure = report.outcome.unwrap_err();
    assert_eq!(failure.code, FailureCode::Failed);
    assert!(failure.message.starts_with("unavailable: "), "{failure}");
    assert!(report.changes.is_empty());
}

#[test]
fn the_past_is_told_the_newest_task_first() {
    let world = World::new();
    let chronicler = plugin(&world, Remembering::Chronicler);
    let task = |prompt: &str, path: &str| PastTask {
        prompt: prompt.to_owned(),
        branch: Some("pu/x".to_owned()),
        exit_code: Some(-1),
        touched_files: vec![ChangedFile { path: path.to_owned(), status: "added".to_owned() }],
        started: Some("2026-01-01T00:00:00Z".to_owned()),
        ..PastTask::default()
    };
    let past = |tasks: Vec<PastTask>| Granted { state: None, past: Some(tasks.into()) };
    let report = call(&world, &chronicler, past(vec![task("the newest", "new.rs"), task("the oldest", "old.rs")]));
    assert_eq!(reason(&report), "the newest");
    assert_eq!(report.outcome.unwrap().notes, ["new.rs"]);
    let report = call(&world, &chronicler, past(Vec::new()));
    assert!(report.outcome.unwrap().picks.is_empty());
}

/// A history that somebody made for it has a million files without a name in a few megabytes.
#[test]
fn a_past_of_items_without_any_text_has_its_price_too() {
    let world = World::new();
    let task = PastTask { touched_files: vec![ChangedFile::default(); 600_000], ..PastTask::default() };
    let past = Granted { state: None, past: Some(vec![task].into()) };
    let report = call(&world, &plugin(&world, Remembering::Chronicler), past);
    assert_eq!(report.outcome.unwrap_err().code, FailureCode::HostCallLimit);
}
