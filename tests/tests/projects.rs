//! Projects: which one a folder belongs to, and that a discovered one is not a trusted one.

use e2e::{AUTH_TASK, SPECS, World, wait_until, write};
use serde_json::{Value, json};
use std::path::Path;

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

/// A project is known by its identity: its trust, its agents and its history go where it goes.
#[test]
fn a_moved_project_takes_its_agents_its_trust_and_its_history_along() {
    let world = World::new();
    let project = world.project(SPECS);
    project.spawn("here", "exec sleep 1000", &["--root", "--no-context"]);
    project.spawn("there", "exec sleep 1000", &["--no-context"]);
    let moved = world.root().join("elsewhere/shop");
    std::fs::create_dir(world.root().join("elsewhere")).unwrap();
    std::fs::rename(project.root(), &moved).unwrap();
    let pu = |args: &[&str]| world.pu(args).cwd(&moved).output();
    let states = || {
        let agents = pu(&["status", "--json"]).json()["agents"].as_array().unwrap().clone();
        let told = agents.iter().map(|agent| {
            assert_eq!(agent["project_root"], moved.to_str().unwrap());
            format!("{} {}", agent["name"].as_str().unwrap(), agent["state"].as_str().unwrap())
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(states(), ["here running", "there running"]);
    let worktree = moved.join(".pu/worktrees/there");
    assert_eq!(project.dirt(&worktree), "", "git finds the repository again");
    pu(&["kill", "here"]).ok();
    let answer = world.client().ask(&json!({"type": "attach", "agent": "there", "cwd": moved}));
    assert_eq!(answer["type"], "attach_report", "{answer}");

    // The launch records have the old root; the next daemon knows where it went.
    world.crash_daemon();
    wait_until("the agent is found again", || (states() == ["here killed", "there running"]).then_some(()));
    pu(&["kill", "there"]).ok();
    let runs = pu(&["history", "--json"]).json()["runs"].as_array().unwrap().clone();
    assert!(runs.len() == 2 && runs.iter().all(|run| run["end"]["state"] == "killed"), "{runs:#?}");
    pu(&["clean", "--yes"]).ok();
    assert!(!worktree.exists() && states().is_empty(), "{:?}", states());
    pu(&["spawn", "--root", "--wait", "--no-context", "--command", "true", "trusted still"]).ok();
    let shown = pu(&["project", "show", "--json"]).json();
    assert_eq!((&shown["state"], &shown["name"]), (&"trusted".into(), &"shop".into()), "{shown}");
    assert_eq!(shown["former_roots"][0], project.root().to_str().unwrap(), "{shown}");
}

/// A copy is another project, and nobody has trusted it.
#[test]
fn a_copied_project_is_not_trusted() {
    let world = World::new();
    let project = world.project(SPECS);
    let copy = world.root().join("copy");
    for path in [".pu/config.toml", ".pu/state/id"] {
        write(copy.join(path), std::fs::read(project.root().join(path)).unwrap());
    }
    let args = ["spawn", "--json", "--root", "--no-context", "--command", "true", "x"];
    world.pu(args).cwd(&copy).output().fails(4, "project_untrusted");
    world.pu(["init"]).cwd(&copy).output().ok();
    let id = |root: &Path| world.pu(["project", "show", "--json"]).cwd(root).output().json()["id"].clone();
    assert!(id(&copy).is_string() && id(&copy) != id(project.root()));
}

#[test]
fn projects_are_listed_named_shown_and_forgotten() {
    let world = World::new();
    let project = world.project(SPECS);
    project.spawn("worker", "exec sleep 1000", &["--root", "--no-context"]);
    project.git(["clone", "-q", ".", "../clone"]);
    let pu = |args: &[&str]| world.pu(args).output();
    let added = pu(&["project", "add", "--json", "clone"]).json();
    assert_eq!((&added["state"], &added["trusted"]), (&"known".into(), &false.into()), "{added}");
    let listed = || {
        let report = pu(&["project", "list", "--json"]).json();
        let told = |one: &Value| {
            format!("{} {} {}", one["name"].as_str().unwrap(), one["state"].as_str().unwrap(), one["agents"])
        };
        report["projects"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(listed(), ["clone known 0", "project trusted 1"]);
    for named in ["project", "./project", "project/specs"] {
        assert_eq!(pu(&["-P", named, "status", "--json"]).json()["agents"][0]["name"], "worker", "{named}");
    }
    pu(&["-P", "nobody", "status", "--json"]).fails(3, "project_not_found");
    pu(&["project", "add", "--json", "."]).fails(3, "not_a_project");

    std::fs::create_dir(world.root().join("x")).unwrap();
    project.git(["clone", "-q", ".", "../x/project"]);
    pu(&["project", "add", "x/project"]).ok();
    let error = pu(&["-P", "project", "status", "--json"]).fails(3, "project_ambiguous");
    assert!(error["message"].as_str().unwrap().contains("/x/project"), "{error}");
    pu(&["project", "remove", "./x/project"]).ok();

    pu(&["project", "remove", "--json", "project"]).fails(4, "agent_running");
    std::fs::remove_dir_all(world.root().join("clone")).unwrap();
    assert_eq!(listed(), ["clone missing 0", "project trusted 1"]);
    pu(&["project", "remove", "clone"]).ok();
    pu(&["project", "remove", "--force", "project"]).ok();
    assert_eq!(listed(), Vec::<String>::new());
    assert_eq!(project.agents()[0]["state"], "running", "its agent runs on");
}

/// What a link leads to is somebody else's.
#[test]
fn a_link_called_pu_is_no_project() {
    let world = World::new();
    let project = world.project(SPECS);
    let trap = world.repo("trap", SPECS);
    std::os::unix::fs::symlink(project.root().join(".pu"), trap.root().join(".pu")).unwrap();
    for args in [
        &["init", "--json"][..],
        &["spawn", "--json", "--root", "--no-context", "--command", "true", "x"],
        &["context", "explain", "--json", AUTH_TASK],
        &["spec", "list", "--json"],
        &["project", "add", "--json"],
    ] {
        let error = world.pu(args).cwd(trap.root()).output().fails(4, "path_outside_project");
        assert!(error["message"].as_str().unwrap().contains("trap/.pu"), "{error}");
    }
    assert_eq!(world.health()["projects"], 1);
    assert_eq!(project.history(), Vec::<Value>::new());
}

#[test]
fn a_worktree_made_by_hand_belongs_to_its_project() {
    let world = World::new();
    let project = world.project(SPECS);
    project.git(["worktree", "add", "-q", "-b", "hand", "../hand"]);
    let report = world.pu(["init", "--json"]).cwd(world.root().join("hand")).output().json();
    assert_eq!(report["root"], project.root().to_str().unwrap(), "{report}");
    assert_eq!(world.health()["projects"], 1);
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
