//! The bundled assemblers beside `keyword`, in the chain that runs where nothing is configured.

use e2e::{AUTH_TASK, Project, SPECS, World};
use serde_json::Value;

#[track_caller]
fn explained(project: &Project<'_>, task: &str) -> Value {
    project.pu(["context", "explain", "--json", task]).output().json()
}

/// The part of one assembler in a report.
#[track_caller]
fn part<'r>(report: &'r Value, name: &str) -> &'r Value {
    let parts = report["assemblers"].as_array().unwrap();
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// Why an assembler proposed the spec at a path, if it did.
fn reason(report: &Value, path: &str, assembler: &str) -> Option<String> {
    let candidates = report["candidates"].as_array().unwrap().iter();
    let mut of_spec = candidates.filter(|candidate| candidate["path"] == path);
    let of_it = |c: &&Value| c["assembler"].as_str().unwrap().split(", ").any(|name| name == assembler);
    of_spec.find(of_it).map(|candidate| candidate["reason"].as_str().unwrap().to_owned())
}

/// They cost a plain task nothing but their call: no failure, and no pick that words did not find.
#[test]
fn a_plain_task_gets_what_its_words_find() {
    let world = World::new();
    let project = world.project(SPECS);
    project.plugins_are_ready();
    let report = explained(&project, AUTH_TASK);
    let names: Vec<&str> =
        report["assemblers"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["classify", "tags", "keyword", "context-map"]);
    for name in names {
        assert_eq!(part(&report, name)["error"], Value::Null, "{report:#}");
    }
    assert_eq!((&part(&report, "tags")["picks"], &part(&report, "context-map")["picks"]), (&0.into(), &0.into()));
    let labels = report["labels"].as_array().unwrap();
    assert!(labels.iter().any(|label| label["name"] == "fix" && label["assembler"] == "classify"), "{report:#}");
}

#[test]
fn a_tag_and_a_glob_find_what_words_do_not() {
    let world = World::new();
    let project = world.project(SPECS);
    project.plugins_are_ready();
    let report = explained(&project, "carry on #billing");
    let why = reason(&report, "specs/billing.md", "tags");
    assert!(why.is_some_and(|why| why.contains("has the tag billing")), "{report:#}");
    project.write("docs/http.md", "---\nglobs: [\"src/http/**\"]\n---\n# Quokkas\n\nKeep it short.\n");
    project.write("src/http/serve.rs", "// served\n");
    let report = explained(&project, "carry on in src/http/serve.rs");
    let reason = reason(&report, "docs/http.md", "tags").unwrap();
    assert!(reason.contains("applies to src/http/serve.rs (named): src/http/**"), "{reason}");
}

/// A rule file holds whatever the words are, before all that is ranked; an agent that loads it by itself is not given it
/// twice, and told of.
#[test]
fn a_rule_that_always_applies_is_first_unless_the_agent_has_it() {
    let world = World::new();
    let project = world.project(SPECS);
    project.plugins_are_ready();
    project.write("AGENTS.md", "# House rules\n\nQuokkas are to be counted twice.\n");
    let explained = |agent: &str| project.pu(["context", "explain", "--json", "-a", agent, AUTH_TASK]).output().json();
    let report = explained("terminal");
    let first = &report["picks"][0];
    assert_eq!((first["path"].as_str(), first["rule"].as_str()), (Some("AGENTS.md"), Some("always")), "{report:#}");
    assert_eq!(report["picks"][1]["path"], "specs/auth.md", "{report:#}");
    let report = explained("codex");
    assert_eq!(report["picks"][0]["path"], "specs/auth.md", "{report:#}");
    let notes = part(&report, "tags")["notes"].to_string();
    assert!(notes.contains("codex loads by itself") && notes.contains("AGENTS.md"), "{report:#}");
}

/// A map counts from the next task on, and one that cannot be read says where.
#[test]
fn a_context_map_is_read_anew_for_each_task() {
    let world = World::new();
    let project = world.project(SPECS);
    project.plugins_are_ready();
    let task = "pet the zebra";
    assert_eq!(reason(&explained(&project, task), "specs/billing.md", "context-map"), None);
    let map = "[[map]]\nwhen = { words = \"zebra\" }\nspecs = \"BILL\"\n";
    project.write(".pu/context/zoo.toml", map);
    let report = explained(&project, task);
    let why = reason(&report, "specs/billing.md", "context-map");
    assert_eq!(why.as_deref(), Some("the task says \"zebra\" (.pu/context/zoo.toml)"), "{report:#}");

    // What classify found steers what the map picks.
    project.write(".pu/context/kinds.toml", "[[map]]\nwhen = { labels = \"fix\" }\nspecs = \"specs/images.md\"\n");
    assert!(reason(&explained(&project, AUTH_TASK), "specs/images.md", "context-map").is_some());

    project.write(".pu/context/zoo.toml", &format!("{map}\n[[map]]\nwhen = {{ wrods = \"a\" }}\nspecs = \"BILL\"\n"));
    let report = explained(&project, task);
    let error = &part(&report, "context-map")["error"];
    assert_eq!(error["code"], "config_invalid", "{report:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("wrods") && message.contains("zoo.toml, line 6"), "{message}");

    std::fs::remove_dir_all(project.root().join(".pu/context")).unwrap();
    assert_eq!(part(&explained(&project, task), "context-map")["error"], Value::Null);
}
