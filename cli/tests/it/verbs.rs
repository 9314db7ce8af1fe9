//! Verbs: the request that each becomes, the answer that each prints, the code that each exits with.

use crate::world::{Act, Ran, World, agent, error, exited, running, status};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

/// Runs `pu` against a daemon with one answer; gives the requests too.
fn ask(args: &[&str], answer: Value) -> (Ran, Vec<Value>) {
    let world = World::new();
    let daemon = world.daemon(move |_| Act::Say(answer.clone()));
    (world.pu(args), daemon.requests())
}

#[test]
fn a_spawn_says_what_is_meant() {
    let world = World::new();
    let daemon = world.daemon(|_| Act::Say(error("name_taken", "docs is taken")));
    let mut command = world.command(&["spawn", "-a", "claude", "-n", "docs", "-b", "main", "--tag", "x", "--tag", "y"]);
    command.args(["--spec", "A-1", "--context-budget", "500", "--agent-args", "--model 'a b'", "-"]);
    command.env("COLOUR", "blue").stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all("do it\nwell\n".as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4), "a name that is taken is a refusal");

    let request = &daemon.requests()[0];
    assert_eq!(request["type"], "spawn");
    assert_eq!(request["prompt"], "do it\nwell");
    assert_eq!(request["placement"], json!({ "in": "new_worktree", "base": "main" }));
    assert_eq!(request["agent_args"], json!(["--model", "a b"]));
    assert_eq!(
        (&request["tags"], &request["specs"], &request["budget"]),
        (&json!(["x", "y"]), &json!(["A-1"]), &json!(500))
    );
    assert_eq!((&request["agent"], &request["name"]), (&json!("claude"), &json!("docs")));
    assert_eq!(request["env"]["COLOUR"], "blue");
    assert_eq!(request["size"], Value::Null, "no terminal, no size");
    let cwd = std::fs::canonicalize(world.path(".")).unwrap();
    assert_eq!(request["cwd"], json!(cwd));
}

#[test]
fn errors_exit_with_codes_that_scripts_tell_apart() {
    for (code, wanted) in [("agent_not_found", 3), ("agent_ended", 4), ("shutting_down", 5), ("git_failed", 1)] {
        let (ran, _) = ask(&["logs", "nobody"], error(code, "told by the daemon"));
        assert_eq!((ran.code, ran.out.as_str()), (wanted, ""), "{code}");
        assert_eq!(ran.err, "error: told by the daemon\n");
    }
    let world = World::new();
    assert_eq!(world.pu(&["no-such-verb"]).code, 2);
    assert_eq!(world.pu(&["send", "a", "--keys", "Bogus"]).code, 2);
}

#[test]
fn with_json_every_error_is_one_object() {
    let world = World::new();
    for args in [&["--json", "no-such-verb"][..], &["wait", "--json"], &["kill", "a", "--all", "--json"], &["--json"]] {
        let ran = world.pu(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        let error: Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("invalid_request")), "{args:?}");
    }
    for args in [&["--json", "--help"][..], &["--json", "--version"]] {
        let ran = world.pu(args);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{args:?}");
        assert!(ran.out.contains("pu"), "{ran:?}");
    }
    assert!(world.pu(&["no-such-verb"]).err.contains("Usage:"), "people get all that clap has to say");
}

/// Nothing was sent, so nothing is uncertain, and the daemon is not to blame.
#[test]
fn a_prompt_that_is_too_long_to_send_is_told_as_such() {
    let world = World::new();
    let daemon = world.daemon(|_| Act::Say(error("internal", "nobody should ask")));
    let mut file = std::fs::File::create(world.path("task.md")).unwrap();
    file.write_all(&vec![b'x'; pu_protocol::LINE_MAX]).unwrap();
    let ran = world.pu(&["--json", "spawn", "--file", "task.md"]);
    assert_eq!(ran.code, 2);
    let told: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(told["code"], "invalid_prompt");
    assert!(told["hint"].as_str().unwrap().contains("file"), "{told}");
    assert!(daemon.requests().is_empty());
}

#[test]
fn foreign_text_cannot_reach_the_terminal_raw() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J";
    let (ran, _) = ask(&["status"], status(&[agent("aaaa1111", &format!("n{evil}"), &running())]));
    assert_eq!(ran.code, 0);
    assert!(!ran.out.contains(['\u{1b}', '\u{7}']), "{:?}", ran.out);
    let (ran, _) = ask(&["status"], error("internal", evil));
    assert!(!ran.err.contains(['\u{1b}', '\u{7}']), "{:?}", ran.err);
}

#[test]
fn text_and_enter_are_sent_apart() {
    let (ran, requests) = ask(&["send", "docs", "hi"], json!({ "type": "done" }));
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let data: Vec<&Value> = requests.iter().map(|r| &r["data"]).collect();
    assert_eq!(data, [&json!("aGk="), &json!("DQ==")]);
    let (ran, requests) = ask(&["--json", "send", "docs", "--keys", "C-c"], json!({ "type": "done" }));
    assert_eq!((ran.out.as_str(), requests.len()), ("{\"type\":\"done\"}\n", 1));
}

#[test]
fn a_kill_that_failed_for_one_is_told_and_fails() {
    let killed =
        json!({ "agent_id": "aaaa1111", "name": "one", "signal": "SIGTERM", "ended_at": "2026-01-02T03:05:05Z" });
    let failed = json!({ "agent": "two", "code": "agent_not_found", "message": "no agent is called two" });
    let other = json!({ "agent": "three", "code": "agent_ended", "message": "three has ended" });
    let report = json!({ "type": "kill_report", "killed": [killed], "failed": [failed, other] });
    let (ran, requests) = ask(&["kill", "one", "two", "three"], report.clone());
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out, "killed one (aaaa1111), ended by SIGTERM\n");
    assert!(ran.err.contains("not killed: two") && ran.err.contains("not killed: three"), "{}", ran.err);
    assert_eq!(requests[0]["agents"], json!(["one", "two", "three"]));

    let (ran, _) = ask(&["--json", "kill", "one", "two", "three"], report.clone());
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), report, "all that failed are in the answer");
    let told: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((ran.code, &told["code"]), (3, &json!("agent_not_found")));
    assert_eq!(World::new().pu(&["kill"]).code, 2, "nobody is killed by default");
    assert_eq!(World::new().pu(&["kill", "a", "--include-root"]).code, 2);
}

