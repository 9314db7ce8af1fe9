//! `pu wait`: the agent's end, however it becomes known.

use crate::world::{Act, World, agent, error, exited, running, status};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn ended_event(code: i32) -> Value {
    let event = json!({ "kind": "agent_ended", "agent": agent("aaaa1111", "docs", &exited(code)) });
    json!({ "type": "event", "seq": 1, "at": "2026-01-02T03:05:05Z", "event": event })
}

fn subscribed() -> Value {
    json!({ "type": "subscribed", "seq": 0 })
}

#[test]
fn an_agent_that_has_ended_gives_its_code_at_once() {
    for (state, code) in [
        (exited(0), 0),
        (exited(3), 3),
        (json!({ "state": "killed", "signal": "SIGKILL", "ended_at": "2026-01-02T03:05:05Z" }), 137),
        (json!({ "state": "lost", "reason": "restart" }), 1),
    ] {
        let world = World::new();
        let agents = [agent("aaaa1111", "docs", &state)];
        let _daemon = world.daemon(move |_| Act::Say(status(&agents)));
        assert_eq!(world.pu(&["wait", "docs"]).code, code, "{state}");
    }
}

#[test]
fn an_end_is_heard_of() {
    let world = World::new();
    let daemon = world.daemon(|request| match request["type"].as_str().unwrap() {
        "subscribe" => Act::SayAll(vec![subscribed(), json!({ "type": "of_next_year" }), ended_event(3)]),
        _ => Act::Say(status(&[agent("aaaa1111", "docs", &running())])),
    });
    let ran = world.pu(&["--json", "wait", "aaaa"]);
    assert_eq!(ran.code, 3);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["type"], "agent_info");
    assert_eq!((&answer["agent_id"], &answer["state"]), (&json!("aaaa1111"), &json!("exited")));
    let kinds: Vec<Value> = daemon.requests().iter().map(|r| r["type"].clone()).collect();
    let wanted = ["status", "status", "subscribe", "status"];
    assert_eq!(kinds, wanted, "here, everywhere, and once more after subscribing");
}

#[test]
fn an_end_between_the_two_questions_is_not_missed() {
    let world = World::new();
    let subscribed_to = AtomicBool::new(false);
    let _daemon = world.daemon(move |request| match request["type"].as_str().unwrap() {
        "subscribe" => {
            subscribed_to.store(true, Ordering::SeqCst);
            Act::Say(subscribed())
        }
        _ => {
            let state = if subscribed_to.load(Ordering::SeqCst) { exited(0) } else { running() };
            Act::Say(status(&[agent("aaaa1111", "docs", &state)]))
        }
    });
    assert_eq!(world.pu(&["wait", "docs"]).code, 0);
}

#[test]
fn a_daemon_that_goes_away_is_looked_for_again() {
    let world = World::new();
    let subscriptions = AtomicUsize::new(0);
    let daemon = world.daemon(move |request| match request["type"].as_str().unwrap() {
        "subscribe" if subscriptions.fetch_add(1, Ordering::SeqCst) < 2 => Act::HangUp,
        "subscribe" => Act::SayAll(vec![subscribed(), ended_event(0)]),
        _ => Act::Say(status(&[agent("aaaa1111", "docs", &running())])),
    });
    assert_eq!(world.pu(&["wait", "docs"]).code, 0);
    daemon.wait_for("subscribe", 3);
}

#[test]
fn patience_has_an_end_of_its_own() {
    let world = World::new();
    let _daemon = world.daemon(|request| match request["type"].as_str().unwrap() {
        "subscribe" => Act::Say(subscribed()),
        _ => Act::Say(status(&[agent("aaaa1111", "docs", &running())])),
    });
    let ran = world.pu(&["wait", "docs", "--timeout", "0.2"]);
    assert_eq!(ran.code, 124);
    assert!(ran.err.contains("docs still runs"), "{}", ran.err);
}

#[test]
fn outside_of_any_project_all_agents_are_looked_through() {
    let world = World::new();
    let _daemon = world.daemon(|request| match request["all_projects"].as_bool() {
        Some(true) => Act::Say(status(&[agent("aaaa1111", "docs", &exited(0))])),
        _ => Act::Say(error("not_a_project", "no project here")),
    });
    assert_eq!(world.pu(&["wait", "docs"]).code, 0);
    assert_eq!(world.pu(&["wait", "nobody"]).code, 3);
}

/// The same name means the same agent to `wait` as to every command that the daemon resolves it for.
#[test]
fn an_agent_is_named_as_everywhere_else() {
    let world = World::new();
    let _daemon = world.daemon(|request| {
        let mut agents = vec![agent("aaaa1111", "fix-the-docs", &exited(3))];
        if request["all_projects"] == true {
            agents.push(agent("bbbb2222", "fix-the-tests", &exited(4)));
        }
        Act::Say(status(&agents))
    });
    for (wanted, code) in [("fix-the", 3), ("fix-the-tests", 4), ("bbbb", 4)] {
        assert_eq!(world.pu(&["wait", wanted]).code, code, "{wanted}");
    }
}

/// What it is doing comes by events and by the state, whichever is first; an end without it is told as such.
#[test]
fn what_it_does_can_be_waited_for_instead() {
    let doing = |state: &str| json!({ "state": "running", "pid": 7, "activity": { "state": state, "why": "a key" } });
    let changed = |state: &Value| {
        let event = json!({ "kind": "agent_changed", "agent": agent("aaaa1111", "docs", state) });
        json!({ "type": "event", "seq": 1, "at": "2026-01-02T03:05:05Z", "event": event })
    };
    let world = World::new();
    let events = vec![subscribed(), changed(&doing("working")), changed(&doing("blocked"))];
    let _daemon = world.daemon(move |request| match request["type"].as_str().unwrap() {
        "subscribe" => Act::SayAll(events.clone()),
        _ => Act::Say(status(&[agent("aaaa1111", "docs", &doing("working"))])),
    });
    let ran = world.pu(&["wait", "docs", "--for", "blocked"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "docs is blocked?: a key\n"), "{}", ran.err);

    for (state, wanted, code) in [
        (doing("done"), "idle", 0),
        (doing("idle"), "idle", 0),
        (json!({ "state": "exited", "code": 0, "ended_at": "x", "activity": { "state": "done" } }), "done", 0),
        (exited(3), "done", 4),
        (exited(0), "blocked", 4),
    ] {
        let world = World::new();
        let agents = [agent("aaaa1111", "docs", &state)];
        let _daemon = world.daemon(move |_| Act::Say(status(&agents)));
        assert_eq!(world.pu(&["wait", "docs", "--for", wanted]).code, code, "{state} {wanted}");
    }
}
