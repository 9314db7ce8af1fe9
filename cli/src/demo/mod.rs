//! The demonstration: a story of commands, each run as a user would run it, each promise checked.
//!
//! Uses nothing but the `pu` program and git: no back door into the daemon, no result that was written down before.

mod stage;

use crate::daemon;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::screen;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use stage::Stage;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const AGENT: &str = "storyteller";
const TASK: &str = "the daemon was killed: how does recovery adopt the agents that still run?";
/// How long anything in the story may take.
const LIMIT: Duration = Duration::from_secs(20);
const PROBE: Duration = Duration::from_millis(50);

/// What the agent does: numbered lines and the headings of its context, to the terminal and to a file; then, once the
/// daemon is dead, more of both; then it stays.
///
/// Every byte goes through `tee`, so the file has what the terminal got. `-onlcr` keeps the terminal from turning a line
/// feed into two bytes, so that both can be compared byte for byte.
const SCRIPT: &str = r#"stty -onlcr
say() { tee -a written.log; }
i=1; while [ $i -le 500 ]; do echo "before the kill: line $i"; i=$((i+1)); done | say
echo "the context begins like this:" | say
grep '^#' "$PU_CONTEXT_FILE" | head -n 12 | say
touch first-part-done
until [ -e daemon-is-dead ]; do sleep 0.05; done
i=1; while [ $i -le 500 ]; do echo "without a daemon: line $i"; i=$((i+1)); done | say
touch second-part-done
while :; do sleep 1; done"#;

pub(crate) fn run(invocation: &Invocation, keep: bool) -> Result<Outcome, Failure> {
    let stage = Stage::build(invocation.json, keep)?;
    let told = tell(&stage);
    let cleared = stage.clear();
    told.and(cleared)?;
    let checks = stage.checks();
    drop(stage);
    if invocation.json {
        screen::say(&serde_json::json!({ "type": "demo_report", "checks": checks }).to_string())?;
    } else {
        let rest = if keep { "" } else { " Nothing of this is left behind." };
        screen::say(&format!("\n{} checks, all of them hold.{rest}", checks.len()))?;
    }
    Ok(Outcome::DONE)
}

/// The story, in the order in which it is told.
fn tell(stage: &Stage) -> Result<(), Failure> {
    stage.chapter("A git project with a few specs becomes a PurePoint project.")?;
    stage.pu(&["init"])?;
    let worktree = spawn(stage)?;
    first_part(stage, &worktree)?;
    kill_daemon(stage)?;
    second_part(stage, &worktree)?;
    adopted(stage)?;
    whole_output(stage, &worktree)?;
    stage.chapter("The agent is ended, as a user would end it.")?;
    stage.pu(&["kill", AGENT])?;
    let state = stage.ask(&["status"])?;
    stage.check("the agent ended because it was asked to", agent(&state)["state"] == "killed")
}

fn spawn(stage: &Stage) -> Result<PathBuf, Failure> {
    stage.chapter("An agent is started on a task about one of the specs. Nobody says which one.")?;
    stage.pu(&["spawn", "--agent", "terminal", "--name", AGENT, "--command", SCRIPT, TASK])?;
    stage.chapter("What it was told, and why.")?;
    stage.pu(&["context", "show", AGENT])?;
    let context = stage.ask(&["context", "show", AGENT])?;
    let picks = context["picks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let right = picks.iter().any(|p| p["path"].as_str().is_some_and(|path| path.contains("recovery")));
    stage
        .check("the spec about recovery was picked, by a plugin, with a reason", right && picks.iter().all(reasoned))?;
    let worktree = agent(&stage.ask(&["status"])?)["worktree"].as_str().map(|w| stage.project().join(w));
    worktree.ok_or_else(|| Failure::Demo("the agent has no worktree".into()))
}

fn reasoned(pick: &Value) -> bool {
    let said = |key: &str| pick[key].as_str().is_some_and(|text| !text.is_empty());
    said("reason") && said("assembler")
}

fn first_part(stage: &Stage, worktree: &std::path::Path) -> Result<(), Failure> {
    until("the agent has written its first part", || worktree.join("first-part-done").exists())?;
    stage.chapter("The agent works; its output can be read at any time.")?;
    stage.pu(&["logs", AGENT, "--tail", "700"])
}

fn kill_daemon(stage: &Stage) -> Result<(), Failure> {
    stage.chapter("The daemon is killed with SIGKILL. It can save nothing and tell nobody.")?;
    let pid = daemon_pid(stage)?;
    stage.note(&format!("$ kill -KILL {pid}"))?;
    let target = Pid::from_raw(pid);
    kill(target, Signal::SIGKILL).map_err(|e| Failure::Demo(format!("cannot kill the daemon, pid {pid}: {e}")))?;
    until("the daemon is gone", || !stage.daemon_listens())?;
    stage.check("no daemon runs", stage.fails(&["daemon", "status"])?)
}

fn second_part(stage: &Stage, worktree: &std::path::Path) -> Result<(), Failure> {
    stage.chapter("The agent goes on writing, without a daemon.")?;
    stage::touch(&worktree.join("daemon-is-dead"))?;
    until("the agent has written its second part", || worktree.join("second-part-done").exists())?;
    stage.check("the agent wrote on while no daemon ran", !stage.daemon_listens())
}

fn adopted(stage: &Stage) -> Result<(), Failure> {
    stage.chapter("The next command starts a new daemon, which adopts the agent.")?;
    stage.pu(&["status"])?;
    stage.check("the agent still runs", agent(&stage.ask(&["status"])?)["state"] == "running")
}

fn whole_output(stage: &Stage, worktree: &std::path::Path) -> Result<(), Failure> {
    stage.chapter("Its output is whole: what was kept is compared with what the agent wrote to a file.")?;
    let path = worktree.join("written.log");
    let written = std::fs::read(&path).map_err(|e| Failure::io("read", path, e))?;
    // The last bytes may still be on their way from the terminal to the disk.
    let deadline = Instant::now() + LIMIT;
    let mut kept = stage.bytes(&["logs", AGENT, "--raw"])?;
    while kept.len() < written.len() && Instant::now() < deadline {
        daemon::pause(PROBE);
        kept = stage.bytes(&["logs", AGENT, "--raw"])?;
    }
    stage.note(&format!("written by the agent: {} bytes, kept: {} bytes", written.len(), kept.len()))?;
    stage.check("the output is the same, byte for byte", !written.is_empty() && kept == written)
}

fn daemon_pid(stage: &Stage) -> Result<i32, Failure> {
    let health = stage.ask(&["health"])?;
    let pid = health["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 1);
    pid.ok_or_else(|| Failure::Demo("the daemon does not say its pid".into()))
}

/// The demonstration's agent in a `status` answer.
fn agent(status: &Value) -> &Value {
    status["agents"].as_array().and_then(|all| all.iter().find(|a| a["name"] == AGENT)).unwrap_or(&Value::Null)
}

fn until(what: &str, holds: impl Fn() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        if Instant::now() > deadline {
            return Err(Failure::Demo(format!("waited {LIMIT:?} in vain: {what}")));
        }
        daemon::pause(PROBE);
    }
    Ok(())
}
