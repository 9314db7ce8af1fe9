//! The documented protocol, spoken raw: nothing that a client sends harms the daemon or another client.

use e2e::{Client, Project, World};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

const HEALTH: &str = "{\"type\":\"health\"}\n";

/// What is wrong is told by a stable code, and the connection goes on.
#[test]
fn each_kind_of_nonsense_has_its_code_and_the_connection_lives() {
    let world = World::new();
    world.daemon();
    let mut client = world.client();
    let two_mib = [vec![b'x'; 2 * 1024 * 1024], vec![b'\n']].concat();
    let long_request = format!("{{\"type\":\"init\",\"root\":\"{}\"}}\n", "r".repeat(1_100_000));
    let cases: [(&[u8], &str); 9] = [
        (b"garbage\n", "malformed_request"),
        (b"{\"type\":\"hea\n", "malformed_request"),
        (b"\xff\xfe\x00\x80\n", "malformed_request"),
        (b"[]\n", "malformed_request"),
        (b"{}\n", "malformed_request"),
        (b"{\"type\":\"nonsense\"}\n", "unknown_request"),
        (b"{\"type\":\"logs\",\"agent\":7}\n", "invalid_request"),
        (&two_mib, "line_too_long"),
        (long_request.as_bytes(), "line_too_long"),
    ];
    for (bytes, code) in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        client.send(bytes);
        let answer = client.answer();
        assert_eq!((&answer["type"], &answer["code"]), (&"error".into(), &code.into()), "{shown}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|m| !m.is_empty()), "{shown}: {answer}");
        client.send(HEALTH);
        assert_eq!(client.answer()["type"], "health_report", "after {shown}");
    }
}

/// An error carries the request's id wherever one can be read.
#[test]
fn errors_carry_the_id() {
    let world = World::new();
    world.daemon();
    let mut client = world.client();
    for (request, id) in [
        (json!({"id": 3, "type": "nonsense"}), json!(3)),
        (json!({"id": "x", "type": "logs"}), json!("x")),
        (json!({"id": 4}), json!(4)),
        (json!({"id": 5, "type": "logs", "agent": "nobody"}), json!(5)),
    ] {
        let answer = client.ask(&request);
        assert_eq!((&answer["type"], &answer["id"]), (&"error".into(), &id), "{request}: {answer}");
    }
}

/// Half a line is no request until its other half comes; one that never gets it is forgotten with its connection.
#[test]
fn half_a_line_waits_and_harms_nobody() {
    let world = World::new();
    let daemon = world.daemon();
    let mut half = world.client();
    half.send("{\"type\":\"hea");
    assert_eq!(world.client().ask(&json!({"type": "health"}))["pid"], daemon);
    half.send("lth\"}\n");
    assert_eq!(half.answer()["pid"], daemon);
    half.send("{\"type\":\"shutdown\"");
    drop(half);
    assert_eq!(world.client().ask(&json!({"type": "health"}))["pid"], daemon);
}

#[test]
fn blank_lines_are_nothing_and_unknown_fields_are_ignored() {
    let world = World::new();
    world.daemon();
    let mut client = world.client();
    client.send("\n  \n\r\n{\"type\":\"health\",\"of_next_year\":[1]}\n");
    assert_eq!(client.answer()["type"], "health_report");
}

#[test]
fn a_hundred_idle_connections_keep_nobody_waiting() {
    let world = World::new();
    let daemon = world.daemon();
    let idle: Vec<Client> = (0..100).map(|_| world.client()).collect();
    assert_eq!(world.daemon(), daemon);
    for mut client in idle {
        assert_eq!(client.ask(&json!({"type": "health"}))["pid"], daemon);
    }
}

/// One connection too many is told so at once, and is served when another has gone.
#[test]
fn the_connection_over_the_limit_is_busy_at_once() {
    const MOST: usize = 1024;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < 2 * MOST as u64 {
        eprintln!("SKIPPED: the hard limit on open files is {hard}");
        return;
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(2 * MOST as u64), hard).unwrap();
    let world = World::new();
    world.daemon();
    // Each one is served, so that none of the limit's places is still taken by the health check before.
    let mut held: Vec<Client> = Vec::new();
    let refusal = loop {
        let mut client = world.client();
        let answer = client.ask(&json!({"type": "health"}));
        if answer["type"] != "health_report" {
            break answer;
        }
        held.push(client);
        assert!(held.len() <= MOST, "there is no limit");
    };
    assert_eq!((&refusal["type"], &refusal["code"]), (&"error".into(), &"busy".into()), "{refusal}");
    assert!(held.len() + 2 >= MOST, "only {} were served", held.len());
    let health = held[0].ask(&json!({"type": "health"}));
    assert_eq!(health["type"], "health_report", "those that are in are served as before");
    held.truncate(MOST / 2);
    e2e::wait_until("there is room again", || {
        (world.client().ask(&json!({"type": "health"}))["type"] == "health_report").then_some(())
    });
}

