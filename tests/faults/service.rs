//! The daemon as a service: a restart of it, or a logout, kills everything in its control group. Agents stand in scopes of
//! their own and live on.
//!
//! No systemd is needed: control groups of the test's own stand for the service and the scopes, and a program that does
//! what `systemd-run --scope` does (move into a new group, then execute) stands for that.

use crate::stage::FOREVER;
use e2e::{World, is_alive, kill, wait_until, write};
use nix::sys::signal::Signal;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A control group of this test's, with those of its agents below it.
struct Groups {
    root: PathBuf,
}

impl Groups {
    /// `None`, with the reason told, where this user cannot make any.
    fn make() -> Option<Self> {
        // The unified hierarchy, alone or beside the old ones, and those of the old ones that only sort processes.
        let places = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/pids"];
        for place in places.map(Path::new).into_iter().filter(|place| place.join("cgroup.procs").exists()) {
            let root = place.join(format!("pu-test-{}", std::process::id()));
            if std::fs::create_dir(&root).is_ok() {
                let groups = Self { root };
                // Where even an empty group takes no process, it is of no use.
                if std::fs::create_dir(groups.of("service")).is_ok() && groups.takes_a_process() {
                    return Some(groups);
                }
            }
        }
        eprintln!("SKIPPED: this user can make no control group, so no end of a service was acted out");
        None
    }

    fn takes_a_process(&self) -> bool {
        let probe = format!("echo $$ > {}", self.of("service").join("cgroup.procs").display());
        std::process::Command::new("sh").args(["-c", &probe]).output().is_ok_and(|probed| probed.status.success())
    }

    fn of(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn members(&self, name: &str) -> Vec<i32> {
        let text = std::fs::read_to_string(self.of(name).join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// What systemd does to a service that it stops: SIGKILL to all of its group, until none is left.
    fn end_service(&self) {
        wait_until("the service is ended", || {
            let members = self.members("service");
            members.iter().for_each(|pid| kill(*pid, Signal::SIGKILL));
            members.is_empty().then_some(())
        });
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for entry in std::fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let _ = std::fs::remove_dir(entry.path());
        }
        let _ = std::fs::remove_dir(&self.root);
    }
}

/// The stand-in for `systemd-run --user --scope --quiet --collect --unit=NAME -- PROGRAM ARGS`.
fn systemd_run(world: &World, groups: &Groups) -> PathBuf {
    let bin = world.root().join("bin");
    let program = bin.join("systemd-run");
    let script = format!(
        "#!/bin/sh\nfor word; do case $word in --unit=*) unit=${{word#--unit=}};; esac; shift; \
         [ \"$word\" = -- ] && break; done\nmkdir \"{root}/$unit\" && echo $$ > \"{root}/$unit/cgroup.procs\" && exec \"$@\"\n",
        root = groups.root.display()
    );
    write(&program, script);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    write(world.root().join("run/systemd/private"), "");
    bin
}

#[test]
#[cfg(target_os = "linux")]
fn agents_outlive_the_control_group_of_their_daemon() {
    let Some(groups) = Groups::make() else { return };
    let world = World::new();
    let project = world.project(&[]);
    world.pu(["daemon", "stop"]).output().ok();
    let bin = systemd_run(&world, &groups);
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let pu = world.command("pu").get_program().to_str().unwrap().to_owned();
    // The service: a shell that goes into the group and starts the daemon, which stays in it.
    let start = format!("echo $$ > {} && exec {pu} daemon start", groups.of("service").join("cgroup.procs").display());
    world.program("sh").args(["-c", &start]).output().ok();
    let daemon = world.daemon();
    assert!(groups.members("service").contains(&daemon), "the daemon is in the service's group");

    for round in 0..2 {
        let name = format!("--name=agent-{round}");
        let args = ["spawn", "--json", "--agent", "terminal", "--no-context", &name, "--command", FOREVER];
        let spawn = project.pu(args).env("PATH", &path).env("XDG_RUNTIME_DIR", world.root().join("run"));
        let report = spawn.output().json();
        let pid = i32::try_from(report["pid"].as_i64().unwrap()).unwrap();
        let name = report["name"].as_str().unwrap().to_owned();
        project.wrote(&name, "ready");
        let scope = format!("pu-agent-{}.scope", report["agent_id"].as_str().unwrap());
        assert!(groups.members(&scope).contains(&pid), "the agent is in a scope of its own");

        groups.end_service();
        assert!(world.daemons().is_empty(), "the daemon was in the service");
        assert!(is_alive(pid), "the agent was not");
        world.program("sh").args(["-c", &start]).output().ok();
        assert_eq!(project.running(&name)["pid"], pid);
        assert_eq!(project.output(&name).0, b"ready\r\n");
    }
    // Two agents, two ends of the service: both are there, and both end when they are asked to.
    assert_eq!(project.agents().len(), 2);
    project.pu(["kill", "--all"]).output().ok();
    wait_until("all agents and shims are gone", || world.processes().is_empty().then_some(()));
    world.pu(["daemon", "stop"]).output().ok();
}
