//! `pu doctor`: what is well is said, what is not is said with what to do, whether or not a daemon can be asked.

use e2e::{Hostile, SPECS, World, write};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

/// The findings of a run, and its exit code.
#[track_caller]
fn findings(output: &e2e::Output) -> (Vec<Value>, Option<i32>) {
    let report: Value = serde_json::from_slice(output.bytes()).unwrap_or_else(|e| panic!("{e}: {output}"));
    assert_eq!(report["type"], "doctor_report", "{report:#}");
    (report["findings"].as_array().expect("a list of findings").clone(), output.code())
}

#[track_caller]
fn of<'f>(findings: &'f [Value], check: &str) -> &'f Value {
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("nothing on {check} in {findings:#?}"))
}

#[test]
fn where_all_is_well_every_check_says_so() {
    let world = World::new();
    let project = world.project(SPECS);
    project.spawn("worker", "exec sleep 1000", &["--root"]);
    let (all, code) = findings(&project.pu(["doctor", "--json"]).output());
    assert_eq!(code, Some(0), "{all:#?}");
    for check in
        ["daemon", "programs", "home", "git", "file_limit", "records", "agents", "config", "project", "plugins"]
    {
        assert_eq!(of(&all, check)["state"], "ok", "{all:#?}");
    }
    for check in ["disk", "protection", "agent_programs", "specs"] {
        assert_ne!(of(&all, check)["state"], "problem", "{all:#?}");
    }
    let detail = |check: &str| of(&all, check)["detail"].as_str().unwrap().to_owned();
    for part in ["pu ", "pu-engine ", "pu-shim ", env!("CARGO_PKG_VERSION")] {
        assert!(detail("programs").contains(part), "{}", detail("programs"));
    }
    assert!(detail("git").starts_with("git version"), "{}", detail("git"));
    assert!(detail("agents").starts_with("1 live"), "{}", detail("agents"));
    assert!(detail("specs").contains(&format!("specs indexed: {}", SPECS.len())), "{}", detail("specs"));
    assert!(detail("plugins").ends_with(": classify, tags, keyword, context-map"), "{}", detail("plugins"));
    let told = project.pu(["doctor"]).output().ok().stdout();
    assert!(told.contains("ok       daemon") && !told.contains("problem  "), "{told}");
}

/// Each trouble is a finding of its own, with what to do about it.
#[test]
fn what_is_wrong_is_a_problem_with_what_to_do() {
    let world = World::new();
    let project = world.project(SPECS);
    let built = world.root().join("built/rules.wasm");
    write(&built, Hostile::Traps.component("rules"));
    project.pu(["plugin", "add", built.to_str().unwrap()]).output().ok();
    write(project.root().join(".pu/plugins/rules.wasm"), Hostile::Loops.component("rules"));
    project.trust();
    write(project.root().join(".pu/manifest.json.damaged-20260102T030405Z"), "{");
    let home = world.home();
    std::fs::set_permissions(home.root(), std::fs::Permissions::from_mode(0o755)).unwrap();

    let (all, code) = findings(&project.pu(["doctor", "--json"]).output());
    assert_eq!(code, Some(1), "{all:#?}");
    for (check, state, part) in [
        ("plugins", "problem", "digest_mismatch"),
        ("home", "problem", "0755"),
        ("records", "warning", "manifest.json.damaged-"),
    ] {
        let finding = of(&all, check);
        assert_eq!(finding["state"], state, "{all:#?}");
        assert!(finding["detail"].as_str().unwrap().contains(part), "{finding:#}");
        assert!(finding["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{finding:#}");
    }

    project.write(".pu/config.toml", "\n[terminal]\nrowz = 3\n");
    let (all, code) = findings(&project.pu(["doctor", "--json"]).output());
    let config = of(&all, "config");
    assert_eq!((code, &config["state"]), (Some(1), &"warning".into()), "what was good stays in force: {all:#?}");
    for part in [".pu/config.toml", "line 3", "terminal.rowz", "terminal.rows"] {
        assert!(config["detail"].as_str().unwrap().contains(part), "{config:#}");
    }
    let told = project.pu(["doctor"]).output().stdout();
    assert!(told.contains("warning  config") && told.contains("terminal.rowz"), "{told}");
}

/// Neither a project that nobody trusts nor a folder that is in none is a problem of the machine.
#[test]
fn where_there_is_no_project_to_act_in_the_rest_is_told() {
    let world = World::new();
    let theirs = world.repo("theirs", SPECS);
    write(theirs.root().join(".pu/config.toml"), "");
    let (all, code) = findings(&world.pu(["doctor", "--json"]).cwd(theirs.root()).output());
    assert_eq!((code, &of(&all, "project")["state"]), (Some(0), &"warning".into()), "{all:#?}");
    assert!(of(&all, "project")["hint"].as_str().unwrap().contains(" trust`"), "{all:#?}");
    assert!(all.iter().all(|finding| finding["check"] != "specs"), "none of them is read: {all:#?}");
    let (all, code) = findings(&world.pu(["doctor", "--json"]).output());
    assert_eq!((code, &of(&all, "project")["state"]), (Some(0), &"warning".into()), "{all:#?}");
    assert_eq!(of(&all, "config")["state"], "ok", "{all:#?}");
}

#[test]
fn where_no_daemon_starts_its_log_is_shown() {
    let world = World::new();
    write(world.home().daemon_log(), "the last words\n");
    let output = world.pu(["doctor", "--json"]).env("PU_ENGINE", "/bin/false").output();
    let (all, code) = findings(&output);
    assert_eq!((code, &of(&all, "daemon")["state"]), (Some(5), &"problem".into()), "{all:#?}");
    assert!(of(&all, "log")["detail"].as_str().unwrap().contains("the last words"), "{all:#?}");
    let told = world.pu(["doctor"]).env("PU_ENGINE", "/bin/false").output();
    assert!(told.stdout().contains("the last words"), "{told}");
}