/// A request with an id does not wait for a slow one before it; each answer comes back under its own id.
#[test]
fn requests_with_ids_are_answered_as_they_are_done() {
    let world = World::new();
    let project = world.project(&[]);
    let stubborn = Stubborn::start(&world, &project);
    let mut client = world.client();
    client.send_line(&stubborn.kill(&json!("slow")));
    for id in 0..40 {
        client.send_line(&json!({"id": id, "type": "health"}));
    }
    let answers: Vec<Value> = (0..40).map(|_| client.answer()).collect();
    let mut ids: Vec<i64> = answers.iter().map(|answer| answer["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..40).collect::<Vec<_>>());
    stubborn.end();
    let slow = client.answer();
    assert_eq!((&slow["id"], &slow["type"]), (&"slow".into(), &"kill_report".into()), "{slow}");
}

/// An agent that ignores SIGTERM: a kill of it takes as long as its grace, or until somebody has less patience.
struct Stubborn<'w> {
    world: &'w World,
    project: &'w Project<'w>,
}

impl<'w> Stubborn<'w> {
    fn start(world: &'w World, project: &'w Project<'w>) -> Self {
        project.spawn("stubborn", "trap 'echo asked' TERM; echo ready; while :; do sleep 1; done", &["--root"]);
        project.wrote("stubborn", "ready");
        Self { world, project }
    }

    /// A request to end it that will not be done by itself while a test waits for it.
    fn kill(&self, id: &Value) -> Value {
        self.request(id, 20_000)
    }

    fn request(&self, id: &Value, grace_ms: u64) -> Value {
        json!({"id": id, "type": "kill", "cwd": self.project.root(), "agents": ["stubborn"], "grace_ms": grace_ms})
    }

    /// Ends it at once, by another connection, but not before it was asked to end.
    fn end(&self) {
        self.project.wrote("stubborn", "asked");
        let answer = self.world.client().ask(&self.request(&json!("end"), 0));
        assert_eq!(answer["type"], "kill_report", "{answer}");
    }
}

/// Requests without an id are answered in their order, the slow ones too.
#[test]
fn requests_without_ids_are_answered_in_order() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("stubborn", "trap '' TERM; echo ready; while :; do sleep 1; done", &["--root"]);
    project.wrote("stubborn", "ready");
    let mut client = world.client();
    let kill = json!({"type": "kill", "cwd": project.root(), "agents": ["stubborn"], "grace_ms": 300});
    client.send(format!("{kill}\n{HEALTH}garbage\n{}\n", json!({"type": "status", "cwd": project.root()})));
    let kinds: Vec<Value> = (0..4).map(|_| client.answer()["type"].clone()).collect();
    assert_eq!(kinds, ["kill_report", "health_report", "error", "status_report"]);
}

