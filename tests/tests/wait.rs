//! `pu wait`: until an agent has ended, with its exit code.

use e2e::{World, wait_until, write};

#[test]
fn it_ends_with_the_agents_own_exit_code() {
    let world = World::new();
    let project = world.project(&[]);
    for (name, command, code) in [
        ("fine", "true", 0),
        ("seven", "exit 7", 7),
        ("signalled", "kill -KILL $$", 137),
        ("missing", "no-such-program", 127),
    ] {
        project.spawn(name, command, &["--root"]);
        assert_eq!(project.pu(["wait", name]).output().code(), Some(code), "{name}");
        assert_eq!(project.pu(["wait", name]).output().code(), Some(code), "{name}, asked again");
    }
    assert_eq!(project.pu(["wait", "signal"]).output().code(), Some(137), "by the beginning of its name");
    let told = project.pu(["wait", "--json", "signalled"]).output();
    assert!(told.stdout().contains("\"SIGKILL\""), "{told}");
}

/// It waits for the fact, and a daemon that dies meanwhile does not matter.
#[test]
fn it_outlives_the_daemon() {
    let world = World::new();
    let project = world.project(&[]);
    let go = world.root().join("go");
    let command = format!("until [ -e {} ]; do sleep 0.02; done; exit 7", go.display());
    project.spawn("worker", &command, &["--root"]);
    let before = world.daemon();
    let waiting = project.pu(["wait", "worker"]).start();
    world.crash_daemon();
    wait_until("the waiting pu has started a daemon", || world.daemons().iter().find(|&&pid| pid != before).copied());
    write(go, "");
    assert_eq!(waiting.finish().code(), Some(7));
}

#[test]
fn it_gives_up_when_told_to() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("worker", "exec sleep 1000", &["--root"]);
    project.pu(["wait", "--json", "--timeout", "0.2", "worker"]).output().fails(124, "timed_out");
    project.pu(["wait", "--json", "nobody"]).output().fails(3, "agent_not_found");
}
