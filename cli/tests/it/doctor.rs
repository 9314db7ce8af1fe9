//! `pu doctor`: what the daemon found, and what can be told where no daemon answers.

use crate::world::{Act, World, error};
use serde_json::{Value, json};
use std::io::Write;

fn finding(check: &str, state: &str) -> Value {
    json!({ "check": check, "state": state, "detail": format!("{check} is {state}"), "hint": "see to it" })
}

#[test]
fn what_the_daemon_found_is_shown_and_a_problem_is_a_failure() {
    for (state, code, summary) in [("ok", 0, "all is as"), ("warning", 0, "1 warning"), ("problem", 1, "1 problem")] {
        let world = World::new();
        let report = json!({ "type": "doctor_report", "findings": [finding("daemon", "ok"), finding("git", state)] });
        let told = report.clone();
        let daemon = world.daemon(move |_| Act::Say(told.clone()));
        let ran = world.pu(&["doctor"]);
        assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{ran:?}");
        assert!(ran.out.contains(&format!("git is {state}")) && ran.out.contains(summary), "{}", ran.out);
        let request = &daemon.requests()[0];
        assert_eq!(
            (&request["type"], &request["client_version"]),
            (&json!("doctor"), &json!(env!("CARGO_PKG_VERSION")))
        );
        assert!(request["client_program"].as_str().unwrap().ends_with("/pu"), "{request}");
        assert_eq!(request["env"]["PATH"], "/usr/bin:/bin");
        let ran = world.pu(&["doctor", "--json"]);
        assert_eq!((ran.code, serde_json::from_str::<Value>(&ran.out).unwrap()), (code, report));
    }
}

#[test]
fn without_a_daemon_it_tells_what_it_sees_itself() {
    let world = World::new();
    std::fs::create_dir_all(world.home()).unwrap();
    writeln!(std::fs::File::create(world.log()).unwrap(), "the first line\nthe disk is on fire").unwrap();
    let ran = world.pu(&["doctor"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.out.contains("no-engine") && ran.out.contains("the disk is on fire"), "{}", ran.out);
    let ran = world.pu(&["--json", "doctor"]);
    assert_eq!((ran.code, ran.err.as_str()), (5, ""), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let of = |check: &str| findings.iter().find(|finding| finding["check"] == check).unwrap();
    assert_eq!((&report["type"], &of("daemon")["state"]), (&json!("doctor_report"), &json!("problem")));
    assert_eq!(of("programs")["state"], "problem", "{report:#}");
    assert!(of("log")["detail"].as_str().unwrap().contains("the disk is on fire"), "{report:#}");
    assert_ne!(of("home")["state"], "problem", "{report:#}");
}

#[test]
fn a_daemon_that_does_not_know_the_question_is_an_old_one() {
    let world = World::new();
    let _daemon = world.daemon(|_| Act::Say(error("unknown_request", "no request has the type \"doctor\"")));
    let ran = world.pu(&["doctor"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("pu daemon restart"), "{}", ran.out);
}
