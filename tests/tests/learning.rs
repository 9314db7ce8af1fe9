//! What comes of tasks counts for later ones, for and against, can be looked at and erased, and a switch turns it off.

use e2e::{Project, World, read, write};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Two specs that a task about the cache speaks of alike, and one that it does not.
const TWINS: &[(&str, &str)] = &[
    ("specs/hot.md", "# Hot widgets\n\nThe widget cache keeps hot entries until it is flushed.\n"),
    ("specs/icy.md", "# Icy widgets\n\nThe widget cache keeps icy entries until it is flushed.\n"),
    ("specs/login.md", "# Login\n\nA session ends after half an hour.\n"),
];
const EARLIER: &str = "flush widget cache entries at night";
const TASK: &str = "flush the widget cache entries sooner";

#[track_caller]
fn explained(project: &Project<'_>) -> Value {
    project.pu(["context", "explain", "--json", "--text", TASK]).output().json()
}

/// Paths and reasons of all candidates, the best first.
#[track_caller]
fn ranking(context: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let candidates = context["candidates"].as_array().unwrap().iter();
    candidates.map(|candidate| (text(&candidate["path"]), text(&candidate["reason"]))).collect()
}

#[track_caller]
fn paths(context: &Value) -> Vec<String> {
    ranking(context).into_iter().map(|(path, _)| path).collect()
}

/// Of the two specs the one that ranks first as long as nothing was learnt, and the other.
#[track_caller]
fn twins(project: &Project<'_>) -> (String, String) {
    project.plugins_are_ready();
    let context = explained(project);
    match paths(&context).as_slice() {
        [first, second, ..] => (first.clone(), second.clone()),
        _ => panic!("both are about the task: {context:#}"),
    }
}

/// An agent that is given the earlier task and changes this file in its worktree.
#[track_caller]
fn changes(project: &Project<'_>, name: &str, path: &str) {
    project.spawn(name, &format!("echo more >> {path}"), &[EARLIER]);
    project.ended(name);
}

fn learned(project: &Project<'_>) -> Value {
    project.pu(["context", "learned", "--json"]).output().json()
}

fn file(project: &Project<'_>) -> PathBuf {
    project.root().join(".pu/state/learned.jsonl")
}

fn id(path: &str) -> &str {
    path.trim_end_matches(".md")
}

#[test]
fn what_an_agent_changed_comes_first_for_a_task_like_it_until_that_is_forgotten() {
    let world = World::new();
    let project = world.project(TWINS);
    let (first, second) = twins(&project);
    let before = explained(&project);
    changes(&project, "one", &second);

    let after = explained(&project);
    let ranked = ranking(&after);
    assert_eq!(ranked[0].0, second, "{after:#}");
    assert!(ranked[0].1.ends_with("; 1 earlier task like this changed it"), "{ranked:?}");
    assert_eq!(ranked[1].0, first);
    assert!(after["candidates"][0]["score"].as_f64() < Some(1.0), "it is no sure pick: {after:#}");
    assert_eq!(explained(&project)["text"], after["text"], "the same past, the same bytes");
    world.crash_daemon();
    assert_eq!(explained(&project)["text"], after["text"], "another daemon");

    let report = learned(&project);
    assert_eq!((&report["type"], &report["learns"]), (&json!("learned_report"), &json!(true)));
    let task = &report["tasks"][0];
    assert_eq!((&task["source"], &task["name"], &task["task"]), (&json!("agent"), &json!("one"), &json!(EARLIER)));
    assert_eq!((&task["changed"], &task["files"]), (&json!([id(&second)]), &json!(1)));
    assert_eq!(task["given"].as_array().unwrap().len(), 2, "{report:#}");
    let told = project.pu(["context", "learned"]).output().ok().stdout();
    assert!(told.contains(EARLIER) && told.contains(&format!("changed {}", id(&second))), "{told}");
    assert!(!project.dirt(project.root()).contains("state"), "git sees nothing of it");

    project.pu(["context", "learned", "--json", "--forget", "two"]).output().fails(3, "agent_not_found");
    let told = project.pu(["context", "learned", "--forget", "one"]).output().ok().stdout();
    assert_eq!(told.trim(), "forgot 1 task");
    assert!(!file(&project).exists());
    assert_eq!(explained(&project)["text"], before["text"]);
}

#[test]
fn what_was_dropped_goes_down_and_the_agent_keeps_what_it_has() {
    let world = World::new();
    let project = world.project(TWINS);
    let (first, second) = twins(&project);
    project.spawn("one", "sleep 600", &["--root", EARLIER]);
    let given = project.pu(["context", "show", "--json", "one"]).output().json();
    let told = project.pu(["context", "drop", "one", &first]).output().ok().stdout();
    assert!(told.contains("it keeps its context") && told.contains(id(&first)), "{told}");

    let after = explained(&project);
    assert_eq!(paths(&after), [second.clone(), first.clone()], "{after:#}");
    assert!(ranking(&after)[1].1.ends_with("; 1 earlier task like this did not want it"), "{after:#}");
    assert_eq!(project.pu(["context", "show", "--json", "one"]).output().json(), given);
    assert_eq!(learned(&project)["tasks"][0]["dropped"], json!([id(&first)]));

    // Twice is once, and what it was not given it cannot lose.
    project.pu(["context", "drop", "one", id(&first)]).output().ok();
    assert_eq!(explained(&project)["text"], after["text"]);
    let error = project.pu(["context", "drop", "--json", "one", "specs/login.md"]).output().fails(3, "spec_not_found");
    assert!(error["hint"].as_str().unwrap().contains(id(&second)), "{error}");

    // Its end adds to what is known of it.
    project.pu(["kill", "one"]).output().ok();
    project.ended("one");
    let tasks = learned(&project)["tasks"].clone();
    let of_agents = tasks.as_array().unwrap().iter().filter(|task| task["source"] == "agent");
    assert_eq!(of_agents.count(), 1, "{tasks:#}");
    assert_eq!(explained(&project)["text"], after["text"]);
}

