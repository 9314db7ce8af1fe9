//! `pu resume`: an agent that ended goes on, under its name, in its worktree, in its session, and never twice.

use e2e::{AUTH_TASK, Client, Project, SPECS, World, is_alive, kill, pause, read, wait_until, write};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

const FOREVER: &str = "exec sleep 1000";

/// A project whose agent `fake` says what it was started with, and has sessions as Claude Code has them: chosen by id, and
/// with a context that is dropped where one goes on.
fn project(world: &World) -> Project<'_> {
    let program = world.root().join("fake");
    write(&program, "#!/bin/sh\nfor arg; do printf '<%s>\\n' \"$arg\"; done\necho ready\nexec sleep 1000\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let project = world.project(SPECS);
    project.configure(&format!(
        "[agents.fake]\ncommand = \"{}\"\nprompt_args = [\"--\", \"{{prompt}}\"]\n\
             session_args = [\"--session-id\", \"{{session_id}}\"]\nresume_args = [\"--resume\", \"{{session_id}}\"]\n\
             delivery = \"system\"\ncontext_args = [\"--context={{context_file}}\"]\n\
             context_args_unless = [\"--resume\"]\n",
        program.display()
    ));
    project.plugins_are_ready();
    project
}

#[track_caller]
fn spawn(project: &Project<'_>, name: &str, more: &[&str]) -> Value {
    let args = ["spawn", "--json", "--agent", "fake", "--name", name, AUTH_TASK];
    let report = project.pu(args.iter().chain(more)).output().json();
    project.wrote(name, "ready");
    report
}

/// The one agent that a resume answers.
#[track_caller]
fn resume(project: &Project<'_>, args: &[&str]) -> Value {
    let report = project.pu(["resume", "--json"].iter().chain(args)).output().json();
    assert_eq!((report["resumed"].as_array().unwrap().len(), &report["failed"]), (1, &json!([])), "{report:#}");
    report["resumed"][0].clone()
}

#[track_caller]
fn end(project: &Project<'_>, name: &str) {
    project.pu(["kill", name]).output().ok();
}

fn session_of(world: &World, report: &Value) -> String {
    let launch = world.home().agent(report["agent_id"].as_str().unwrap()).launch();
    let launch: Value = serde_json::from_str(&read(launch)).unwrap();
    launch["commit"]["agent"]["session_id"].as_str().unwrap_or_else(|| panic!("{launch:#}")).to_owned()
}

/// Nothing runs any more, and the records of these agents are those of another boot of the machine.
fn reboot(world: &World, reports: &[&Value]) {
    world.crash_daemon();
    // The shims first: one that lives would see how its agent ends.
    for pid in world.shims().into_iter().chain(world.processes().into_iter().map(|(pid, _)| pid)) {
        kill(pid, Signal::SIGKILL);
        world.gone(pid);
    }
    for report in reports {
        let agent = world.home().agent(report["agent_id"].as_str().unwrap());
        for path in [agent.launch(), agent.shim()] {
            let mut record: Value = serde_json::from_str(&read(&path)).unwrap();
            record["boot_id"] = "of-yesterday".into();
            write(&path, record.to_string());
        }
    }
}

