//! A spawn that fails, step by step: nothing of it is left, whichever step it was.

use e2e::{AUTH_TASK, Output, Project, SPECS, World, wait_until, write};
use std::fs::File;

/// Its command line stays the same as long as it runs, which an `exec` would change.
const FOREVER: &str = "echo ready; read x";

/// Spawns, expects this failure, and compares everything that a spawn can leave with what was there before.
#[track_caller]
fn leaves_nothing(project: &Project<'_>, exit_code: i32, error_code: &str, spawn: impl FnOnce() -> Output) {
    let before = project.traces();
    let output = spawn();
    output.fails(exit_code, error_code);
    // A process that was ended may take a moment to be gone.
    wait_until("nothing is left", || {
        let after = project.traces();
        (after == before).then_some(())
    });
}

/// A project with an agent that runs and must not be touched by somebody else's failure.
fn busy_project(world: &World) -> Project<'_> {
    let project = world.project(SPECS);
    project.spawn("bystander", FOREVER, &[]);
    project.wrote("bystander", "ready");
    project
}

#[test]
fn requests_that_cannot_be_are_refused_before_anything_is_made() {
    let world = World::new();
    let project = busy_project(&world);
    for (more, exit_code, error_code) in [
        (&["--base", "no-such-branch"][..], 3, "unknown_base"),
        (&["--base=--upload-pack=x"], 3, "unknown_base"),
        (&["--spec", "NOPE-1"], 3, "spec_not_found"),
        (&["-w", "nowhere"], 3, "worktree_not_found"),
    ] {
        leaves_nothing(&project, exit_code, error_code, || project.try_spawn("new", FOREVER, more));
    }
    for name in ["bystander", "BYSTANDER"] {
        leaves_nothing(&project, 4, "name_taken", || project.try_spawn(name, FOREVER, &[]));
    }
    for name in ["../up", "a/b", "-x", ".hidden", "with blank", "x.lock", "", "ünï"] {
        leaves_nothing(&project, 2, "invalid_name", || project.try_spawn(name, FOREVER, &[]));
    }
}

/// A branch or folder that the user has is theirs: it is never overwritten to make room.
#[test]
fn what_the_user_has_is_not_overwritten() {
    let world = World::new();
    let project = busy_project(&world);
    project.git(["branch", "pu/mine"]);
    write(project.worktree("theirs").join("note"), "keep me");
    leaves_nothing(&project, 4, "name_taken", || project.try_spawn("mine", FOREVER, &[]));
    leaves_nothing(&project, 4, "name_taken", || project.try_spawn("theirs", FOREVER, &[]));
    project.git(["branch", "pu/deep/er"]);
    leaves_nothing(&project, 4, "name_taken", || project.try_spawn("deep", FOREVER, &[]));
}

#[test]
fn an_agent_that_is_not_installed_is_told_with_how_to_get_it() {
    let world = World::new();
    let project = busy_project(&world);
    leaves_nothing(&project, 3, "command_not_found", || {
        let output = project.pu(["spawn", "--json", "-a", "claude", AUTH_TASK]).output();
        assert!(output.stderr().contains("npm install"), "{output}");
        output
    });
    leaves_nothing(&project, 3, "unknown_agent_type", || project.pu(["spawn", "--json", "-a", "nobody", "x"]).output());
    project.configure("[agents.ghost]\ncommand = \"/nonexistent/ghost\"\n");
    leaves_nothing(&project, 3, "command_not_found", || project.pu(["spawn", "--json", "-a", "ghost", "x"]).output());
    // Whether this one is there is known once there is a worktree.
    project.configure("[agents.ghost]\ncommand = \"./tools/ghost\"\n");
    leaves_nothing(&project, 3, "command_not_found", || project.pu(["spawn", "--json", "-a", "ghost", "x"]).output());
}

/// It is there and can be executed, and the system refuses to: known only when the shim tries.
#[test]
fn a_program_that_does_not_start_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let project = busy_project(&world);
    let program = world.root().join("broken");
    write(&program, "#!/nonexistent/interpreter\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    project.configure(&format!("[agents.broken]\ncommand = \"{}\"\n", program.display()));
    for place in [&["--root"][..], &[]] {
        let before = project.traces();
        let output = project.pu(["spawn", "--json", "-a", "broken", "x"].iter().chain(place)).output();
        assert_ne!(output.code(), Some(0), "{output}");
        wait_until("nothing is left", || (project.traces() == before).then_some(()));
    }
}

