//! A home of its own for each test, and a daemon that answers what the test tells it to.

use interprocess::local_socket::traits::ListenerExt as _;
use interprocess::local_socket::{GenericFilePath, Listener, ListenerOptions, Stream, ToFsName};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a test waits for anything before it fails.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct World {
    folder: TempDir,
}

/// What a finished `pu` left.
#[must_use]
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("pu-").tempdir_in("/tmp").unwrap() }
    }
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }
    pub(crate) fn socket(&self) -> PathBuf {
        self.home().join("daemon.sock")
    }
    pub(crate) fn log(&self) -> PathBuf {
        self.home().join("daemon.log")
    }

    /// `pu` with nothing of the environment in which the tests run, and no engine to start.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pu"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null()).env_clear();
        command.env("PU_HOME", self.home()).env("PU_ENGINE", self.path("no-engine")).env("PATH", "/usr/bin:/bin");
        command
    }

    pub(crate) fn pu(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    /// A program that stands for `pu-engine`.
    pub(crate) fn engine(&self, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("engine.sh");
        let mut file = std::fs::File::create(&path).unwrap();
        write!(file, "#!/bin/sh\n{script}\n").unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// As if a daemon with this pid had the lock.
    pub(crate) fn lock_is_held_by(&self, pid: u32) {
        std::fs::create_dir_all(self.home()).unwrap();
        let mut file = std::fs::File::create(self.home().join("daemon.lock")).unwrap();
        writeln!(file, "{pid}").unwrap();
    }

    /// A daemon that answers with what `answer` makes of each request.
    pub(crate) fn daemon(&self, answer: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Daemon {
        self.daemon_after(0, answer)
    }

    /// The same behind so many that were killed before they read what came.
    pub(crate) fn daemon_after(&self, killed: usize, answer: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Daemon {
        std::fs::create_dir_all(self.home()).unwrap();
        Daemon::listen(&self.socket(), killed, answer)
    }
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What the daemon does about a request.
pub(crate) enum Act {
    Say(Value),
    /// Several lines.
    SayAll(Vec<Value>),
    /// As if killed.
    HangUp,
}

pub(crate) struct Daemon {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Value>>,
    came: Condvar,
}

impl Daemon {
    fn listen(socket: &Path, killed: usize, answer: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Self {
        let listener = listen(socket);
        let shared = Arc::new(Shared::default());
        let (ours, answer) = (Arc::clone(&shared), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok).skip(killed) {
                let (shared, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, &shared, answer.as_ref()));
            }
        });
        Self { shared: ours }
    }

    /// The requests that came so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits until that many requests of a type have come.
    pub(crate) fn wait_for(&self, kind: &str, count: usize) {
        let requests = self.shared.requests.lock().unwrap();
        let enough = |all: &mut Vec<Value>| all.iter().filter(|r| r["type"] == kind).count() < count;
        let (requests, timeout) = self.shared.came.wait_timeout_while(requests, LIMIT, enough).unwrap();
        assert!(!timeout.timed_out(), "no {count} requests of type {kind}: {requests:?}");
    }
}

fn serve(stream: &Stream, shared: &Shared, answer: &dyn Fn(&Value) -> Act) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n| n > 0) {
        let request: Value = serde_json::from_str(&line).unwrap();
        line.clear();
        let act = answer(&request);
        shared.requests.lock().unwrap().push(request);
        shared.came.notify_all();
        let lines = match act {
            Act::Say(line) => vec![line],
            Act::SayAll(lines) => lines,
            Act::HangUp => return,
        };
        for line in lines {
            if writeln!(&mut &*stream, "{line}").is_err() {
                return;
            }
        }
    }
}

pub(crate) fn listen(socket: &Path) -> Listener {
    ListenerOptions::new().name(socket.to_fs_name::<GenericFilePath>().unwrap()).create_sync().unwrap()
}

/// Waits until something holds, asking again and again.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

pub(crate) fn health() -> Value {
    json!({ "type": "health_report", "pid": 42, "uptime_seconds": 5, "protocol_version": 1, "engine_version": "0.1.0",
            "projects": 1, "agent_count": 2, "of_next_year": true })
}

pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({ "type": "error", "code": code, "message": message })
}

/// An agent in the state that `state` spells out.
pub(crate) fn agent(id: &str, name: &str, state: &Value) -> Value {
    let mut agent = json!({ "agent_id": id, "name": name, "agent": "terminal", "project_root": "/work/shop",
                            "task": "a task", "created_at": "2026-01-02T03:04:05Z" });
    agent.as_object_mut().unwrap().extend(state.as_object().unwrap().clone());
    agent
}

pub(crate) fn running() -> Value {
    json!({ "state": "running", "pid": 7 })
}

pub(crate) fn exited(code: i32) -> Value {
    json!({ "state": "exited", "code": code, "ended_at": "2026-01-02T03:05:05Z" })
}

pub(crate) fn status(agents: &[Value]) -> Value {
    json!({ "type": "status_report", "agents": agents })
}
