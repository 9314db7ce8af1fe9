//! `pu clean`: what ended agents left goes, and no work with it.

use e2e::{World, write};
use serde_json::Value;

/// The item of a report about the worktree or branch of this agent.
fn item<'r>(report: &'r Value, kind: &str, what: &str) -> &'r Value {
    let items = report["items"].as_array().unwrap();
    let named = |item: &Value| item["what"].as_str().unwrap().rsplit('/').next() == Some(what);
    let found = items.iter().find(|item| item["kind"] == kind && named(item));
    found.unwrap_or_else(|| panic!("no {kind} {what} in {report:#}"))
}

#[test]
fn an_agent_that_left_no_work_is_removed_whole() {
    let world = World::new();
    let project = world.project(&[]);
    let before = project.branches();
    let report = project.spawn("done", "echo bye", &[]);
    project.ended("done");
    project.pu(["clean", "--yes"]).output().ok();
    assert!(!project.worktree("done").exists());
    assert_eq!(project.branches(), before);
    assert!(project.agents().is_empty());
    assert!(!world.home().agent(report["agent_id"].as_str().unwrap()).root().exists());
    project.spawn("done", "true", &[]);
}

/// Work that is nowhere else keeps its worktree, whatever kind of work it is; and the reason is told.
#[test]
fn work_that_is_nowhere_else_is_kept_and_named() {
    let world = World::new();
    let project = world.project(&[]);
    let commit = "git add -A && git commit -q -m work";
    for (name, command) in [
        ("changed", "echo more >> README.md".to_owned()),
        ("new-file", "echo precious > note".to_owned()),
        ("staged", "echo precious > note; git add note".to_owned()),
        ("unmerged", format!("echo precious > note; {commit}")),
        ("merged", format!("echo in-main > merged-note; {commit}")),
        ("clean", "true".to_owned()),
    ] {
        project.spawn(name, &command, &[]);
        assert_eq!(project.ended(name)["code"], 0, "{name}");
    }
    project.git(["merge", "-q", "pu/merged"]);
    let report = project.pu(["clean", "--yes", "--json"]).output().json();
    for name in ["changed", "new-file", "staged", "unmerged"] {
        let kept = item(&report, "worktree", name);
        assert_eq!(kept["removed"], false, "{name}: {report:#}");
        assert!(kept["kept_because"].as_str().is_some_and(|why| !why.is_empty()), "{kept}");
        assert!(project.worktree(name).exists() && project.branches().contains(&format!("pu/{name}")), "{name}");
    }
    for name in ["merged", "clean"] {
        assert_eq!(item(&report, "worktree", name)["removed"], true, "{name}: {report:#}");
        assert!(!project.worktree(name).exists() && !project.branches().contains(&format!("pu/{name}")), "{name}");
    }
    assert_eq!(e2e::read(project.worktree("new-file").join("note")), "precious\n");
}

#[test]
fn live_agents_are_not_meant_and_a_dry_run_removes_nothing() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("live", "exec sleep 1000", &[]);
    project.spawn("done", "true", &[]);
    project.ended("done");
    let planned = project.pu(["clean", "--dry-run", "--json"]).output().json();
    assert_eq!((&planned["dry_run"], &item(&planned, "worktree", "done")["removed"]), (&true.into(), &true.into()));
    assert!(project.worktree("done").exists());
    assert!(!planned.to_string().contains("live\""), "{planned:#}");
    project.pu(["clean", "--yes"]).output().ok();
    assert!(project.worktree("live").exists() && !project.worktree("done").exists());
    assert_eq!(project.agent("live")["state"], "running");
}

/// Nobody is there to say yes: nothing goes.
#[test]
fn without_a_terminal_it_asks_for_yes() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("done", "true", &[]);
    project.ended("done");
    let output = project.pu(["clean"]).stdin("y\n").output();
    assert_eq!(output.code(), Some(4), "{output}");
    assert!(output.stderr().contains("--yes"), "{output}");
    assert!(project.worktree("done").exists());
}

/// A worktree in which another agent still works stays.
#[test]
fn a_shared_worktree_stays_while_somebody_works_in_it() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("first", "true", &[]);
    project.ended("first");
    project.spawn("second", "exec sleep 1000", &["-w", "first"]);
    project.pu(["clean", "--yes"]).output().ok();
    assert!(project.worktree("first").exists());
    assert_eq!(project.agent("second")["state"], "running");
}

/// One worktree that cannot be looked at stays with the reason, and keeps no other from going.
#[test]
fn a_broken_worktree_does_not_hold_up_the_others() {
    let world = World::new();
    let project = world.project(&[]);
    for name in ["broken", "done"] {
        project.spawn(name, "true", &[]);
        project.ended(name);
    }
    write(project.worktree("broken").join(".git"), "gitdir: /nowhere\n");
    let report = project.pu(["clean", "--yes", "--json"]).output().json();
    let kept = item(&report, "worktree", "broken");
    assert!(kept["removed"] == false && kept["kept_because"].as_str().is_some_and(|why| !why.is_empty()), "{kept}");
    assert_eq!(item(&report, "worktree", "done")["removed"], true, "{report:#}");
    assert!(project.worktree("broken").exists() && !project.worktree("done").exists());
    let names: Vec<_> = project.agents().iter().map(|agent| agent["name"].clone()).collect();
    assert_eq!(names, ["broken"]);
}

/// The records of agents whose project was deleted, or is no repository any more, are not there for ever.
#[test]
fn what_is_left_of_a_project_that_is_gone_is_removed() {
    for deleted in ["", ".git"] {
        let world = World::new();
        let project = world.project(&[]);
        project.spawn("done", "true", &[]);
        project.ended("done");
        std::fs::remove_dir_all(project.root().join(deleted)).unwrap();
        let report = world.pu(["clean", "--yes", "--json", "--all-projects"]).output().json();
        let items = report["items"].as_array().unwrap();
        assert!(items.len() == 1 && items[0]["kind"] == "record" && items[0]["removed"] == true, "{report:#}");
        let left = world.pu(["status", "--json", "--all-projects"]).output().json();
        assert_eq!(left["agents"], serde_json::json!([]), "{deleted}");
    }
}

/// Worktrees that the user made themselves are theirs.
#[test]
fn what_the_user_made_is_not_ours() {
    let world = World::new();
    let project = world.project(&[]);
    project.git(["worktree", "add", "-q", "-b", "mine", ".pu/worktrees/mine"]);
    write(world.root().join("x"), "");
    project.pu(["clean", "--yes"]).output().ok();
    assert!(project.worktree("mine").exists() && project.branches().contains(&"mine".to_owned()));
}
