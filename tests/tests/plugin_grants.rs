//! What a plugin has only where it was granted: a state that it keeps from one spawn to the next, and the project's past.

use e2e::{AUTH_TASK, Project, SPECS, World, read, write};
use pu_plugin_hostile::Remembering;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A component outside of the project, as its author has it.
fn built(world: &World, plugin: Remembering) -> PathBuf {
    let path = world.root().join("built").join(format!("{}.wasm", plugin.name()));
    write(&path, plugin.component("AUTH").unwrap());
    path
}

/// `pu plugin` with these arguments, which succeeds: what it tells.
#[track_caller]
fn plugin(project: &Project<'_>, args: &[&str]) -> String {
    let output = project.pu(["plugin"].iter().chain(args)).output();
    output.ok().stdout()
}

#[track_caller]
fn add(project: &Project<'_>, component: &std::path::Path, more: &[&str]) -> String {
    let component = component.to_str().unwrap();
    plugin(project, &[&["add", component][..], more].concat())
}

/// The part of one assembler in a report.
#[track_caller]
fn part(context: &Value, name: &str) -> Value {
    let parts = context["assemblers"].as_array().unwrap();
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("no {name} in {context:#}")).clone()
}

#[track_caller]
fn explained(project: &Project<'_>) -> Value {
    project.pu(["context", "explain", "--json", AUTH_TASK]).output().json()
}

#[track_caller]
fn spawned(project: &Project<'_>, name: &str) -> Value {
    project.spawn(name, "true", &["--root", AUTH_TASK])["context"].clone()
}

/// Whether somebody picked something with this reason.
fn says(context: &Value, reason: &str) -> bool {
    let picks = context["picks"].as_array().unwrap();
    picks.iter().any(|pick| pick["reason"].as_str().is_some_and(|told| told.contains(reason)))
}

/// It does not run until it is granted what it imports, and says what to do; then it counts spawns, and nothing else.
#[test]
fn a_state_is_granted_and_kept_from_spawn_to_spawn_and_looking_changes_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    let told = add(&project, &built(&world, Remembering::Counter), &[]);
    assert!(told.contains("grant_missing"), "{told}");
    let before = spawned(&project, "zero");
    let error = &part(&before, "counter")["error"];
    assert_eq!(error["code"], "grant_missing", "{before:#}");
    assert!(error["message"].as_str().unwrap().contains("pu plugin enable counter --grant state"), "{error}");
    assert_eq!(before["picks"][0]["path"], "specs/auth.md", "the others count as before");
    let list = plugin(&project, &["list"]);
    assert!(list.contains("grant_missing") && list.contains("counter: needs state, was granted nothing"), "{list}");

    plugin(&project, &["enable", "counter", "--grant", "state"]);
    let file = project.root().join(".pu/state/counter.json");
    assert!(says(&explained(&project), "call 1") && says(&explained(&project), "call 1"));
    assert!(!file.exists(), "looking keeps nothing");
    assert!(says(&spawned(&project, "one"), "call 1"));
    assert!(says(&explained(&project), "call 2") && says(&explained(&project), "call 2"));
    assert!(says(&spawned(&project, "two"), "call 2"));
    assert!(read(&file).contains("\"n\": \"2\""), "{}", read(&file));
    // A configuration that is the team's and not committed yet is all that git sees.
    assert!(!project.dirt(project.root()).contains("state"), "{}", project.dirt(project.root()));

    // A spawn that fails after its plugins were asked.
    write(project.root().join(".pu/worktrees"), "a file in the way");
    assert_ne!(project.try_spawn("fails", "true", &[AUTH_TASK]).code(), Some(0));
    assert!(says(&explained(&project), "call 3"), "what it changed is not kept");

    let daemon = world.daemon();
    world.crash_daemon();
    assert!(says(&spawned(&project, "three"), "call 3"));
    assert_ne!(world.daemon(), daemon);
}

/// The agent runs by then, and is ended again: the record is the last that can fail.
#[test]
fn a_spawn_that_fails_at_its_record_changes_no_state() {
    let world = World::new();
    let project = world.project(SPECS);
    add(&project, &built(&world, Remembering::Counter), &["--grant", "state"]);
    let (history, state) = (project.root().join(".pu/history.jsonl"), project.root().join(".pu/state/counter.json"));
    std::fs::create_dir(&history).unwrap();
    let output = project.try_spawn("fails", "sleep 600", &["--root", AUTH_TASK]);
    assert_ne!(output.code(), Some(0), "{output}");
    assert!(output.stderr().contains("history.jsonl"), "it fails there and nowhere else: {output}");
    assert!(!state.exists(), "what it changed is not kept");
    std::fs::remove_dir(&history).unwrap();
    assert!(says(&spawned(&project, "one"), "call 1"));
    assert!(state.exists());
}

/// A list of the project's stands in place of the user's: it begins with what that one grants.
#[test]
fn what_the_user_grants_for_all_projects_stays_when_a_project_grants_more() {
    let world = World::new();
    let project = world.project(SPECS);
    let of_user = "\n[context.grants]\ncounter = [\"history\"]\nchronicler = [\"state\"]\n";
    write(world.home().config(), read(world.home().config()) + of_user);
    add(&project, &built(&world, Remembering::Counter), &[]);
    let error = part(&explained(&project), "counter")["error"].clone();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`counter = [\"history\", \"state\"]` under `[context.grants]`"), "{message}");
    plugin(&project, &["enable", "counter", "--grant", "state"]);
    add(&project, &built(&world, Remembering::Chronicler), &["--grant", "history"]);
    let config = read(project.root().join(".pu/config.toml"));
    for list in ["counter = [\"history\", \"state\"]", "chronicler = [\"state\", \"history\"]"] {
        assert!(config.contains(list), "{list} is not in:\n{config}");
    }
    let context = explained(&project);
    assert!(says(&context, "call 1"), "{context:#}");
    assert_eq!(part(&context, "chronicler")["error"], Value::Null, "{context:#}");
}

