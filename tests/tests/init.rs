//! `pu init`: a folder becomes a project.

use e2e::{SPECS, World, read, write};

#[test]
fn it_writes_a_configuration_and_indexes_what_is_there() {
    let world = World::new();
    let repo = world.repo("shop", SPECS);
    let report = world.pu(["init", "--json"]).cwd(repo.root()).output().json();
    assert_eq!((&report["name"], &report["specs"]), (&"shop".into(), &SPECS.len().into()), "{report}");
    assert_eq!(report["created"], serde_json::json!([".pu/config.toml", ".pu/.gitignore"]));
    assert_eq!(
        repo.dirt(repo.root()),
        "?? .pu/.gitignore\n?? .pu/config.toml",
        "only the shareable part is seen by git"
    );
}

/// A repository in which people have worked with other tools: what they left is counted by what it is for.
#[test]
fn what_is_found_is_told_by_kind() {
    let world = World::new();
    let repo = world.repo("shop", SPECS);
    repo.write("AGENTS.md", "# Agents\n\nRun the tests.\n");
    for rule in ["money", "names"] {
        repo.write(&format!(".cursor/rules/{rule}.mdc"), "---\nalwaysApply: true\n---\nMind it.\n");
    }
    let report = world.pu(["init", "--json"]).cwd(repo.root()).output().json();
    let found = report["found"].as_array().unwrap().iter();
    let told: Vec<String> = found.map(|one| format!("{} {}", one["kind"].as_str().unwrap(), one["files"])).collect();
    assert_eq!(told, [format!("spec {}", SPECS.len()), "agents 1".to_owned(), "cursor 2".to_owned()], "{report}");
    let shown = world.pu(["init"]).cwd(repo.root()).output().stdout();
    assert!(shown.contains(&format!("{} spec, 1 agents, 2 cursor", SPECS.len())), "{shown}");
}

#[test]
fn doing_it_again_changes_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    write(project.root().join(".pu/config.toml"), "default_agent = \"terminal\"\n");
    let report = project.pu(["init", "--json"]).output().json();
    assert_eq!(report["created"], serde_json::json!([]));
    assert_eq!(read(project.root().join(".pu/config.toml")), "default_agent = \"terminal\"\n");
}

/// What lies in a spec folder and is not indexed is named, not ignored in silence.
#[test]
fn what_is_not_indexed_is_named() {
    let world = World::new();
    let repo = world.repo("shop", SPECS);
    write(world.root().join("outside.md"), "# Outside\n");
    std::os::unix::fs::symlink(world.root().join("outside.md"), repo.root().join("specs/link.md")).unwrap();
    let report = world.pu(["init", "--json"]).cwd(repo.root()).output().json();
    assert_eq!(report["specs"], SPECS.len());
    assert!(report["skipped"].to_string().contains("specs/link.md"), "{report}");
}

#[test]
fn a_folder_without_git_can_be_a_project() {
    let world = World::new();
    write(world.root().join("plain/specs/a.md"), "# A\n\nAbout apples.\n");
    let folder = world.root().join("plain");
    world.pu(["init"]).cwd(&folder).output().ok();
    let args = ["spawn", "--root", "--json", "--command", "cat \"$PU_CONTEXT_FILE\"", "apples"];
    let report = world.pu(args).cwd(&folder).output().json();
    assert_eq!(report["context"]["picks"][0]["path"], "specs/a.md", "{report}");
    let refused = world.pu(["spawn", "--json", "--command", "true", "apples"]).cwd(&folder).output();
    refused.fails(3, "not_a_git_repository");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let world = World::new();
    let output = world.pu(["init", "nowhere"]).output();
    assert_ne!(output.code(), Some(0));
    assert!(output.stderr().contains("nowhere"), "{output}");
}
