//! A daemon that dies takes no agent with it: each is there afterwards, with every byte and its exit status.

use e2e::{World, becomes_whole, is_alive, kill, pause, read, wait_until, write};
use nix::sys::signal::Signal;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::time::Duration;

/// Numbers from a seed, so that a run that failed can be run again.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn checksum(line: u64) -> u64 {
    (line * 7919 + 13) % 1_000_003
}

/// Writes numbered lines with a checksum, in bursts, until `stop` is there; then says how many and ends with 3.
fn writer(stop: &Path) -> String {
    format!(
        "i=0; while [ ! -e {} ]; do n=0; while [ $n -lt 50 ]; do echo \"$i $(( (i * 7919 + 13) % 1000003 ))\"; \
         i=$((i+1)); n=$((n+1)); done; sleep 0.01; done; echo \"END $i\"; exit 3",
        stop.display()
    )
}

/// Everything that a writer has written, as its terminal passes it on.
fn wanted(lines: u64) -> Vec<u8> {
    let mut text: String = (0..lines).map(|i| format!("{i} {}\r\n", checksum(i))).collect();
    text.push_str(&format!("END {lines}\r\n"));
    text.into_bytes()
}

fn count_of(output: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(output);
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("END ").unwrap_or_else(|| panic!("it ends in {last:?}")).trim().parse().unwrap()
}

/// Agents that write all the time, a daemon that is killed again and again at moments that mean nothing to it: while it
/// serves, while it starts, while it takes up its agents.
#[test]
fn no_byte_is_lost_however_often_the_daemon_is_killed() {
    const AGENTS: usize = 5;
    const KILLS: u64 = 5;
    let world = World::new();
    let project = world.project(&[]);
    let stop = world.root().join("stop");
    let names: Vec<String> = (0..AGENTS).map(|i| format!("writer-{i}")).collect();
    for name in &names {
        project.spawn(name, &writer(&stop), &["--root", "--no-context"]);
    }
    let mut chance = Seeded(20_260_101);
    for round in 0..KILLS {
        let daemon = world.daemon();
        if round % 2 == 0 {
            pause(Duration::from_millis(chance.below(150)));
            kill(daemon, Signal::SIGKILL);
            world.gone(daemon);
        } else {
            kill(daemon, Signal::SIGKILL);
            world.gone(daemon);
            let starting = world.pu(["health"]).start();
            pause(Duration::from_millis(chance.below(60)));
            for starter in world.daemons() {
                kill(starter, Signal::SIGKILL);
            }
            let _ = starting.finish();
        }
    }
    assert_eq!(project.agents().len(), AGENTS);
    for name in &names {
        project.running(name);
    }
    write(&stop, "");
    for name in &names {
        let agent = project.ended(name);
        assert_eq!((&agent["state"], &agent["code"]), (&"exited".into(), &3.into()), "{agent}");
        let (output, gap) = project.output(name);
        assert_eq!(gap, None, "{name}");
        let wanted = wanted(count_of(&output));
        assert_eq!(
            Sha256::digest(&output),
            Sha256::digest(&wanted),
            "{name}: {} bytes, {} wanted",
            output.len(),
            wanted.len()
        );
    }
    assert_eq!(project.manifest()["agents"], serde_json::json!([]));
    let ends = project.history().iter().filter(|line| line["kind"] == "ended").count();
    assert_eq!(ends, AGENTS, "each end is in the history once");
}

/// It ends while no daemon lives: the next one knows how, and with what last words.
#[test]
fn an_end_that_no_daemon_saw_is_taken_in() {
    let world = World::new();
    let project = world.project(&[]);
    let stop = world.root().join("stop");
    let pid = project.spawn("writer", &writer(&stop), &["--root"])["pid"].as_i64().unwrap();
    let signalled = project.spawn("signalled", "echo hello; exec sleep 1000", &["--root"])["pid"].as_i64().unwrap();
    project.wrote("signalled", "hello");
    world.crash_daemon();
    write(&stop, "");
    kill(i32::try_from(signalled).unwrap(), Signal::SIGUSR1);
    wait_until("both shims are gone", || world.shims().is_empty().then_some(()));
    assert!(!is_alive(i32::try_from(pid).unwrap()));
    assert!(world.daemons().is_empty(), "no daemon saw it");

    let agent = project.ended("writer");
    assert_eq!((&agent["state"], &agent["code"]), (&"exited".into(), &3.into()), "{agent}");
    let (output, gap) = project.output("writer");
    assert_eq!((output.as_slice(), gap), (wanted(count_of(&output)).as_slice(), None));
    let agent = project.ended("signalled");
    assert_eq!((&agent["state"], &agent["signal"]), (&"exited".into(), &"SIGUSR1".into()), "{agent}");
    assert_eq!(project.history().iter().filter(|line| line["kind"] == "ended").count(), 2);
}

