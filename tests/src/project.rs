//! A project as its user sees it: agents started, listed, read, and what a spawn leaves on disk.

use crate::cli::{Output, Run};
use crate::library::AUTH_TASK;
use crate::processes::is_alive;
use crate::repo::Repo;
use crate::wait::wait_until;
use crate::world::World;
use pu_protocol::Answer;
use pu_protocol::answer::LogsReport;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};

pub struct Project<'w> {
    world: &'w World,
    repo: Repo,
}

impl Deref for Project<'_> {
    type Target = Repo;
    fn deref(&self) -> &Repo {
        &self.repo
    }
}

impl<'w> Project<'w> {
    pub(crate) fn new(world: &'w World, repo: Repo) -> Self {
        Self { world, repo }
    }

    /// `pu` with these arguments, in the project's root.
    pub fn pu<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.world.pu(args).cwd(self.root())
    }

    /// Starts a terminal agent with this shell command; answers the report.
    #[track_caller]
    pub fn spawn(&self, name: &str, command: &str, more: &[&str]) -> Value {
        self.try_spawn(name, command, more).json()
    }

    pub fn try_spawn(&self, name: &str, command: &str, more: &[&str]) -> Output {
        let name = format!("--name={name}");
        let args = ["spawn", "--json", "--agent", "terminal", &name, "--command", command];
        self.pu(args.iter().chain(more)).output()
    }

    /// Allows what can act in the project as it is now: what `pu init` allowed was what there was then.
    #[track_caller]
    pub fn trust(&self) {
        self.pu(["trust", "--yes"]).output().ok();
    }

    /// Writes the project's configuration, and allows what can act by it.
    #[track_caller]
    pub fn configure(&self, text: &str) {
        self.write(".pu/config.toml", text);
        self.trust();
    }

    /// The agents, as `pu status --json` has them.
    #[track_caller]
    pub fn agents(&self) -> Vec<Value> {
        let report = self.pu(["status", "--json"]).output().json();
        report["agents"].as_array().expect("a list of agents").clone()
    }

    /// The agent of this name or id; a name means its last life.
    #[track_caller]
    pub fn agent(&self, called: &str) -> Value {
        let agents = self.agents();
        let is_last = |agent: &&Value| !agents.iter().any(|other| other["resumes"] == agent["agent_id"]);
        let named = || agents.iter().filter(is_last).find(|agent| agent["name"] == called);
        let found = agents.iter().find(|agent| agent["agent_id"] == called).or_else(named);
        found.unwrap_or_else(|| panic!("no agent is called {called}")).clone()
    }

    /// Waits until the agent has ended, and answers how it is then.
    #[track_caller]
    pub fn ended(&self, called: &str) -> Value {
        wait_until(&format!("the agent {called} has ended"), || {
            let agent = self.agent(called);
            (!matches!(agent["state"].as_str(), Some("starting" | "running" | "link_lost"))).then_some(agent)
        })
    }

    /// Waits until the agent runs and the daemon has a link to it, and answers how it is then; one that has ended fails.
    #[track_caller]
    pub fn running(&self, called: &str) -> Value {
        wait_until(&format!("the agent {called} runs"), || {
            let agent = self.agent(called);
            let state = agent["state"].as_str().expect("a state");
            assert!(matches!(state, "starting" | "running" | "link_lost"), "it has ended: {agent}");
            (state == "running").then_some(agent)
        })
    }

    /// Waits until every plugin is compiled: a task that comes before goes without it.
    #[track_caller]
    pub fn plugins_are_ready(&self) {
        wait_until("no plugin is being compiled", || {
            let report = self.pu(["context", "explain", "--json", AUTH_TASK]).output().json();
            let mut parts = report["assemblers"].as_array().expect("a list of assemblers").iter();
            parts.all(|part| part["error"]["code"] != "compiling").then_some(())
        });
    }

    /// All output that is kept of an agent, and the gap before it.
    #[track_caller]
    pub fn output(&self, called: &str) -> (Vec<u8>, Option<(u64, u64)>) {
        let mut client = self.world.client();
        let (mut bytes, mut since, mut gap) = (Vec::new(), 0, None);
        loop {
            let request = json!({"type": "logs", "agent": called, "cwd": self.root(), "since": since});
            let answer = client.ask(&request);
            let Ok(Answer::LogsReport(report)) = serde_json::from_value(answer.clone()) else { panic!("{answer}") };
            let LogsReport { offset, next_offset, end, data, .. } = report;
            gap = gap.or(report.gap.map(|g| (g.from, g.to)));
            assert!(bytes.is_empty() || offset == since, "a gap in the middle: {since} to {offset}");
            bytes.extend(data.0);
            since = next_offset;
            if next_offset >= end {
                return (bytes, gap);
            }
        }
    }

    /// Waits until an agent has written this text.
    #[track_caller]
    pub fn wrote(&self, called: &str, text: &str) -> String {
        wait_until(&format!("{called} has written {text:?}"), || {
            let all = String::from_utf8_lossy(&self.output(called).0).into_owned();
            all.contains(text).then_some(all)
        })
    }

    pub fn worktree(&self, name: &str) -> PathBuf {
        self.root().join(".pu/worktrees").join(name)
    }

    #[track_caller]
    pub fn manifest(&self) -> Value {
        match std::fs::read(self.root().join(".pu/manifest.json")) {
            Ok(text) => serde_json::from_slice(&text).expect("the manifest is JSON"),
            Err(_) => Value::Null,
        }
    }

    /// The lines of the project's history.
    pub fn history(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.root().join(".pu/history.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of history is JSON")).collect()
    }

    /// Everything that a spawn can leave behind, for comparison before and after.
    pub fn traces(&self) -> Traces {
        let mut files = BTreeSet::new();
        walk(self.root(), self.root(), &mut files);
        let agents = std::fs::read_dir(self.world.home().agents()).into_iter().flatten().flatten();
        Traces {
            branches: self.branches(),
            worktrees: self.git(["worktree", "list", "--porcelain"]),
            files,
            agent_folders: agents.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect(),
            processes: self.world.processes(),
            rows: self.manifest()["agents"].as_array().cloned().unwrap_or_default(),
            listed: self.agents().len(),
        }
    }
}

