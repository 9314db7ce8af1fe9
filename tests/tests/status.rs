//! `pu status`: which agents there are, and how agents are called.

use e2e::World;

const FOREVER: &str = "exec sleep 1000";

#[test]
fn it_shows_each_agent_where_it_stands() {
    let world = World::new();
    let project = world.project(&[]);
    let report = project.spawn("runs", FOREVER, &["first line of it\nsecond"]);
    project.spawn("done", "exit 3", &["--root"]);
    project.ended("done");
    let (runs, done) = (project.agent("runs"), project.agent("done"));
    assert_eq!((&runs["state"], &runs["pid"]), (&"running".into(), &report["pid"]));
    assert_eq!((&runs["branch"], &runs["worktree"]), (&"pu/runs".into(), &".pu/worktrees/runs".into()));
    assert_eq!(runs["task"], "first line of it");
    assert_eq!((&done["state"], &done["code"]), (&"exited".into(), &3.into()));
    assert!(done.get("worktree").is_none() && done.get("pid").is_none(), "{done}");
    let told = project.pu(["ls"]).output().ok().stdout();
    assert!(told.contains("runs") && told.contains("done") && told.contains("exited"), "{told}");
}

#[test]
fn a_project_shows_its_own_agents_and_all_projects_show_all() {
    let world = World::new();
    let project = world.project(&[]);
    let other = world.repo("other", &[]);
    project.spawn("here", FOREVER, &["--root"]);
    world.pu(["spawn", "--root", "--name", "there", "--command", FOREVER]).cwd(other.root()).output().ok();
    let names = |args: &[&str]| -> Vec<String> {
        let report = world.pu(args).cwd(other.root()).output().json();
        report["agents"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["status", "--json"]), ["there"]);
    assert_eq!(names(&["status", "--json", "--all-projects"]), ["here", "there"]);
}

/// An id, a unique prefix of it, or a name; a name of this project comes before the same name elsewhere.
#[test]
fn an_agent_is_called_by_id_prefix_or_name() {
    let world = World::new();
    let project = world.project(&[]);
    let other = world.repo("other", &[]);
    let spawn = ["spawn", "--json", "--root", "--name", "twin", "--command", FOREVER];
    let here = project.pu(spawn).output().json();
    let there = world.pu(spawn).cwd(other.root()).output().json();
    let called = |folder: &std::path::Path, name: &str| world.pu(["attach", "--json", name]).cwd(folder).output();
    let found = |folder: &std::path::Path, name: &str| called(folder, name).json()["agent"]["agent_id"].clone();
    let id = here["agent_id"].as_str().unwrap();
    assert_eq!(found(project.root(), "twin"), here["agent_id"]);
    assert_eq!(found(other.root(), "twin"), there["agent_id"]);
    assert_eq!(found(other.root(), id), id);
    assert_eq!(found(other.root(), &id[..5]), id);
    called(world.root(), "twin").fails(3, "agent_ambiguous");
    called(project.root(), &id[..3]).fails(3, "agent_not_found");
    called(project.root(), "nobody").fails(3, "agent_not_found");
}

/// Names and prompts are data: no escape code in them reaches the user's terminal.
#[test]
fn no_control_characters_are_passed_on() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", FOREVER, &["--root", "wipe \x1b[2J\x1b]0;owned\x07 it"]);
    let told = project.pu(["status"]).output().ok().stdout();
    assert!(told.contains("wipe") && !told.contains('\x1b') && !told.contains('\x07'), "{told:?}");
}