/// The moment after a spawn was answered: nothing of it may be in the daemon's memory only.
#[test]
fn a_daemon_killed_right_after_a_spawn_loses_nothing() {
    let world = World::new();
    let project = world.project(&[]);
    for round in 0..3 {
        let name = format!("agent-{round}");
        let report = project.spawn(&name, "echo hello; exec sleep 1000", &[]);
        for daemon in world.daemons() {
            kill(daemon, Signal::SIGKILL);
            world.gone(daemon);
        }
        let agent = project.running(&name);
        assert_eq!(agent["pid"], report["pid"], "{agent}");
        project.wrote(&name, "hello");
        project.pu(["kill", &name]).output().ok();
        assert_eq!(project.agent(&name)["state"], "killed");
    }
}

/// Killed somewhere within a spawn: the agent is there whole, in every record, or not at all.
#[test]
fn a_daemon_killed_within_a_spawn_leaves_it_whole_or_undone() {
    let world = World::new();
    let project = world.project(&[]);
    let mut chance = Seeded(7);
    // One is let be, so that there is always one that was answered.
    project.spawn("agent-0", "exec sleep 1000", &["--no-context"]);
    let mut answered = 1;
    for round in 1..=6 {
        let daemon = world.daemon();
        let name = format!("agent-{round}");
        let args = ["spawn", "--json", "--no-context", "-n", &name, "--command", "exec sleep 1000"];
        let spawning = project.pu(args).start();
        pause(Duration::from_millis(chance.below(80)));
        kill(daemon, Signal::SIGKILL);
        answered += usize::from(spawning.finish().code() == Some(0));
        world.gone(daemon);
    }
    world.daemon();
    becomes_whole(&world, &project);
    assert!(project.agents().len() >= answered, "an agent that was answered is missing");
}

/// Killed while git makes the worktree, which goes on without it: the next daemon finds what was begun and takes it back.
#[test]
fn a_worktree_that_was_being_made_is_taken_back() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let project = world.project(&[]);
    let (begun, go) = (world.root().join("begun"), world.root().join("go"));
    let hook = project.root().join(".git/hooks/post-checkout");
    write(&hook, format!("#!/bin/sh\n: > {}\nuntil [ -e {} ]; do sleep 0.02; done\n", begun.display(), go.display()));
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let args = ["spawn", "--no-context", "-n", "worker", "--command", "exec sleep 1000"];
    let daemon = world.daemon();
    let spawning = project.pu(args).start();
    wait_until("git is at it", || begun.exists().then_some(()));
    assert!(project.worktree("worker").exists());
    kill(daemon, Signal::SIGKILL);
    assert_eq!(spawning.finish().code(), Some(5));
    world.gone(daemon);
    write(go, "");
    project.try_spawn("worker", "true", &[]).fails(4, "name_taken");
    becomes_whole(&world, &project);
    assert_eq!(project.branches(), ["main"]);
    assert!(!project.worktree("worker").exists());
    std::fs::remove_file(hook).unwrap();
    project.spawn("worker", "true", &[]);
}