/// What a spawn can leave behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    branches: Vec<String>,
    worktrees: String,
    files: BTreeSet<PathBuf>,
    agent_folders: BTreeSet<String>,
    processes: Vec<(i32, String)>,
    rows: Vec<Value>,
    listed: usize,
}

impl Traces {
    /// Whether no agent runs and no record is just being written.
    pub fn is_at_rest(&self) -> bool {
        let is_part = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "tmp");
        self.rows.is_empty() && !self.files.iter().any(is_part)
    }
}

impl Traces {
    /// Leaves one file out of the comparison.
    pub fn forget(&mut self, path: &str) {
        self.files.remove(Path::new(path));
    }

    /// Leaves processes out whose command line has this text: those that come and go all the time.
    pub fn forget_processes(&mut self, text: &str) {
        self.processes.retain(|(_, line)| !line.contains(text));
    }

    /// Leaves processes out that have ended since: one may have been ending just when it was looked.
    pub fn forget_ended(&mut self) {
        self.processes.retain(|(pid, _)| is_alive(*pid));
    }
}

/// Every path below `folder`, but git's own and the lock, which is a tool and no trace.
fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let relative = path.strip_prefix(root).expect("below the root").to_path_buf();
        if relative.starts_with(".git") || relative == Path::new(".pu/manifest.lock") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(root, &path, found);
        }
        // An empty folder that holds such things when there are any is no trace.
        let is_holder = [".pu/worktrees", ".pu/run"].iter().any(|holder| relative == Path::new(holder));
        if !is_holder || std::fs::read_dir(&path).is_ok_and(|mut inside| inside.next().is_some()) {
            found.insert(relative);
        }
    }
}
