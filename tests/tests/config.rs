//! `pu config show`, and what a configuration that cannot be used costs: a warning, and never what worked before.

use e2e::{AUTH_TASK, Output, SPECS, World, read, write};
use serde_json::{Value, json};

/// The one value of a report.
#[track_caller]
fn value(report: &Value, key: &str) -> Value {
    let values = report["values"].as_array().expect("a list of values");
    values.iter().find(|value| value["key"] == key).unwrap_or_else(|| panic!("no {key} in {report:#}")).clone()
}

#[track_caller]
fn assert_warned(warnings: &Value, parts: &[&str]) {
    let warnings = warnings.to_string();
    for part in parts {
        assert!(warnings.contains(part), "{part} is not in: {warnings}");
    }
}

#[test]
fn each_value_is_shown_with_where_it_was_said() {
    let world = World::new();
    let project = world.project(SPECS);
    let (users, own) = (world.home().config(), project.root().join(".pu/config.toml"));
    write(&users, "[terminal]\nkill_grace_ms = 1000\nrows = 33\n");
    write(&own, "# ours\n[terminal]\nrows = 11\n");
    let report = project.pu(["config", "show", "--json"]).output().json();
    assert_eq!(report["project_file"], own.to_str().unwrap());
    assert_eq!(value(&report, "terminal.rows")["value"], 11);
    let of_project = json!({"from": "project", "file": own, "line": 3});
    let of_user = json!({"from": "user", "file": users, "line": 2});
    assert_eq!(value(&report, "terminal.rows")["origin"], of_project);
    assert_eq!(value(&report, "terminal.kill_grace_ms")["origin"], of_user);
    assert_eq!(
        value(&report, "context.budget"),
        json!({"key": "context.budget", "value": 8000, "origin": {"from": "default"}})
    );
    let told = project.pu(["config", "show", "--origin", "terminal"]).output().ok().stdout();
    for line in [
        format!("terminal.rows = 11  # {}, line 3", own.display()),
        format!("terminal.kill_grace_ms = 1000  # {}, line 2", users.display()),
        "terminal.cols = 200  # default".to_owned(),
    ] {
        assert!(told.lines().any(|known| known == line), "{line} is not in:\n{told}");
    }
    // Outside of any project it is the user's alone.
    let report = world.pu(["config", "show", "--json", "terminal.rows"]).output().json();
    assert_eq!((&report["values"][0]["value"], &report["project"]), (&json!(33), &Value::Null));
    let error = project.pu(["config", "show", "--json", "terminal.rowz"]).output().fails(3, "unknown_config_key");
    assert!(error["hint"].as_str().unwrap().contains("`terminal.rows`"), "{error}");
}

#[test]
fn a_bad_edit_keeps_what_was_good_and_everybody_is_told() {
    let world = World::new();
    let project = world.project(SPECS);
    project.write(".pu/config.toml", "[terminal]\ncols = 91\nrows = 17\n");
    project.pu(["config", "show"]).output().ok();
    let bad = "\n[terminal]\nrows = 18\ncolz = 3\n";
    project.write(".pu/config.toml", bad);
    let parts = [".pu/config.toml", "line 4", "terminal.colz", "terminal.cols", "stays in force"];

    let report = project.spawn("worker", "stty size", &["--root", "--no-context"]);
    assert_warned(&report["context"]["warnings"], &parts);
    project.ended("worker");
    assert_eq!(String::from_utf8(project.output("worker").0).unwrap(), "17 91\r\n");
    let report = project.pu(["context", "explain", "--json", AUTH_TASK]).output().json();
    assert_warned(&report["warnings"], &parts);
    let report = project.pu(["config", "show", "--json", "terminal"]).output().json();
    assert_warned(&report["warnings"], &parts);
    assert_eq!(value(&report, "terminal.rows")["value"], 17);
    let shown = project.pu(["project", "show", "--json"]).output().json();
    assert_warned(&shown["condition"], &parts);
    let listed = project.pu(["project", "list", "--json"]).output().json();
    assert_eq!(listed["projects"][0]["error"], shown["error"], "{listed}");
    let report: Value = serde_json::from_str(&project.pu(["doctor", "--json"]).output().stdout()).unwrap();
    let mut findings = report["findings"].as_array().unwrap().iter();
    let config = findings.find(|finding| finding["check"] == "config").unwrap();
    assert_eq!(config["state"], "warning", "{config}");
    assert_warned(&config["detail"], &parts);

    // Nothing is written into a file that is its user's to mend.
    project.pu(["plugin", "disable", "keyword", "--json"]).output().fails(1, "invalid_config");
    assert_eq!(read(project.root().join(".pu/config.toml")), bad);

    // A daemon that finds it so knows of nothing better.
    world.crash_daemon();
    let error = project.try_spawn("other", "true", &[]).fails(1, "invalid_config");
    assert_warned(&error["message"], &parts[..4]);
    project.write(".pu/config.toml", "[terminal]\nrows = 18\n");
    let report = project.spawn("other", "true", &["--root", "--no-context"]);
    assert_eq!(report["context"]["warnings"], Value::Null, "{report:#}");
}

/// What a repository brings under this name is never waited for and never read from outside.
#[test]
fn whatever_lies_in_the_place_of_the_file_is_told_as_what_it_is() {
    let world = World::new();
    let theirs = world.repo("theirs", SPECS);
    let file = theirs.root().join(".pu/config.toml");
    let show = || world.pu(["config", "show", "--json"]).cwd(theirs.root()).output();
    let refused = |bytes: &[u8], part: &str| {
        write(&file, bytes);
        let error = show().fails(1, "invalid_config");
        assert!(error["message"].as_str().unwrap().contains(part), "{part} is not in: {error}");
    };
    refused(b"\n[discovery]\nroots = [\"/\"]\n", "config.toml: line 2: `discovery`");
    refused(&vec![b'#'; 10 << 20], "bytes long");
    refused(b"# fine\n# \xff\n", "line 2: is not UTF-8");
    refused("a.".repeat(300_000).as_bytes(), "config.toml: ");
    std::fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let is_no_file = |output: Output| {
        assert!(output.fails(1, "invalid_config")["message"].as_str().unwrap().ends_with("is no regular file"));
    };
    is_no_file(show());
    std::fs::remove_file(&file).unwrap();
    let secret = world.root().join("secret.toml");
    write(&secret, "[terminal]\nrows = 3\n");
    std::os::unix::fs::symlink(&secret, &file).unwrap();
    show().fails(4, "path_outside_project");
    std::fs::remove_file(&file).unwrap();
    write(&file, "[terminal]\nrows = 3\n");
    assert_warned(&show().json()["warnings"], &["not trusted"]);
}
