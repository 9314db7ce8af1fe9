//! `pu kill`: an agent ends with everything that it started, and nothing else does.

use e2e::{World, is_alive, wait_until};
use serde_json::Value;

const FOREVER: &str = "exec sleep 1000";

#[test]
fn a_killed_agent_is_ended_and_recorded() {
    let world = World::new();
    let project = world.project(&[]);
    let pid = pid(&project.spawn("worker", "echo hello; exec sleep 1000", &[]));
    project.wrote("worker", "hello");
    let report = project.pu(["kill", "--json", "worker"]).output().json();
    assert_eq!(
        (&report["killed"][0]["name"], &report["killed"][0]["signal"]),
        (&"worker".into(), &"SIGTERM".into()),
        "{report}"
    );
    assert!(!is_alive(pid));
    let agent = project.agent("worker");
    assert_eq!((&agent["state"], &agent["signal"]), (&"killed".into(), &"SIGTERM".into()));
    assert_eq!(project.output("worker").0, b"hello\r\n", "its output stays");
    assert!(project.worktree("worker").exists(), "its worktree stays");
    project.pu(["kill", "--json", "worker"]).output().fails(4, "agent_ended");
    project.pu(["kill", "--json", "nobody"]).output().fails(3, "agent_not_found");
    wait_until("its shim is gone too", || world.processes().is_empty().then_some(()));
}

#[test]
fn one_that_ignores_sigterm_is_killed_after_the_grace() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("stubborn", "trap '' TERM INT HUP; echo ready; while :; do sleep 1; done", &["--root"]);
    project.wrote("stubborn", "ready");
    let report = project.pu(["kill", "--json", "--grace", "200", "stubborn"]).output().json();
    assert_eq!(report["killed"][0]["signal"], "SIGKILL", "{report}");
    wait_until("no process is left", || world.processes().is_empty().then_some(()));
}

/// One that tidies up on SIGTERM is given the time, and its own exit code counts.
#[test]
fn one_that_tidies_up_is_let_finish() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn(
        "tidy",
        "trap 'sleep 0.1; echo tidied; exit 12' TERM; echo ready; while :; do sleep 0.05; done",
        &["--root"],
    );
    project.wrote("tidy", "ready");
    let report = project.pu(["kill", "--json", "--grace", "20000", "tidy"]).output().json();
    assert_eq!(report["killed"][0]["code"], 12, "{report}");
    assert!(String::from_utf8_lossy(&project.output("tidy").0).contains("tidied"));
}

/// Children in sessions of their own are not in the agent's group: they are found all the same.
#[test]
#[cfg(target_os = "linux")]
fn children_that_left_the_group_are_ended_too() {
    let world = World::new();
    let project = world.project(&[]);
    let pids = world.root().join("pids");
    let command = format!(
        "setsid sh -c 'echo $$ >> {0}; setsid sh -c \"trap \\\"\\\" TERM HUP; echo \\$\\$ >> {0}; while :; do sleep 1; done\" & sleep 1000' & \
         (sleep 1000 & echo $! >> {0}); echo ready; exec sleep 1000",
        pids.display()
    );
    project.spawn("parent", &command, &["--root"]);
    project.wrote("parent", "ready");
    let noted = wait_until("all children have said who they are", || {
        let text = std::fs::read_to_string(&pids).unwrap_or_default();
        let noted: Vec<i32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        (noted.len() == 3).then_some(noted)
    });
    assert!(noted.iter().all(|&pid| is_alive(pid)));
    project.pu(["kill", "--grace", "200", "parent"]).output().ok();
    wait_until("no child is left", || noted.iter().all(|&pid| !is_alive(pid)).then_some(()));
    wait_until("no process is left", || world.processes().is_empty().then_some(()));
}

/// A child that outlives its agent's own end was not asked to go: it is named, not killed.
#[test]
#[cfg(target_os = "linux")]
fn what_an_ended_agent_left_running_is_named() {
    let world = World::new();
    let project = world.project(&[]);
    let up = world.root().join("up");
    // It ends only when the child has left its session: before that, the end of the terminal's session is the child's too.
    let command = format!(
        "setsid sh -c 'echo > {0}; exec sleep 1000' < /dev/null > /dev/null 2>&1 & \
         until [ -e {0} ]; do sleep 0.01; done",
        up.display()
    );
    project.spawn("leaver", &command, &["--root"]);
    let agent = project.ended("leaver");
    let left = agent["left_running"].as_array().unwrap_or_else(|| panic!("{agent}")).clone();
    assert_eq!(left.len(), 1, "{agent}");
    let child = i32::try_from(left[0].as_i64().unwrap()).unwrap();
    assert!(is_alive(child));
    e2e::kill(child, nix::sys::signal::Signal::SIGKILL);
}

#[test]
fn all_spares_the_root_unless_it_is_included() {
    let world = World::new();
    let project = world.project(&[]);
    let other = world.repo("other", &[]);
    for (name, place) in [("a", &[][..]), ("b", &[]), ("c", &["-w", "a"]), ("root", &["--root"])] {
        project.spawn(name, FOREVER, place);
    }
    let args = ["spawn", "--json", "-n", "elsewhere", "--no-context", "--command", FOREVER];
    let elsewhere = pid(&world.pu(args).cwd(other.root()).output().json());
    assert_eq!(names(&project.pu(["kill", "--json", "-w", "a"]).output().json()), ["a", "c"]);
    assert_eq!(names(&project.pu(["kill", "--json", "--all"]).output().json()), ["b"]);
    assert_eq!(project.agent("root")["state"], "running");
    assert_eq!(names(&project.pu(["kill", "--json", "--all", "--include-root"]).output().json()), ["root"]);
    assert!(is_alive(elsewhere), "another project's agents are not meant");
    assert_eq!(names(&project.pu(["kill", "--json", "--all"]).output().json()), [""; 0]);
    project.pu(["kill", "--json", "-w", "nowhere"]).output().fails(3, "worktree_not_found");
}

/// Several by name: those that can be ended are, and those that cannot are told.
#[test]
fn one_wrong_name_does_not_save_the_others() {
    let world = World::new();
    let project = world.project(&[]);
    project.spawn("a", FOREVER, &["--root"]);
    let output = project.pu(["kill", "--json", "a", "nobody"]).output();
    assert_eq!(output.code(), Some(3), "{output}");
    assert!(output.stdout().contains("\"a\"") && output.stderr().contains("nobody"), "{output}");
    assert_eq!(project.agent("a")["state"], "killed");
}

/// Nothing is killed by somebody who did not say whom.
#[test]
fn it_must_be_said_whom() {
    let world = World::new();
    assert_eq!(world.pu(["kill"]).output().code(), Some(2));
    assert_eq!(world.pu(["kill", "--include-root"]).output().code(), Some(2));
    assert_eq!(world.pu(["kill", "a", "--all"]).output().code(), Some(2));
}

fn pid(report: &Value) -> i32 {
    report["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_else(|| panic!("no pid in {report}"))
}

fn names(report: &Value) -> Vec<&str> {
    report["killed"].as_array().unwrap().iter().map(|killed| killed["name"].as_str().unwrap()).collect()
}