#[test]
fn clean_removes_nothing_unless_it_is_told() {
    let item =
        |removed: bool| json!({ "kind": "record", "what": "aaaa1111", "agent_id": "aaaa1111", "removed": removed });
    let answer = move |request: &Value| {
        Act::Say(json!({ "type": "clean_report", "dry_run": request["dry_run"], "items": [item(true)] }))
    };
    let world = World::new();
    let daemon = world.daemon(answer);
    let refused = world.pu(&["clean"]);
    assert_eq!(refused.code, 4, "no terminal to ask on");
    assert!(refused.out.contains("would remove") && refused.err.contains("--yes"), "{refused:?}");
    assert_eq!(world.pu(&["clean", "--dry-run"]).code, 0);
    assert!(daemon.requests().iter().all(|r| r["dry_run"] == true), "nothing was removed");

    let done = world.pu(&["clean", "--yes"]);
    assert_eq!(done.code, 0);
    let last = daemon.requests().pop().unwrap();
    assert_eq!((&last["dry_run"], &last["agents"]), (&json!(false), &json!([])), "all that have ended");
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let agents: Vec<Value> = (0..5000).map(|i| agent(&format!("{i:08x}"), "many", &exited(0))).collect();
    let world = World::new();
    let _daemon = world.daemon(move |_| Act::Say(status(&agents)));
    let mut child = world.command(&["status"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn context_is_explained_for_a_task() {
    let report = json!({ "type": "context_report", "tokens": 10, "budget": 500, "picks": [], "assemblers": [],
                         "revision": "r", "text": "# Title" });
    for option in ["--context-budget", "--budget"] {
        let args = ["context", "explain", "a task", option, "500", "--text"];
        let (ran, requests) = ask(&args, report.clone());
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("# Title"), "{}", ran.out);
        assert_eq!((&requests[0]["task"]["budget"], &requests[0]["with_text"]), (&json!(500), &json!(true)));
    }
    let world = World::new();
    let daemon = world.daemon(move |_| Act::Say(report.clone()));
    std::fs::File::create(world.path("task.md")).unwrap().write_all(b"from a file\n").unwrap();
    assert_eq!(world.pu(&["context", "explain", "--file", "task.md"]).code, 0);
    assert_eq!(daemon.requests()[0]["task"]["prompt"], "from a file");
    assert_eq!(world.pu(&["context", "explain"]).code, 2, "a task there must be");
}

#[test]
fn what_was_learnt_is_corrected_shown_and_erased_by_name() {
    let report = json!({ "type": "context_drop_report", "agent_id": "aaaa1111", "name": "one", "dropped": ["BILL"] });
    let (ran, requests) = ask(&["context", "drop", "one", "BILL", "docs/x.md"], report);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with("noted: BILL not wanted for the task of one (aaaa1111)"), "{}", ran.out);
    assert_eq!((&requests[0]["type"], &requests[0]["specs"]), (&json!("context_drop"), &json!(["BILL", "docs/x.md"])));
    let (ran, requests) =
        ask(&["context", "learned"], json!({ "type": "learned_report", "learns": true, "tasks": [] }));
    assert_eq!((ran.out.as_str(), &requests[0]["type"]), ("nothing was learnt yet\n", &json!("context_learned")));
    for (args, agents, all) in [
        (&["--forget", "one", "--forget", "two"][..], json!(["one", "two"]), false),
        (&["--forget-all"][..], json!([]), true),
    ] {
        let line = [&["context", "learned"][..], args].concat();
        let (ran, requests) = ask(&line, json!({ "type": "forget_report", "forgotten": 2 }));
        assert_eq!((ran.out.as_str(), &requests[0]["type"]), ("forgot 2 tasks\n", &json!("context_forget")));
        assert_eq!((&requests[0]["agents"], &requests[0]["all"]), (&agents, &json!(all)));
    }
    assert_eq!(World::new().pu(&["context", "drop", "one"]).code, 2, "a spec there must be");
    assert_eq!(World::new().pu(&["context", "learned", "--forget", "one", "--forget-all"]).code, 2);
}

#[test]
fn a_spawn_that_could_not_be_attached_to_starts_nothing() {
    let world = World::new();
    let daemon = world.daemon(|_| Act::Say(error("internal", "nobody should ask")));
    let refused = world.pu(&["spawn", "--attach", "a task"]);
    assert_eq!(refused.code, 4, "no terminal: {refused:?}");
    let mut command = world.command(&["spawn", "--attach", "a task"]);
    let wrong = crate::world::ran(command.env("PU_DETACH_KEYS", "Bogus").output().unwrap());
    assert_eq!(wrong.code, 2, "no keys: {wrong:?}");
    assert!(daemon.requests().is_empty());
}

#[test]
fn what_needs_no_daemon_asks_none() {
    let world = World::new();
    let schema: Value = serde_json::from_str(&world.pu(&["protocol", "schema"]).out).unwrap();
    assert_eq!(schema, pu_protocol::schema::schema());
    for shell in ["bash", "zsh", "fish"] {
        assert!(world.pu(&["completions", shell]).out.contains("spawn"), "{shell}");
    }
}