/// More requests under way than a connection may have are refused, each under its id; none is lost.
#[test]
fn too_many_requests_under_way_are_refused_not_dropped() {
    const MOST: usize = 64;
    let world = World::new();
    let project = world.project(&[]);
    let stubborn = Stubborn::start(&world, &project);
    let mut client = world.client();
    for id in 0..100 {
        client.send_line(&stubborn.kill(&json!(id)));
    }
    // None of those under way can be done: what is answered now are the refusals.
    let mut answers: Vec<Value> = (0..100 - MOST).map(|_| client.answer()).collect();
    assert!(answers.iter().all(|answer| answer["code"] == "busy"), "{answers:?}");
    stubborn.end();
    answers.extend((0..MOST).map(|_| client.answer()));
    assert!(answers[100 - MOST..].iter().all(|answer| answer["type"] == "kill_report"), "{answers:?}");
    let mut ids: Vec<i64> = answers.iter().map(|answer| answer["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
}

#[test]
fn hello_finds_a_common_version_or_says_what_to_update() {
    let world = World::new();
    world.daemon();
    let mut client = world.client();
    let hello = |min: u32, max: u32| json!({"type": "hello", "client": "test", "client_version": "1", "protocol_min": min, "protocol_max": max});
    let answer = client.ask(&hello(1, 9));
    assert_eq!((&answer["type"], &answer["protocol_version"]), (&"hello_report".into(), &1.into()), "{answer}");
    assert!(answer["capabilities"].as_array().unwrap().contains(&"spawn".into()), "{answer}");
    for (min, max, mend) in [(7, 9, "pu daemon restart"), (0, 0, "update `pu`")] {
        let answer = client.ask(&hello(min, max));
        assert_eq!(answer["code"], "unsupported_protocol", "{answer}");
        assert!(answer["hint"].as_str().unwrap().contains(mend), "{answer}");
    }
    assert_eq!(client.ask(&json!({"type": "health"}))["type"], "health_report", "a refused hello closes nothing");
}

/// A subscriber hears of an agent's start and end, in order, and goes on asking on the same connection.
#[test]
fn subscribers_hear_of_agents() {
    let world = World::new();
    let project = world.project(&[]);
    let other = world.repo("other", &[]);
    world.pu(["init"]).cwd(other.root()).output().ok();
    let mut client = world.client();
    let subscribed = client.ask(&json!({"id": "s", "type": "subscribe", "cwd": project.root()}));
    assert_eq!((&subscribed["type"], &subscribed["id"]), (&"subscribed".into(), &"s".into()));
    world.pu(["spawn", "--wait", "--root", "--command", "true", "-n", "elsewhere"]).cwd(other.root()).output().ok();
    let report = project.spawn("worker", "exit 4", &["--root"]);
    let started = client.until("an agent starts", |line| line["event"]["kind"] == "agent_started");
    assert_eq!(started["event"]["agent"]["agent_id"], report["agent_id"], "only this project's: {started}");
    assert_eq!(started["id"], "s");
    let ended = client.until("an agent ends", |line| line["event"]["kind"] == "agent_ended");
    assert_eq!((&ended["event"]["agent"]["state"], &ended["event"]["agent"]["code"]), (&"exited".into(), &4.into()));
    assert!(ended["seq"].as_u64() > started["seq"].as_u64());
    client.send_line(&json!({"id": "h", "type": "health"}));
    client.until("health is answered", |line| line["id"] == "h");
}

/// A client that goes away in the middle of a request does not undo what it asked for.
#[test]
fn a_request_whose_client_left_is_finished() {
    let world = World::new();
    let project = world.project(&[]);
    let mut client = world.client();
    let environment = world.environment();
    let env: serde_json::Map<String, Value> =
        environment.iter().map(|(k, v)| ((*k).to_owned(), v.to_str().unwrap().into())).collect();
    client.send_line(&json!({
        "type": "spawn", "cwd": project.root(), "name": "orphan", "agent": "terminal", "command": "exec sleep 1000",
        "no_context": true, "env": env,
    }));
    drop(client);
    e2e::wait_until("the agent runs", || {
        project.agents().iter().any(|a| a["name"] == "orphan" && a["state"] == "running").then_some(())
    });
}

/// The schema that is printed is that of the answers that are given.
#[test]
fn the_schema_is_printed_without_a_daemon() {
    let world = World::new();
    let schema = world.pu(["protocol", "schema"]).output().json();
    let text = schema.to_string();
    for kind in ["hello", "health", "spawn", "context_explain", "shutdown_report", "agent_ended", "line_too_long"] {
        assert!(text.contains(&format!("\"{kind}\"")), "{kind} is not in the schema");
    }
    assert!(world.daemons().is_empty());
}

/// A client that reads nothing is the only one that waits.
#[test]
fn a_client_that_does_not_read_holds_up_nobody_else() {
    let world = World::new();
    let daemon = world.daemon();
    let mut deaf = world.client();
    let requests = HEALTH.repeat(2000);
    // The daemon stops reading when its answers are not taken: the sender stands still until the daemon is gone.
    let sender = std::thread::spawn(move || (0..2000).find(|_| deaf.try_send(&requests).is_err()));
    for _ in 0..20 {
        assert_eq!(world.client().ask(&json!({"type": "health"}))["pid"], daemon);
    }
    assert!(!sender.is_finished(), "72 MB of requests were read, and their answers kept in memory");
    world.crash_daemon();
    assert!(sender.join().unwrap().is_some());
}
