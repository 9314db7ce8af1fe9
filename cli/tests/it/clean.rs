//! `pu clean` on a terminal, where it asks.

use crate::world::{Act, World};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::{Value, json};
use std::io::{Read, Write};

/// What `clean` finds: something of an agent, and with an empty `agent_id` something of nobody's.
fn report(request: &Value, agent_ids: &[&str]) -> Act {
    let items: Vec<Value> = agent_ids
        .iter()
        .map(|id| json!({ "kind": "worktree", "what": format!("left-by-{id}"), "agent_id": id, "removed": true }))
        .collect();
    Act::Say(json!({ "type": "clean_report", "dry_run": request["dry_run"], "items": items }))
}

/// Runs `pu clean` with an answer typed; gives its code, all that the terminal was sent, and the requests.
fn cleaned(agent_ids: &'static [&'static str], answer: &str) -> (u32, String, Vec<Value>) {
    let world = World::new();
    let daemon = world.daemon(move |request| report(request, agent_ids));
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pu"));
    command.env_clear();
    command.env("PU_HOME", world.home());
    command.cwd(world.path("."));
    command.arg("clean");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut keyboard = pair.master.take_writer().unwrap();
    keyboard.write_all(answer.as_bytes()).unwrap();
    let mut shown = Vec::new();
    // On Linux a terminal that nobody has open any more ends with an error.
    let _ = pair.master.try_clone_reader().unwrap().read_to_end(&mut shown);
    let code = child.wait().unwrap().exit_code();
    (code, String::from_utf8_lossy(&shown).into_owned(), daemon.requests())
}

#[test]
fn what_was_shown_goes_once_it_is_confirmed() {
    let (code, shown, requests) = cleaned(&["aaaa1111", "bbbb2222", "aaaa1111"], "y\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("remove these?") && shown.contains("removed 3 items"), "{shown}");
    assert_eq!((&requests[0]["dry_run"], &requests[1]["dry_run"]), (&json!(true), &json!(false)));
    assert_eq!(requests[1]["agents"], json!(["aaaa1111", "bbbb2222"]));
}

/// A worktree that no agent is known for has no name to be asked for by.
#[test]
fn with_a_worktree_that_is_nobodys_all_is_asked_for() {
    let (code, shown, requests) = cleaned(&["aaaa1111", ""], "yes\n");
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("(agent )"), "{shown}");
    assert_eq!((&requests[1]["dry_run"], &requests[1]["agents"]), (&json!(false), &json!([])));
}

#[test]
fn a_no_removes_nothing_and_is_no_success() {
    let (code, shown, requests) = cleaned(&["aaaa1111"], "n\n");
    assert_eq!(code, 4, "{shown}");
    assert!(shown.contains("nothing was removed"), "{shown}");
    assert!(requests.iter().all(|request| request["dry_run"] == true), "{requests:?}");
}