/// The main job: what was killed goes on where it was, and what it wrote before is still to be read.
#[test]
fn a_killed_agent_goes_on_in_its_worktree_and_its_session() {
    let world = World::new();
    let project = project(&world);
    let before = spawn(&project, "fix", &[]);
    let session = session_of(&world, &before);
    end(&project, "fix");

    let after = resume(&project, &["fix"]);
    assert_ne!(after["agent_id"], before["agent_id"]);
    assert_eq!(after["resumes"], before["agent_id"]);
    for same in ["name", "agent", "worktree", "branch", "project_root"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!((&after["session_id"], &after["context_changed"]), (&json!(session), &json!(false)), "{after:#}");
    assert_eq!(after["delivery"], "session", "it is not told twice what it knows");
    assert_eq!(session_of(&world, &after), session, "the next resume finds it too");
    let said = project.wrote("fix", "ready").replace("\r\n", "\n");
    assert_eq!(said, format!("<--resume>\n<{session}>\nready\n"), "no message is sent unasked");
    let earlier = project.output(before["agent_id"].as_str().unwrap()).0;
    assert!(String::from_utf8_lossy(&earlier).contains(AUTH_TASK), "its first life's output stays");

    let rows = project.manifest()["agents"].clone();
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["agent_id"]), (1, &after["agent_id"]), "{rows}");
    assert_eq!(rows[0]["resumes"], before["agent_id"]);
    let kinds: Vec<Value> = project.history().iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["spawned", "ended", "spawned"]);
    let shown = project.pu(["status"]).output().ok().stdout();
    assert!(shown.contains("resumed"), "{shown}");

    // A second time, by the same name, which now means the second life.
    end(&project, "fix");
    assert_eq!(resume(&project, &["fix"])["resumes"], after["agent_id"]);
    end(&project, "fix");
    project.pu(["clean", "--yes", "fix"]).output().ok();
    assert_eq!(project.agents(), Vec::<Value>::new(), "it is cleaned with its earlier lives");
    assert!(!project.worktree("fix").exists());
}

/// The specs have changed: it is told so, the program gets what is new by a way that it does not drop, and a person sees
/// what is different.
#[test]
fn what_its_context_has_more_is_shown_and_handed_over() {
    let world = World::new();
    let project = project(&world);
    spawn(&project, "fix", &[]);
    end(&project, "fix");
    let more = "---\nid: TOKENS\n---\n# The race of two requests that refresh the same token\n\nThe loser waits.\n";
    project.write("specs/tokens.md", more);
    let shown = project.pu(["resume", "fix", "--prompt", "go on"]).output().ok().stdout();
    assert!(shown.contains("more") && shown.contains("TOKENS"), "{shown}");
    let said = project.wrote("fix", "ready");
    let context = project.worktree("fix").join(".pu/run").join(id_of(&project, "fix")).join("context.md");
    assert!(read(&context).contains("The loser waits"));
    assert!(said.contains(&context.display().to_string()) && said.contains("go on>"), "{said}");
    assert!(said.contains("<--resume>") && !said.contains(AUTH_TASK), "{said}");
}

fn id_of(project: &Project<'_>, name: &str) -> String {
    project.running(name)["agent_id"].as_str().unwrap().to_owned()
}

/// Without a session it begins anew, with its task and all that it was spawned with.
#[test]
fn what_has_no_session_begins_anew_with_its_task() {
    let world = World::new();
    let project = project(&world);
    spawn(&project, "fix", &["--agent-args", "--model big"]);
    write(project.worktree("fix").join("half.txt"), "half done\n");
    end(&project, "fix");
    let anew = resume(&project, &["fix", "--fresh", "--prompt", "and test it"]);
    assert!(anew["session_id"].is_null() && anew["fresh_because"].is_string(), "{anew:#}");
    let said = project.wrote("fix", "ready").replace("\r\n", "\n");
    assert_eq!(read(project.worktree("fix").join("half.txt")), "half done\n");
    assert!(said.contains("<--model>\n<big>\n") && said.contains("--context="), "{said}");
    assert!(said.contains(&format!("<{AUTH_TASK}\n\nand test it>")), "{said}");

    project.spawn("shell", &format!("echo $PU_PROMPT; {FOREVER}"), &["--root", "count to three"]);
    project.wrote("shell", "count to three");
    end(&project, "shell");
    let again = resume(&project, &["shell"]);
    assert!(again["worktree"].is_null() && again["fresh_because"].is_string(), "{again:#}");
    project.wrote("shell", "count to three");
}

