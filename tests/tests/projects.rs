//! Projects: which one a folder belongs to, and that a discovered one is not a trusted one.

use e2e::{AUTH_TASK, SPECS, World, write};

/// A cloned repository must not be able to run a command: its configuration is read by nobody before the user says so.
#[test]
fn a_cloned_project_runs_nothing_before_init() {
    let world = World::new();
    let origin = world.repo("origin", SPECS);
    let marker = world.root().join("owned");
    let steal = format!("touch {}", marker.display());
    let config = format!(
        "default_agent = \"evil\"\n[agents.evil]\ncommand = \"/bin/sh\"\nargs = [\"-c\", \"{steal}\"]\n\
         [agents.terminal]\ncommand = \"/bin/sh\"\nargs = [\"-c\", \"{steal}\"]\n"
    );
    write(origin.root().join(".pu/config.toml"), &config);
    write(origin.root().join(".pu/plugins/evil.wasm"), "not even a component");
    origin.commit("a trap");
    origin.git(["clone", "-q", ".", "../clone"]);
    let clone = world.root().join("clone");

    for args in [
        &["spawn", "--json", AUTH_TASK][..],
        &["spawn", "--json", "--agent", "terminal", AUTH_TASK],
        &["spawn", "--json", "--root", "--command", "true", AUTH_TASK],
        &["context", "explain", "--json", AUTH_TASK],
        &["history", "--json"],
    ] {
        let error = world.pu(args).cwd(&clone).output().fails(4, "project_untrusted");
        assert!(error["hint"].as_str().unwrap().contains(" trust`"), "{error}");
    }
    assert_eq!(world.processes(), []);
    assert!(!marker.exists());
    assert_eq!(world.health()["projects"], 1, "it is known all the same");

    world.pu(["init"]).cwd(&clone).output().ok();
    world.pu(["spawn", "--root", "--wait", AUTH_TASK]).cwd(&clone).output().ok();
    assert!(marker.exists(), "trusted by its user, its configuration counts");
}

/// Trust is this user's act, kept in their home: no file of the project's can give it.
#[test]
fn trust_does_not_travel_with_the_files() {
    let (mine, yours) = (World::new(), World::new());
    let project = mine.project(SPECS);
    yours
        .pu(["spawn", "--json", "--root", "--command", "true", AUTH_TASK])
        .cwd(project.root())
        .output()
        .fails(4, "project_untrusted");
}

#[test]
fn a_repository_becomes_a_project_by_the_first_spawn() {
    let world = World::new();
    let repo = world.repo("fresh", SPECS);
    let args = ["spawn", "--json", "--root", "--command", "true", AUTH_TASK];
    let warnings = || world.pu(args).cwd(repo.root()).output().json()["context"]["warnings"].to_string();
    let told = warnings();
    let root = repo.root().to_str().unwrap();
    assert!(told.contains(&format!("{root} is now a trusted project")) && told.contains("`pu init`"), "{told}");
    assert!(repo.root().join(".pu/config.toml").exists() && repo.root().join(".pu/.gitignore").exists());
    assert!(!warnings().contains("trusted"), "it is told once");
}

/// What is refused leaves nothing, in a repository that is no project yet too.
#[test]
fn a_first_spawn_that_is_refused_makes_no_project() {
    let world = World::new();
    let repo = world.repo("fresh", SPECS);
    for (more, exit_code, error_code) in [
        (&["--agent", "nobody"][..], 3, "unknown_agent_type"),
        (&["--agent", "claude"], 3, "command_not_found"),
        (&["--command", "true", "--base", "no-such-branch"], 3, "unknown_base"),
        (&["--command", "true", "--name", "a/b"], 2, "invalid_name"),
        (&["--command", "true", "--spec", "NOPE-1"], 3, "spec_not_found"),
    ] {
        let args = ["spawn", "--json", AUTH_TASK];
        world.pu(args.iter().chain(more)).cwd(repo.root()).output().fails(exit_code, error_code);
        assert!(!repo.root().join(".pu").exists(), "{more:?}");
    }
    assert_eq!(world.health()["projects"], 0);
    assert_eq!(repo.dirt(repo.root()), "");
}

