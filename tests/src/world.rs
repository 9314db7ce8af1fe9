//! A world of one test: a short folder with a home, a `PU_HOME` and projects, and the environment that goes with it.
//!
//! Invariant: when a world ends, none of its processes is left, or the test fails.

use crate::cli::Run;
use crate::processes::{self, Found};
use crate::project::Project;
use crate::repo::{Repo, read, write};
use crate::socket::Client;
use crate::wait::wait_until;
use crate::{kill, programs, warm};
use nix::sys::signal::Signal;
use pu_protocol::layout::HomeLayout;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Agents that ignore SIGTERM (interactive shells do) are not waited for longer than this.
/// Nor is a plugin skipped because the machine is busy.
const CONFIG: &str = "[terminal]\nkill_grace_ms = 1000\n\n[context]\ndeadline_ms = 5000\n";

pub struct World {
    /// Removed last of all.
    _folder: TempDir,
    /// The same without symbolic links, as the programs will name it.
    root: PathBuf,
}

impl World {
    /// A world without a daemon or a project, in which the plugins that come with the program need no compiler any more.
    pub fn new() -> Self {
        let world = Self::cold();
        warm::seed(world.home().root());
        world
    }

    /// A world in which PurePoint never ran.
    pub fn cold() -> Self {
        let folder = tempfile::Builder::new().prefix("pu-").rand_bytes(6).tempdir_in("/tmp").expect("a folder in /tmp");
        let root = std::fs::canonicalize(folder.path()).expect("the folder");
        std::fs::create_dir(root.join("h")).expect("a home");
        let world = Self { _folder: folder, root };
        write(world.home().config(), CONFIG);
        world
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `PU_HOME`.
    pub fn home(&self) -> HomeLayout {
        HomeLayout::new(self.root.join("p"))
    }

    /// A program of ours, or one on the world's PATH, in the world's environment.
    pub fn command(&self, program: &str) -> Command {
        let ours = programs::folder().join(program);
        let mut command = Command::new(if ours.is_file() { ours } else { program.into() });
        command.env_clear().envs(self.environment()).current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// No variable of the caller's gets in, but for `PU_LOG`.
    pub fn environment(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        let mut all: Vec<(&'static str, std::ffi::OsString)> = vec![
            ("HOME", self.root.join("h").into()),
            ("PU_HOME", self.home().root().into()),
            ("PATH", path()),
            ("SHELL", "/bin/sh".into()),
            ("TERM", "xterm-256color".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
            ("GIT_CONFIG_SYSTEM", "/dev/null".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ];
        for who in ["AUTHOR", "COMMITTER"] {
            let (name, email) = if who == "AUTHOR" {
                ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL")
            } else {
                ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
            };
            all.push((name, "Test".into()));
            all.push((email, "test@example.invalid".into()));
        }
        all.extend(std::env::var_os("PU_LOG").map(|level| ("PU_LOG", level)));
        all
    }

    pub fn program(&self, program: &str) -> Run {
        Run::new(self.command(program))
    }

    /// `pu` with these arguments, in the world's own folder.
    pub fn pu<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        self.program("pu").args(args)
    }

    /// A connection to the daemon, which must run.
    pub fn client(&self) -> Client {
        Client::connect(&self.home().daemon_socket())
    }

    /// `pu health --json`; starts a daemon if none runs.
    pub fn health(&self) -> Value {
        self.pu(["health", "--json"]).output().json()
    }

    /// The pid of the daemon, which is started if it does not run.
    pub fn daemon(&self) -> i32 {
        self.health()["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).expect("a pid")
    }

    /// The end of a daemon as a crash is: SIGKILL, and nothing tidied up.
    pub fn crash_daemon(&self) {
        let pid = self.daemon();
        kill(pid, Signal::SIGKILL);
        wait_until("the killed daemon is gone", || (!processes::is_alive(pid)).then_some(()));
    }

    /// Waits until a process is gone.
    #[track_caller]
    pub fn gone(&self, pid: i32) {
        wait_until(&format!("process {pid} is gone"), || (!processes::is_alive(pid)).then_some(()));
    }

    /// A git repository with these specs, which is a project, everything committed.
    pub fn project(&self, specs: &[(&str, &str)]) -> Project<'_> {
        let repo = self.repo("project", specs);
        self.pu(["init"]).cwd(repo.root()).output().ok();
        repo.commit("a project");
        Project::new(self, repo)
    }

    /// A git repository with these files in one commit, which no one has made a project.
    pub fn repo(&self, name: &str, files: &[(&str, &str)]) -> Repo {
        let repo = Repo::new(self.environment(), self.root.join(name));
        repo.write("README.md", "# A repository\n");
        for (path, text) in files {
            repo.write(path, text);
        }
        repo.commit("the beginning");
        repo
    }

    /// The daemons of this world that run.
    pub fn daemons(&self) -> Vec<i32> {
        self.named("pu-engine")
    }

    /// The shims of this world that run.
    pub fn shims(&self) -> Vec<i32> {
        self.named("pu-shim")
    }

    fn named(&self, program: &str) -> Vec<i32> {
        let all = processes::of_world(&self.root);
        all.iter().filter(|found| is_program(found, program)).map(|found| found.pid).collect()
    }

    /// All processes of this world, the daemons not counted: (pid, command line).
    pub fn processes(&self) -> Vec<(i32, String)> {
        let all = processes::of_world(&self.root).into_iter().filter(|found| !is_program(found, "pu-engine"));
        all.map(|found| (found.pid, found.line)).collect()
    }

    /// Ends what runs, in the way that a user would, and then by force. Answers what would not go.
    fn end(&self) -> Vec<Found> {
        if processes::of_world(&self.root).is_empty() {
            return Vec::new();
        }
        let stop = || self.pu(["daemon", "stop", "--stop-agents"]).output();
        let stopped = self.pu(["health"]).output().code() == Some(0) && stop().code() == Some(0);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let mut left = processes::of_world(&self.root);
        while stopped && !left.is_empty() && std::time::Instant::now() < deadline {
            crate::wait::pause(std::time::Duration::from_millis(10));
            left = processes::of_world(&self.root);
        }
        for found in &left {
            kill(found.pid, Signal::SIGKILL);
        }
        left
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let log = self.home().daemon_log();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", log.display(), tail(&log));
            for found in processes::of_world(&self.root) {
                kill(found.pid, Signal::SIGKILL);
            }
            return;
        }
        let left = self.end();
        assert!(left.is_empty(), "processes were left behind: {left:#?}\n{}", tail(&log));
        if log.exists() {
            let text = read(&log);
            assert!(!text.contains("panicked at"), "the daemon panicked:\n{text}");
        }
    }
}

fn is_program(found: &Found, program: &str) -> bool {
    let first = found.line.split(' ').next().unwrap_or_default();
    Path::new(first).file_name().is_some_and(|name| name == program)
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// The system's own folders and git's: no agent program of the developer's is found.
fn path() -> std::ffi::OsString {
    let mut folders: Vec<PathBuf> = vec!["/usr/bin".into(), "/bin".into()];
    let ours = std::env::var_os("PATH").unwrap_or_default();
    let git = std::env::split_paths(&ours).find(|folder| folder.join("git").is_file());
    folders.extend(git.filter(|folder| !folders.contains(folder)));
    std::env::join_paths(folders).expect("a PATH")
}