/// The power fails while git makes the worktree: no shim of that boot comes any more, so it is taken back at once, and is no
/// agent that was lost. One that had come to its row is lost, whatever else the power failure took of its records.
#[test]
fn a_spawn_that_a_power_failure_cut_off_is_undone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let project = world.project(&[]);
    let real = project.spawn("real", "exec sleep 1000", &["--no-context"]);
    let begun = world.root().join("begun");
    let hook = project.root().join(".git/hooks/post-checkout");
    write(&hook, format!("#!/bin/sh\n: > {}\nwhile :; do sleep 0.02; done\n", begun.display()));
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let daemon = world.daemon();
    let spawning = project.pu(["spawn", "--no-context", "-n", "cut-off", "--command", "exec sleep 1000"]).start();
    wait_until("git is at it", || begun.exists().then_some(()));
    assert!(project.worktree("cut-off").exists());
    kill(daemon, Signal::SIGKILL);
    assert_eq!(spawning.finish().code(), Some(5));
    world.gone(daemon);
    // The shims first: one that lives would see how its agent ends.
    for pid in world.shims().into_iter().chain(world.processes().into_iter().map(|(pid, _)| pid)) {
        kill(pid, Signal::SIGKILL);
        world.gone(pid);
    }
    let agents = || std::fs::read_dir(world.home().agents()).unwrap().map(|entry| entry.unwrap().path());
    for folder in agents() {
        let launch = folder.join("launch.json");
        let mut record: serde_json::Value = serde_json::from_str(&read(&launch)).unwrap();
        record["boot_id"] = "of-yesterday".into();
        write(&launch, record.to_string());
    }
    let real = world.home().agent(real["agent_id"].as_str().unwrap());
    for path in [real.shim(), real.committed()] {
        let _ = std::fs::remove_file(path);
    }
    std::fs::remove_dir_all(real.output()).unwrap();

    let names: Vec<String> = project.agents().iter().map(|agent| agent["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["real"]);
    assert_eq!(project.agent("real")["state"], "lost");
    wait_until("it is taken back", || (agents().count() == 1).then_some(()));
    assert_eq!(project.branches(), ["main", "pu/real"]);
    assert!(!project.worktree("cut-off").exists() && project.worktree("real").exists());
    assert_eq!(project.manifest()["agents"], serde_json::json!([]));
}

/// What is in the agents' folder and is no agent of ours is listed and left alone.
#[test]
fn what_is_not_recognised_is_listed_and_left() {
    let world = World::new();
    let project = world.project(&[]);
    let strange = world.home().agents().join("strange");
    write(strange.join("launch.json"), "{\"agent_id\":\"other\"}");
    write(world.home().agents().join("broken/launch.json"), "{\"agent");
    project.spawn("worker", "exec sleep 1000", &["--root"]);
    let daemon = world.daemon();
    world.crash_daemon();
    // But for what the last daemon was just removing.
    let leaving = world.home().agents().join(format!(".0a1b2c3d.{daemon}-7.tmp"));
    write(leaving.join("output/00000000000000000000"), "hello");
    let report = project.pu(["status", "--json"]).output().json();
    assert_eq!(report["agents"][0]["name"], "worker");
    let listed = report["unrecognised"].to_string();
    assert!(!leaving.exists() && !listed.contains("0a1b2c3d"), "{report}");
    assert!(listed.contains("strange") && listed.contains("broken"), "{report}");
    assert!(strange.join("launch.json").exists());
}

/// A damaged manifest is set aside, not erased, and the agents are still there: their own records say so.
#[test]
fn a_damaged_manifest_costs_no_agent() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("worker", "echo hello; exec sleep 1000", &[]);
    world.crash_daemon();
    project.write(".pu/manifest.json", "{\"version\":1,\"agen");
    project.running("worker");
    project.spawn("another", "exec sleep 1000", &["--root"]);
    let names =
        std::fs::read_dir(project.root().join(".pu")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let kept: Vec<String> = names.filter(|name| name.starts_with("manifest.json.damaged-")).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
}

/// A shim that was killed itself cannot say how its agent ended: that is a state of its own, not a guess.
#[test]
fn a_killed_shim_is_an_unknown_end_and_no_exit() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("worker", "echo hello; exec sleep 1000", &["--root"]);
    project.wrote("worker", "hello");
    let shims = world.shims();
    assert_eq!(shims.len(), 1);
    kill(shims[0], Signal::SIGKILL);
    let agent = wait_until("the agent is no longer running", || {
        let agent = project.agent("worker");
        (agent["state"] != "running").then_some(agent)
    });
    assert!(["link_lost", "exit_unknown"].contains(&agent["state"].as_str().unwrap()), "{agent}");
    assert!(agent.get("code").is_none() && agent["reason"].as_str().is_some_and(|r| !r.is_empty()), "{agent}");
    assert_eq!(project.output("worker").0, b"hello\r\n", "its output stays");
}
