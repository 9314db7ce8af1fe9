//! `pu history`: what ran, with what context, and how it ended; and what is kept of it.

use e2e::{AUTH_TASK, SPECS, World, write};
use serde_json::{Value, json};

fn names(report: &Value) -> Vec<&str> {
    report["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect()
}

#[test]
fn what_ran_is_told_with_its_context_and_its_end() {
    let world = World::new();
    let project = world.project(SPECS);
    project.plugins_are_ready();
    let none = project.pu(["history"]).output().ok().stdout();
    assert!(none.contains("nothing"), "{none}");
    project.spawn("first", "echo new > new.txt; exit 3", &[AUTH_TASK]);
    project.ended("first");
    let second = project.spawn("second", "exec sleep 1000", &["--root", "--no-context", "look around"]);
    let report = project.pu(["history", "--json"]).output().json();
    assert_eq!(names(&report), ["second", "first"], "the newest first");
    let (live, done) = (&report["runs"][0], &report["runs"][1]);
    assert_eq!((&live["state"], live.get("end")), (&json!("running"), None), "{live}");
    assert_eq!((&live["agent_id"], &live["prompt"]), (&second["agent_id"], &json!("look around")));
    assert_eq!(
        (&done["state"], &done["end"]["state"], &done["end"]["code"]),
        (&"exited".into(), &"exited".into(), &3.into())
    );
    assert_eq!(done["context"]["picks"][0]["spec"], "AUTH", "{done:#}");
    assert_eq!(done["end"]["touched"], json!([{"path": "new.txt", "status": "added"}]));
    assert!(done["context"].get("candidates").is_none(), "what was left out is `context show`'s");

    let only = |args: &[&str]| {
        let report = project.pu(["history", "--json"].iter().chain(args)).output().json();
        names(&report).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(only(&["--spec", "AUTH"]), ["first"]);
    assert_eq!(only(&["--state", "running"]), ["second"]);
    assert_eq!(only(&["first"]), ["first"]);
    assert_eq!(only(&["--agent", "claude"]), Vec::<String>::new());
    assert_eq!(only(&["--since", "1h"]), ["second", "first"]);
    assert_eq!(only(&["--since", "2100-01-01T00:00:00Z"]), Vec::<String>::new());
    assert_eq!(only(&["--limit", "1"]), ["second"]);
    project.pu(["history", "--json", "--since", "yesterday"]).output().fails(2, "invalid_request");
    let shown = project.pu(["history", "first"]).output().ok().stdout();
    assert!(shown.contains("AUTH") && shown.contains("exited 3") && shown.contains("new.txt"), "{shown}");

    // It is the project's, and outlives the records of its agents.
    project.pu(["kill", "second"]).output().ok();
    project.pu(["clean", "--yes"]).output().ok();
    assert_eq!(only(&[]), ["second", "first"]);
    let elsewhere = world.pu(["history", "--json", "--all-projects"]).output().json();
    assert_eq!(names(&elsewhere), ["second", "first"]);
    world.pu(["history", "--json"]).output().fails(3, "not_a_project");
}

/// One project whose history cannot be read costs the others nothing: it is named, with why.
#[test]
fn a_history_that_cannot_be_read_hides_no_other() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("one", "true", &["--root"]);
    project.ended("one");
    let broken = world.repo("broken", &[]);
    world.pu(["init"]).cwd(broken.root()).output().ok();
    std::fs::create_dir(broken.root().join(".pu/history.jsonl")).unwrap();
    let report = world.pu(["history", "--json", "--all-projects"]).output().json();
    assert_eq!(names(&report), ["one"]);
    let warnings = report["warnings"].to_string();
    assert!(warnings.contains(broken.root().to_str().unwrap()) && warnings.contains("history.jsonl"), "{report:#}");
    let shown = world.pu(["history", "--all-projects"]).output();
    assert!(shown.ok().stdout().contains("one") && shown.stderr().contains("history.jsonl"), "{shown}");
    world.pu(["history", "--json"]).cwd(broken.root()).output().fails(1, "io");
}

/// What is over its bounds is named before it goes, and whoever asks for it afterwards is told how much is gone.
#[test]
fn output_over_its_bounds_is_named_dropped_and_told_as_a_gap() {
    let world = World::new();
    let project = world.project(&[]);
    let megabyte = "head -c 1048576 /dev/zero | tr '\\0' x";
    for name in ["old", "new"] {
        // The worktree stays, having something new in it, and so do the records.
        project.spawn(name, &format!("echo x > kept.txt; {megabyte}"), &[]);
        project.ended(name);
    }
    let total = project.output("old").0.len() as u64;
    project.write(".pu/config.toml", "[spool]\nmax_mib = 1\n");
    let plan = project.pu(["clean", "--dry-run"]).output().ok().stdout();
    assert!(plan.contains("would remove  output of old"), "{plan}");
    assert!(!project.output("old").0.is_empty(), "a dry run drops nothing");
    project.pu(["clean", "--yes"]).output().ok();
    let (left, gap) = project.output("old");
    assert_eq!((left.len(), gap), (0, Some((0, total))));
    let told = project.pu(["logs", "old"]).output();
    assert!(told.ok().stdout().is_empty() && told.stderr().contains(&total.to_string()), "{told}");
    assert!(!project.output("new").0.is_empty(), "of what is too much, the oldest goes");
    assert_eq!(project.agent("old")["state"], "exited", "its record stays");
}

/// A history grows to its bounds and no further, and what is left of it is whole.
#[test]
fn a_history_over_its_bounds_begins_anew() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("one", "true", &["--root"]);
    project.ended("one");
    world.pu(["daemon", "stop"]).output().ok();
    let first = project.history()[0].clone();
    let (line, id) = (first.to_string(), first["agent"]["agent_id"].as_str().unwrap());
    let path = project.root().join(".pu/history.jsonl");
    let nth = |i: usize| line.replace("\"one\"", &format!("\"n{i}\"")).replace(id, &format!("{i:08x}")) + "\n";
    let many: String = (0..1_000_000 / line.len()).map(nth).collect();
    write(&path, many);
    project.write(".pu/config.toml", "[history]\nmax_mib = 1\n");
    world.daemon();
    e2e::wait_until("the history begins anew", || (!path.exists()).then_some(()));
    assert!(project.root().join(".pu/history.1.jsonl").exists());
    project.spawn("two", "true", &["--root"]);
    let report = project.pu(["history", "--json", "two"]).output().json();
    assert_eq!(names(&report), ["two"]);
    let before = project.pu(["history", "--json", "n7"]).output().json();
    assert_eq!(names(&before), ["n7"], "the older half is told too");
    assert_eq!(project.dirt(project.root()), " M .pu/config.toml", "git does not see it");
}