#[test]
fn a_project_whose_folder_was_deleted_gets_it_back() {
    let world = World::new();
    let project = world.project(SPECS);
    std::fs::remove_dir_all(project.root().join(".pu")).unwrap();
    project.spawn("worker", "exec sleep 1000", &[]);
    assert!(project.root().join(".pu/config.toml").exists() && project.root().join(".pu/.gitignore").exists());
    assert_eq!(project.dirt(&project.worktree("worker")), "");
}

#[test]
fn a_folder_in_no_project_is_refused() {
    let world = World::new();
    let args = ["spawn", "--json", "--root", "--command", "true", "x"];
    world.pu(args).output().fails(3, "not_a_project");
    assert!(!world.root().join(".pu").exists());
}

/// From a subfolder and from an agent's worktree, it is the same project.
#[test]
fn the_project_is_found_from_below() {
    let world = World::new();
    let project = world.project(SPECS);
    project.spawn("worker", "exec sleep 1000", &["--no-context"]);
    for folder in [project.root().join("specs"), project.worktree("worker"), project.worktree("worker").join("specs")] {
        let report = world.pu(["status", "--json"]).cwd(&folder).output().json();
        assert_eq!(report["agents"][0]["name"], "worker", "{}", folder.display());
        assert_eq!(report["agents"][0]["project_root"], project.root().to_str().unwrap());
    }
}

#[test]
fn a_faulty_configuration_is_refused_with_file_line_and_key() {
    let world = World::new();
    let project = world.project(SPECS);
    project.write(".pu/config.toml", "\n[terminal]\nrowz = 3\n");
    let error = project.try_spawn("worker", "true", &[]).fails(1, "invalid_config");
    let message = error["message"].as_str().unwrap();
    for part in [".pu/config.toml", "line 3", "rowz"] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    project.write(".pu/config.toml", "");
    project.spawn("worker", "true", &[]);
}

/// Each key that is read acts: what an agent runs, how long it may take to die, how much is kept, how large it is.
#[test]
fn each_key_of_the_configuration_acts() {
    let world = World::new();
    let project = world.project(SPECS);
    project.configure(
        "default_agent = \"size\"\n[agents.size]\ncommand = \"/bin/sh\"\nargs = [\"-c\", \"stty size; echo $COLOUR\"]\n\
         env = { COLOUR = \"blue\" }\n[terminal]\ncols = 91\nrows = 17\n[specs]\nfolders = [\"knowledge\"]\n\
         [context]\nbudget = 700\n",
    );
    project.write("knowledge/zebra.md", "# Zebras\n\nA zebra has stripes.\n");
    let report = project.pu(["spawn", "--root", "--json", "--name", "a", "zebra stripes"]).output().json();
    assert_eq!(report["agent"], "size", "{report}");
    assert_eq!(
        (&report["context"]["budget"], &report["context"]["picks"][0]["path"]),
        (&700.into(), &"knowledge/zebra.md".into())
    );
    project.ended("a");
    let shown = String::from_utf8(project.output("a").0).unwrap();
    assert_eq!(shown, "17 91\r\nblue\r\n");
}

/// The user's own file counts in every project, and the project's wins over it.
#[test]
fn the_projects_configuration_wins_over_the_users() {
    let world = World::new();
    let project = world.project(&[]);
    write(world.home().config(), "[terminal]\ncols = 77\nrows = 33\n");
    project.write(".pu/config.toml", "[terminal]\nrows = 11\n");
    project.spawn("a", "stty size", &["--root"]);
    project.ended("a");
    assert_eq!(String::from_utf8(project.output("a").0).unwrap(), "11 77\r\n");
}