/// Whoever asks: one agent goes on once.
#[test]
fn no_agent_goes_on_twice() {
    let world = World::new();
    let project = project(&world);
    let report = spawn(&project, "fix", &[]);
    project.pu(["resume", "--json", "fix"]).output().fails(4, "agent_running");
    end(&project, "fix");
    let all: Vec<_> = (0..6).map(|_| project.pu(["resume", "--json", "fix"]).start()).collect();
    let codes: Vec<_> = all.into_iter().map(|one| one.finish().code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [Some(0), Some(4)].contains(code)), "{codes:?}");
    let live: Vec<_> = project.agents().into_iter().filter(|agent| agent["state"] == "running").collect();
    assert_eq!(live.len(), 1, "{live:?}");
    let old = report["agent_id"].as_str().unwrap();
    let error = project.pu(["resume", "--json", old]).output().fails(4, "agent_running");
    assert!(error["message"].as_str().unwrap().contains(live[0]["agent_id"].as_str().unwrap()), "{error}");
}

/// What cannot go on leaves everything as it was, and the reason is told.
#[test]
fn a_resume_that_fails_leaves_nothing() {
    let world = World::new();
    let project = project(&world);
    spawn(&project, "fix", &[]);
    end(&project, "fix");
    wait_until("its shim is gone", || world.shims().is_empty().then_some(()));
    let before = project.traces();
    project.pu(["resume", "--json", "nobody"]).output().fails(3, "agent_not_found");
    let (program, away) = (world.root().join("fake"), world.root().join("away"));
    std::fs::rename(&program, &away).unwrap();
    project.pu(["resume", "--json", "fix"]).output().fails(3, "command_not_found");
    // The program is there and cannot be run: that is found out by the shim, after everything was made.
    write(&program, "#!/nonexistent/interpreter\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_ne!(project.pu(["resume", "--json", "fix"]).output().code(), Some(0));
    wait_until("nothing is left", || (project.traces() == before).then_some(()));
    std::fs::rename(&away, &program).unwrap();
    assert_eq!(resume(&project, &["fix"])["name"], "fix", "it can still go on");
    end(&project, "fix");
    project.git(["worktree", "remove", "--force", ".pu/worktrees/fix"]);
    let error = project.pu(["resume", "--json", "fix"]).output().fails(3, "worktree_not_found");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("git worktree add .pu/worktrees/fix pu/fix"), "{hint}");
    project.git(["worktree", "add", "-q", ".pu/worktrees/fix", "pu/fix"]);
    assert_eq!(resume(&project, &["fix"])["branch"], "pu/fix", "what the hint says helps");
}

/// Called by its name and by its id, it is one agent.
#[test]
fn an_agent_that_is_named_twice_goes_on_once() {
    let world = World::new();
    let project = project(&world);
    let before = spawn(&project, "fix", &[]);
    end(&project, "fix");
    let after = resume(&project, &["fix", "fix", before["agent_id"].as_str().unwrap()]);
    assert_eq!(after["resumes"], before["agent_id"]);
}

/// Killed somewhere within a resume: the agent goes on once, or can be resumed once more.
#[test]
fn a_daemon_killed_within_a_resume_leaves_it_whole_or_undone() {
    let world = World::new();
    let project = project(&world);
    spawn(&project, "fix", &[]);
    end(&project, "fix");
    for round in 0..4_u64 {
        let daemon = world.daemon();
        let resuming = project.pu(["resume", "--json", "fix"]).start();
        pause(Duration::from_millis(12 * round));
        kill(daemon, Signal::SIGKILL);
        let _ = resuming.finish();
        world.gone(daemon);
        // Until it is known whether its shim comes, its name is taken.
        wait_until("it goes on or can be resumed", || {
            let output = project.pu(["resume", "--json", "fix"]).output();
            let agents = project.agents();
            let live: Vec<Value> = agents.into_iter().filter(|agent| agent["state"] == "running").collect();
            assert!(live.len() <= 1, "{live:#?}");
            (output.code() == Some(0) || !live.is_empty()).then_some(())
        });
        wait_until("only its shim is left", || (world.shims().len() == 1).then_some(()));
        let rows = project.manifest()["agents"].as_array().unwrap().len();
        assert_eq!(rows, 1);
        assert!(project.worktree("fix").join(".git").exists() && project.branches().contains(&"pu/fix".to_owned()));
        end(&project, "fix");
    }
    let folders = std::fs::read_dir(world.home().agents()).unwrap().count();
    assert_eq!(folders, project.agents().len(), "every folder is an agent's");
}