/// What is removed takes along what it was granted: another plugin of its name asks again.
#[test]
fn a_new_version_that_needs_more_asks_again_and_so_does_one_that_takes_the_place_of_another() {
    let world = World::new();
    let project = world.project(SPECS);
    add(&project, &built(&world, Remembering::Counter), &["--grant", "state"]);
    assert!(says(&explained(&project), "call 1"), "granted as it was added");
    let config = read(project.root().join(".pu/config.toml"));
    let told = add(&project, &built(&world, Remembering::Chronicler), &["--name", "counter"]);
    assert!(told.contains("grant_missing") && told.contains("history"), "{told}");
    assert_eq!(read(project.root().join(".pu/config.toml")), config, "what was granted stays as it is");
    assert_eq!(part(&explained(&project), "counter")["error"]["code"], "grant_missing");
    plugin(&project, &["enable", "counter", "--grant", "history"]);
    assert_eq!(part(&explained(&project), "counter")["error"], Value::Null);

    plugin(&project, &["remove", "counter"]);
    assert!(!read(project.root().join(".pu/config.toml")).contains("counter"));
    let told = add(&project, &built(&world, Remembering::Counter), &[]);
    assert!(told.contains("grant_missing"), "{told}");
}

/// Whatever a plugin writes, it has its bounds and hears of them, and what a failed call wrote is not kept.
#[test]
fn a_plugin_that_writes_without_end_hears_that_its_state_is_full_and_leaves_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    add(&project, &built(&world, Remembering::StateFlood), &["--grant", "state"]);
    let context = spawned(&project, "one");
    let error = &part(&context, "state-flood")["error"];
    assert_eq!(error["code"], "failed", "{context:#}");
    assert!(error["message"].as_str().unwrap().starts_with("state_full: "), "{error}");
    assert!(!project.root().join(".pu/state/state-flood.json").exists());
}

/// A file of a state that is damaged costs a note, and stays.
#[test]
fn a_damaged_state_is_set_aside_and_told_and_stops_no_spawn() {
    let world = World::new();
    let project = world.project(SPECS);
    add(&project, &built(&world, Remembering::Counter), &["--grant", "state"]);
    let file = project.root().join(".pu/state/counter.json");
    write(&file, "{\"version\":1,\"entr");
    let notes = |context: &Value| part(context, "counter")["notes"].to_string();
    let looked = explained(&project);
    assert!(says(&looked, "call 1") && notes(&looked).contains("taken as empty"), "{looked:#}");
    assert_eq!(read(&file), "{\"version\":1,\"entr", "looking changes nothing");
    let context = spawned(&project, "one");
    assert!(notes(&context).contains("counter.json.damaged-"), "{context:#}");
    assert!(read(&file).contains("\"n\": \"1\""));
    let folder = std::fs::read_dir(project.root().join(".pu/state")).unwrap().flatten();
    let aside = folder.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains(".damaged-")).unwrap();
    assert_eq!(read(aside), "{\"version\":1,\"entr");
}

/// A plugin that was granted the past sees what was asked for before, and what the agent touched for it.
#[test]
fn the_past_tells_what_was_asked_for_and_which_files_were_touched() {
    let world = World::new();
    let project = world.project(SPECS);
    let bytes = Remembering::Chronicler.component("AUTH").unwrap();
    write(project.root().join(".pu/plugins/chronicler.wasm"), bytes);
    project.configure("[[context.assembler]]\nname = \"chronicler\"\ngrants = [\"history\"]\n");
    project.plugins_are_ready();
    let first = project.spawn("first", "echo two sides > ledger.txt", &["--tag", "billing", "Add the ledger"]);
    assert_eq!(first["context"]["picks"], json!([]), "there is no past yet: {first:#}");
    project.ended("first");
    let rows = project.history();
    let ended = rows.iter().find(|row| row["kind"] == "ended").unwrap();
    assert_eq!(ended["touched"], json!([{"path": "ledger.txt", "status": "added"}]), "{ended:#}");
    assert_eq!(rows.iter().find(|row| row["kind"] == "spawned").unwrap()["tags"], json!(["billing"]));
    let context = spawned(&project, "second");
    assert_eq!(context["picks"][0]["reason"], "Add the ledger", "{context:#}");
    assert_eq!(part(&context, "chronicler")["notes"], json!(["ledger.txt"]));
}

#[test]
fn what_cannot_be_granted_is_told_with_its_file_and_line() {
    let world = World::new();
    let project = world.project(SPECS);
    let file = world.home().config();
    write(&file, "\n[[context.assembler]]\nname = \"keyword\"\ngrants = [\"network\"]\n");
    let report = project.pu(["context", "explain", "--json", AUTH_TASK]).output().json();
    let warnings = report["warnings"].to_string();
    for part in [file.to_str().unwrap(), "line 4", "network", "state", "history"] {
        assert!(warnings.contains(part), "{part} is not in: {warnings}");
    }
}