/// Without its `.git`, git would speak there of the repository around it.
#[test]
fn a_worktree_that_is_none_any_more_is_not_joined() {
    let world = World::new();
    let project = world.project(SPECS);
    project.spawn("first", "true", &[]);
    project.ended("first");
    std::fs::remove_file(project.worktree("first").join(".git")).unwrap();
    leaves_nothing(&project, 3, "worktree_not_found", || {
        project.try_spawn("second", FOREVER, &["-w", "first", AUTH_TASK])
    });
}

#[test]
fn a_worktree_that_cannot_be_made_leaves_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    write(project.root().join(".pu/worktrees"), "a file in the way");
    let before = project.traces();
    let output = project.try_spawn("new", FOREVER, &[]);
    assert_ne!(output.code(), Some(0), "{output}");
    assert!(output.stderr().contains(".pu/worktrees"), "the path is named: {output}");
    assert_eq!(project.traces(), before);
}

/// The repository's own hook refuses: git's words are told, and what git made by then is taken away.
#[test]
fn a_failing_hook_of_the_repository_leaves_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let project = busy_project(&world);
    let hook = project.root().join(".git/hooks/post-checkout");
    write(&hook, "#!/bin/sh\necho refused by the hook >&2\nexit 1\n");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    leaves_nothing(&project, 1, "git_failed", || {
        let output = project.try_spawn("new", FOREVER, &[]);
        assert!(output.stderr().contains("refused by the hook"), "{output}");
        output
    });
}

/// The worktree is made by then: it goes again, and its branch with it.
#[test]
fn files_that_cannot_be_handed_over_take_the_worktree_with_them() {
    let world = World::new();
    let project = busy_project(&world);
    project.write(".pu/run", "a file where the agent's folder should be");
    project.git(["add", "-f", ".pu/run"]);
    project.commit("in the way");
    leaves_nothing(&project, 1, "io", || project.try_spawn("new", FOREVER, &[AUTH_TASK]));
    leaves_nothing(&project, 1, "io", || project.try_spawn("new", FOREVER, &["--root", AUTH_TASK]));
}

/// A tracked symbolic link must not lead a written file out of the project.
#[test]
fn a_link_out_of_the_project_is_not_followed() {
    let world = World::new();
    let project = busy_project(&world);
    let outside = world.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, project.root().join(".pu/run")).unwrap();
    project.git(["add", "-f", ".pu/run"]);
    project.commit("a trap");
    let before = project.traces();
    for place in [&["--root"][..], &[]] {
        let output = project.try_spawn("new", FOREVER, &[place, &[AUTH_TASK]].concat());
        assert_ne!(output.code(), Some(0), "{output}");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "something was written outside");
    }
    assert_eq!(project.traces(), before);
}

#[test]
fn an_agents_folder_that_cannot_be_made_leaves_nothing() {
    let world = World::new();
    let project = world.project(SPECS);
    let _ = std::fs::remove_dir(world.home().agents());
    write(world.home().agents(), "a file in the way");
    let before = project.traces();
    let output = project.try_spawn("new", FOREVER, &[AUTH_TASK]);
    output.fails(1, "io");
    assert_eq!(project.traces(), before);
}

/// The daemon's shim is missing, says nothing, or says nonsense.
#[test]
fn a_shim_that_does_not_start_leaves_nothing() {
    for shim in ["/nonexistent/pu-shim", "/bin/false", "/bin/echo"] {
        let world = World::new();
        let project = world.project(SPECS);
        world.pu(["daemon", "stop"]).output().ok();
        world.pu(["health"]).env("PU_SHIM", shim).output().ok();
        for place in [&["--root"][..], &[]] {
            leaves_nothing(&project, 1, "launch_failed", || {
                project.try_spawn("new", FOREVER, &[place, &[AUTH_TASK]].concat())
            });
        }
    }
}

