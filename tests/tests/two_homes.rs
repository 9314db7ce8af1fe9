//! Two daemons, each of a `PU_HOME` of its own, on one project: neither loses what the other wrote.

use e2e::{World, wait_until, write};
use serde_json::Value;

/// Both start and end agents in it at the same time: every row and every line is there, and each daemon knows its own.
#[test]
fn two_daemons_on_one_project_do_not_lose_each_others_records() {
    const EACH: usize = 6;
    let world = World::new();
    let project = world.project(&[]);
    // Dropped first: its agents work in the other one's folder.
    let other = World::new();
    other.pu(["init"]).cwd(project.root()).output().ok();
    let spawn = |world: &World, name: &str, command: &str| {
        let args = ["spawn", "--json", "--root", "--no-context", "-n", name, "--command", command];
        world.pu(args).cwd(project.root()).start()
    };
    let mut starting = Vec::new();
    for i in 0..EACH {
        starting.push(spawn(&world, &format!("a{i}"), "exec sleep 1000"));
        starting.push(spawn(&other, &format!("b{i}"), "exec sleep 1000"));
    }
    for one in starting {
        one.finish().ok();
    }
    let rows = || project.manifest()["agents"].as_array().unwrap().len();
    let lines = |kind: &str| project.history().iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((rows(), lines("spawned")), (2 * EACH, 2 * EACH));
    for (world, letter) in [(&world, "a"), (&other, "b")] {
        let report = world.pu(["status", "--json"]).cwd(project.root()).output().json();
        let names: Vec<&str> =
            report["agents"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap()).collect();
        assert!(names.len() == EACH && names.iter().all(|name| name.starts_with(letter)), "{names:?}");
    }
    let kill = |world: &World| world.pu(["kill", "--all", "--include-root"]).cwd(project.root()).start();
    for killing in [kill(&world), kill(&other)] {
        killing.finish().ok();
    }
    assert_eq!((rows(), lines("ended")), (0, 2 * EACH));
}

/// One of them hangs with the project's lock: the other one changes nothing and says what is wrong.
#[test]
fn a_project_that_is_held_is_told_and_left_as_it_is() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("first", "exec sleep 1000", &["--root"]);
    let lock = std::fs::File::options().write(true).open(project.root().join(".pu/manifest.lock")).unwrap();
    lock.lock().unwrap();
    let error = project.try_spawn("second", "exec sleep 1000", &["--root"]).fails(5, "busy");
    assert!(error["message"].as_str().unwrap().contains("manifest.lock") && error["hint"].is_string(), "{error}");
    drop(lock);
    wait_until("nothing is left of it", || (world.shims().len() == 1 && project.agents().len() == 1).then_some(()));
    let folders = std::fs::read_dir(world.home().agents()).unwrap().count();
    assert_eq!((folders, project.manifest()["agents"].as_array().unwrap().len()), (1, 1));
    project.spawn("second", "exec sleep 1000", &["--root"]);
}

/// A manifest that is damaged while the daemon runs costs nothing: it is made anew of the history, and the ends that come
/// afterwards are on record.
#[test]
fn a_manifest_that_is_damaged_meanwhile_is_made_anew() {
    let world = World::new();
    let project = world.project(&[]);
    let report = project.spawn("worker", "exec sleep 1000", &[]);
    project.spawn("another", "exec sleep 1000", &["--root"]);
    write(project.root().join(".pu/manifest.json"), "{\"version\":1,\"agen");
    project.pu(["kill", "another"]).output().ok();
    let manifest = project.manifest();
    assert_eq!(manifest["agents"].as_array().unwrap().len(), 1, "{manifest:#}");
    assert_eq!(manifest["agents"][0]["agent_id"], report["agent_id"]);
    assert_eq!(manifest["worktrees"][0]["name"], "worker");
    let ends: Vec<Value> = project.history().into_iter().filter(|line| line["kind"] == "ended").collect();
    assert_eq!((ends.len(), &ends[0]["name"]), (1, &"another".into()));
    let doctor = project.pu(["doctor"]).output().stdout();
    assert!(doctor.contains("manifest.json.damaged-"), "{doctor}");
}