#[test]
fn what_was_asked_for_by_name_comes_first_the_next_time() {
    let world = World::new();
    let project = world.project(TWINS);
    let (_, second) = twins(&project);
    project.spawn("one", "true", &["--root", "--spec", &second, EARLIER]);
    project.ended("one");
    let after = explained(&project);
    assert_eq!(ranking(&after)[0].0, second, "{after:#}");
    assert!(ranking(&after)[0].1.ends_with("; 1 earlier task like this asked for it"), "{after:#}");
}

/// A spec that nobody proposes is not there because an earlier task changed it, and tasks of another kind say nothing.
#[test]
fn what_was_learnt_proposes_nothing_and_counts_for_tasks_that_are_alike() {
    let world = World::new();
    let project = world.project(TWINS);
    let (first, second) = twins(&project);
    changes(&project, "one", "specs/login.md");
    let other = project.spawn("two", &format!("echo more >> {second}"), &["translate the manual"]);
    project.ended(other["name"].as_str().unwrap());
    let after = explained(&project);
    assert_eq!(paths(&after), [first, second], "{after:#}");
    assert!(!after["candidates"].to_string().contains("like this"), "{after:#}");
}

#[test]
fn the_switch_turns_recording_and_use_off() {
    let world = World::new();
    let project = world.project(TWINS);
    let (first, second) = twins(&project);
    let before = explained(&project)["text"].clone();
    project.write(".pu/config.toml", "[context]\nlearn = false\n");
    changes(&project, "one", &second);
    assert!(!file(&project).exists(), "nothing is recorded");
    let error = project.pu(["context", "drop", "--json", "one", &first]).output().fails(1, "invalid_config");
    assert!(error["message"].as_str().unwrap().contains("does not learn"), "{error}");
    assert!(!file(&project).exists());

    project.write(".pu/config.toml", "[context]\nlearn = true\n");
    changes(&project, "two", &second);
    let after = explained(&project)["text"].clone();
    assert_ne!(after, before);

    project.write(".pu/config.toml", "[context]\nlearn = false\n# again\n");
    assert_eq!(explained(&project)["text"], before, "what is recorded does not count");
    assert_eq!(learned(&project)["learns"], false);
    let told = project.pu(["context", "learned"]).output().ok().stdout();
    assert!(told.contains("switched off"), "{told}");
    // It can be erased all the same.
    project.pu(["context", "learned", "--forget-all"]).output().ok();
    assert!(!file(&project).exists());
}

/// The repository's own log teaches too, from `pu init` on, and no ranking that is scored knows of it.
#[test]
fn commits_teach_and_an_evaluation_has_no_past() {
    let world = World::new();
    let project = world.project(TWINS);
    let (first, second) = twins(&project);
    project.write(&second, &(read(project.root().join(&second)) + "\nNot at night.\n"));
    project.commit(EARLIER);
    project.pu(["init"]).output().ok();
    let after = explained(&project);
    let ranked = ranking(&after);
    assert_eq!(ranked[0].0, second, "{after:#}");
    assert!(ranked[0].1.ends_with("; 1 commit like this changed it"), "{ranked:?}");
    let report = learned(&project);
    let task = &report["tasks"][0];
    assert_eq!((&task["source"], &task["changed"]), (&json!("commit"), &json!([id(&second)])), "{report:#}");
    assert!(report["commits"].as_u64() >= Some(3), "{report:#}");

    let task = json!({"prompt": TASK});
    let request = json!({"type": "context_explain", "cwd": project.root(), "task": task, "ranking": true});
    let scored = world.client().ask(&request);
    let scores: Vec<Option<f64>> =
        scored["candidates"].as_array().unwrap().iter().map(|candidate| candidate["score"].as_f64()).collect();
    let lifted = after["candidates"][0]["score"].as_f64();
    assert!(scores.iter().all(|score| *score < lifted), "{scores:?} and {lifted:?}");
    assert_eq!(paths(&scored).len(), 2, "{first} and the other: {scored:#}");

    project.write(".pu/config.toml", "[context]\nlearn = false\n");
    assert!(!explained(&project)["candidates"].to_string().contains("like this"), "the switch is for them too");
}

#[test]
fn lines_that_do_not_read_are_told_and_take_nothing_with_them() {
    let world = World::new();
    let project = world.project(TWINS);
    let (_, second) = twins(&project);
    changes(&project, "one", &second);
    write(file(&project), format!("{{\"agent_id\":\n{}\u{fffd}\n", read(file(&project))));
    let after = explained(&project);
    assert_eq!(ranking(&after)[0].0, second, "{after:#}");
    assert!(after["warnings"].to_string().contains("2 lines of what was learnt could not be read"), "{after:#}");
    assert!(learned(&project)["warnings"].to_string().contains("learned.jsonl"));
    project.pu(["context", "learned", "--forget-all"]).output().ok();
    assert_eq!(explained(&project)["warnings"], Value::Null);
}
