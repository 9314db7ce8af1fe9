//! A daemon of another release: it is told which side is older, and what mends it.

use crate::world::{Act, World, error, health, until};
use serde_json::{Value, json};

fn hello(release: &str) -> Value {
    json!({ "type": "hello_report", "protocol_version": 1, "engine_version": release, "capabilities": [] })
}

#[test]
fn what_the_other_side_does_not_understand_names_the_older_one() {
    let unknown = || error("unknown_request", "no request has the type \"history\"");
    let gibberish = || json!({ "type": "history_of_next_year" });
    for (release, answer, older, mend) in [
        ("0.0.1", unknown(), "the daemon is older", "pu daemon restart"),
        ("99.0.0", gibberish(), "this `pu` is older", "make install"),
    ] {
        let world = World::new();
        let daemon = world
            .daemon(move |request| Act::Say(if request["type"] == "hello" { hello(release) } else { answer.clone() }));
        let ran = world.pu(&["history"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(older) && ran.err.contains(mend) && ran.err.contains(release), "{}", ran.err);
        assert_eq!(daemon.requests().len(), 2, "asked once, and only since it was not understood");
    }
}

#[test]
fn a_daemon_without_a_common_protocol_says_so_itself() {
    let world = World::new();
    let _daemon = world.daemon(|request| {
        Act::Say(if request["type"] == "hello" {
            json!({ "type": "error", "code": "unsupported_protocol", "message": "the client is older", "hint": "update `pu`" })
        } else {
            error("unknown_request", "no request has this type")
        })
    });
    let ran = world.pu(&["status"]);
    assert!(ran.code == 5 && ran.err.contains("the client is older") && ran.err.contains("update `pu`"), "{ran:?}");
}

/// One that does not even understand `shutdown` is ended by a signal, which leaves its agents alone.
#[test]
fn a_restart_replaces_a_daemon_that_does_not_understand_it() {
    use std::os::unix::process::ExitStatusExt as _;
    let world = World::new();
    let mut old = std::process::Command::new("/bin/sleep").arg("60").spawn().unwrap();
    world.lock_is_held_by(old.id());
    let lock = std::fs::File::options().write(true).open(world.home().join("daemon.lock")).unwrap();
    lock.lock().unwrap();
    let daemon = world.daemon(move |request| match request["type"].as_str() {
        Some("health") => Act::Say(health()),
        _ => Act::Say(error("unknown_request", "no request has this type")),
    });
    let mut restart = world.command(&["daemon", "restart"]).spawn().unwrap();
    until("the old daemon was told to end", || old.try_wait().unwrap().is_some());
    assert_eq!(old.wait().unwrap().signal(), Some(15));
    drop((lock, daemon));
    let _ = restart.kill();
    let _ = restart.wait();
}