/// The agent runs by then: it is ended again, since an agent that is in no record is one that nobody finds.
#[test]
fn a_record_that_cannot_be_written_ends_the_agent_again() {
    for file in ["manifest.json", "history.jsonl", "manifest.lock"] {
        let world = World::new();
        let project = world.project(SPECS);
        let marker = world.root().join("ran");
        let command = format!("touch {}; {FOREVER}", marker.display());
        let blocked = project.root().join(".pu").join(file);
        let _ = std::fs::remove_file(&blocked);
        std::fs::create_dir(&blocked).unwrap();
        let before = traces_but_records(&project);
        for place in [&["--root"][..], &[]] {
            let args = ["spawn", "--json", "-a", "terminal", "-n", "new", "--command", &command, AUTH_TASK];
            // Where the manifest is locked, the records wait until the agent has run.
            let locked = (file == "manifest.json").then(|| lock(&project));
            let spawning = project.pu(args.iter().chain(place)).start();
            if let Some(locked) = locked {
                wait_until("the agent has run", || marker.exists().then_some(()));
                std::fs::remove_file(&marker).unwrap();
                drop(locked);
            }
            let output = spawning.finish();
            assert_ne!(output.code(), Some(0), "{file}: {output}");
            assert!(output.stderr().contains(file), "the path is named: {output}");
            wait_until("nothing is left", || (traces_but_records(&project) == before).then_some(()));
        }
        std::fs::remove_dir(&blocked).unwrap();
        project.spawn("new", FOREVER, &[AUTH_TASK]);
    }
}

/// The lock under which the manifest is written.
fn lock(project: &Project<'_>) -> File {
    let path = project.root().join(".pu/manifest.lock");
    let file = File::options().create(true).truncate(false).write(true).open(path).unwrap();
    file.lock().unwrap();
    file
}

/// As [`Project::traces`], but for whether the files of records exist: what is in the manifest is compared all the same,
/// and the history, a log of what happened, may tell of a spawn that failed.
fn traces_but_records(project: &Project<'_>) -> e2e::Traces {
    let mut traces = project.traces();
    traces.forget(".pu/history.jsonl");
    traces.forget(".pu/manifest.json");
    traces
}

#[test]
fn without_git_only_worktrees_are_refused() {
    let world = World::new();
    let project = world.project(SPECS);
    world.pu(["daemon", "stop"]).output().ok();
    let bare = world.root().join("bin");
    std::fs::create_dir(&bare).unwrap();
    for tool in ["sh", "cat", "sleep"] {
        std::os::unix::fs::symlink(format!("/bin/{tool}"), bare.join(tool)).unwrap();
    }
    let spawn = |place: &[&str]| {
        let args = ["spawn", "--json", "-n", "new", "--command", "echo ready; sleep 1000"];
        project.pu(args.iter().chain(place)).env("PATH", &bare).output()
    };
    let error = spawn(&[]).fails(3, "git_missing");
    assert!(error["hint"].as_str().unwrap().contains("--root"), "{error}");
    assert_eq!(project.branches(), ["main"]);
    assert_eq!(spawn(&["--root"]).json()["worktree"], serde_json::Value::Null);
    project.wrote("new", "ready");
}

#[test]
fn a_repository_without_a_commit_is_told_what_to_do() {
    let world = World::new();
    let folder = world.root().join("empty");
    std::fs::create_dir(&folder).unwrap();
    world.program("git").args(["init", "-q"]).cwd(&folder).output().ok();
    let spawn =
        |place: &[&str]| world.pu(["spawn", "--json", "--command", "true"].iter().chain(place)).cwd(&folder).output();
    let error = spawn(&[]).fails(3, "not_a_git_repository");
    assert!(error["hint"].as_str().unwrap().contains("commit"), "{error}");
    spawn(&["--root"]).ok();
}

/// Too long for any way in which this agent could be told: refused, never cut.
#[test]
fn a_prompt_that_does_not_fit_is_refused_whole() {
    let world = World::new();
    let project = busy_project(&world);
    let prompt = "p".repeat(200_000);
    leaves_nothing(&project, 2, "invalid_prompt", || {
        project.pu(["spawn", "--json", "-n", "new", "--command", FOREVER, "-"]).stdin(prompt).output()
    });
}