/// After a reboot nothing runs: `--all` brings back those that the reboot took, and nobody else.
#[test]
fn all_that_a_reboot_took_go_on() {
    let world = World::new();
    let project = project(&world);
    let lost = spawn(&project, "lost", &[]);
    spawn(&project, "ended", &[]);
    end(&project, "ended");
    project.spawn("done", "exit 0", &[]);
    project.ended("done");
    reboot(&world, &[&lost]);
    assert_eq!(project.agent("lost")["state"], "lost");
    let doctor = project.pu(["doctor"]).output().stdout();
    assert!(doctor.contains("pu resume --all"), "{doctor}");
    let report = project.pu(["resume", "--all", "--json"]).output().json();
    assert_eq!((report["resumed"].as_array().unwrap().len(), &report["failed"]), (1, &json!([])), "{report:#}");
    assert_eq!(report["resumed"][0]["resumes"], lost["agent_id"]);
    project.running("lost");
    let none = project.pu(["resume", "--all", "--json"]).output().json();
    assert_eq!(none["resumed"], json!([]), "nobody else, and nobody twice");
}

/// A project whose files somebody holds on to: its own agents wait for it, and nobody else's.
#[test]
fn a_project_that_hangs_holds_up_no_other() {
    let world = World::new();
    let project = project(&world);
    let fix = spawn(&project, "fix", &[]);
    let hung = world.repo("hung", &[]);
    world.pu(["init"]).cwd(hung.root()).output().ok();
    let args = ["spawn", "--json", "--root", "--no-context", "-n", "stuck", "--command", FOREVER];
    let stuck = world.pu(args).cwd(hung.root()).output().json();
    reboot(&world, &[&fix, &stuck]);
    let lock = std::fs::File::options().write(true).open(hung.root().join(".pu/manifest.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(resume(&project, &["fix"])["resumes"], fix["agent_id"]);
    let state = || world.pu(["status", "--json"]).cwd(hung.root()).output().json()["agents"][0]["state"].clone();
    assert_eq!(state(), "starting", "nobody has waited for the other one");
    drop(lock);
    wait_until("it is known what became of the other one", || (state() == "lost").then_some(()));
}

/// The user named the session himself: it is that one which goes on, and by our arguments only.
#[test]
fn a_session_that_its_user_named_goes_on() {
    let world = World::new();
    let project = project(&world);
    let before = spawn(&project, "fix", &["--agent-args", "--session-id my-own --model big"]);
    assert_eq!(session_of(&world, &before), "my-own");
    let said = project.wrote("fix", "ready");
    assert_eq!((said.matches("my-own").count(), said.matches("--session-id").count()), (1, 1), "{said}");
    end(&project, "fix");
    let after = resume(&project, &["fix"]);
    assert_eq!(after["session_id"], "my-own", "{after:#}");
    let said = project.wrote("fix", "ready").replace("\r\n", "\n");
    assert_eq!(said, "<--resume>\n<my-own>\n<--model>\n<big>\nready\n");
    end(&project, "fix");
    let anew = resume(&project, &["fix", "--fresh"]);
    let said = project.wrote("fix", "ready");
    assert!(!said.contains("my-own") && said.contains(&session_of(&world, &anew)), "{said}");
}

/// Two agents whose user gave them one session: they go on one after the other, never together.
#[test]
fn of_two_agents_with_one_session_one_goes_on_at_a_time() {
    let world = World::new();
    let project = project(&world);
    for name in ["one", "two"] {
        spawn(&project, name, &["--no-context", "--agent-args", "--session-id shared"]);
        end(&project, name);
    }
    let told = project.pu(["resume", "--json", "one", "two"]).output();
    let report: Value = serde_json::from_str(told.stdout().trim()).unwrap_or_else(|e| panic!("{e}: {told}"));
    let (goes_on, refused) = (&report["resumed"][0], &report["failed"][0]);
    assert!(report["resumed"][1].is_null() && report["failed"][1].is_null(), "{report:#}");
    assert_eq!(refused["code"], "agent_running", "{refused}");
    let holder = goes_on["name"].as_str().unwrap();
    assert!(refused["message"].as_str().unwrap().contains(&format!("{holder} (")), "{refused}");
    let other = refused["agent"].as_str().unwrap();
    let error = project.pu(["resume", "--json", other]).output().fails(4, "agent_running");
    assert!(error["message"].as_str().unwrap().contains(goes_on["agent_id"].as_str().unwrap()), "{error}");
    end(&project, holder);
    assert_eq!(resume(&project, &[other])["session_id"], "shared");
}

/// A daemon that was told to end its agents has noted whom it ended: they can all go on, and only they.
#[test]
fn agents_that_ended_with_their_daemon_go_on_together() {
    let world = World::new();
    let project = project(&world);
    for name in ["one", "two"] {
        spawn(&project, name, &[]);
    }
    spawn(&project, "killed", &[]);
    end(&project, "killed");
    world.pu(["daemon", "stop", "--stop-agents"]).output().ok();
    let stopped = project.manifest()["stopped"].clone();
    assert_eq!(stopped.as_array().unwrap().len(), 2, "{stopped}");
    world.daemon();
    assert!(
        project.agents().iter().all(|agent| agent["state"] == "killed"),
        "a standalone daemon starts nobody unasked"
    );
    let report = project.pu(["resume", "--all", "--json"]).output().json();
    let names: Vec<&Value> = report["resumed"].as_array().unwrap().iter().map(|agent| &agent["name"]).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(project.manifest()["stopped"].is_null(), "{}", project.manifest());
}

/// An application that is closed and opened again finds its agents at work.
#[test]
fn a_managed_daemon_saves_its_agents_and_the_next_one_resumes_them() {
    let world = World::new();
    // Writes the configuration by a daemon of its own, which then makes room.
    let project = project(&world);
    world.pu(["daemon", "stop"]).output().ok();
    let managed = || {
        let application = world.program("pu-engine").args(["--managed"]).start();
        wait_until("the managed daemon listens", || Client::try_connect(&world.home().daemon_socket()).ok());
        application
    };
    let first = managed();
    let before = spawn(&project, "fix", &[]);
    let session = session_of(&world, &before);
    project.spawn("shell", &format!("echo once >> ran; {FOREVER}"), &["--root"]);
    let ran = || std::fs::read_to_string(project.root().join("ran")).unwrap_or_default();
    wait_until("the shell command runs", || (ran() == "once\n").then_some(()));
    assert_eq!(world.client().ask(&json!({"type": "shutdown"}))["stopped_agents"], 2);
    first.finish().ok();
    world.gone(i32::try_from(before["pid"].as_i64().unwrap()).unwrap());

    let second = managed();
    let agent = wait_until("it goes on by itself", || {
        project.agents().into_iter().find(|agent| agent["resumes"] == before["agent_id"])
    });
    assert!(is_alive(i32::try_from(agent["pid"].as_i64().unwrap()).unwrap()));
    assert!(project.wrote("fix", "ready").contains(&session), "in its session");
    let error = project.pu(["resume", "--all", "--json"]).output().fails(4, "agent_ended");
    assert!(error["hint"].as_str().unwrap().contains("pu resume shell"), "{error}");
    assert_eq!(
        (ran().as_str(), &project.agent("shell")["state"]),
        ("once\n", &json!("killed")),
        "unasked it runs once"
    );
    assert_eq!(world.client().ask(&json!({"type": "shutdown"}))["stopped_agents"], 1);
    second.finish().ok();
}
