//! One run of a program: what it is given, what it said, how it ended.
//!
//! No run lasts for ever: one that hangs is killed and fails the test with what it had said until then.

use crate::wait::{LIMIT, wait_within};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A run that is being put together.
#[must_use]
pub struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
    limit: Duration,
}

impl Run {
    pub(crate) fn new(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, stdin: None, limit: LIMIT }
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn cwd(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self.command.stdin(Stdio::piped());
        self
    }

    /// Lets it take this long, where it does the work of many runs.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    pub fn output(self) -> Output {
        self.start().finish()
    }

    /// Starts it and lets it run.
    pub fn start(mut self) -> Running {
        let args: Vec<_> = self.command.get_args().collect();
        let folder = self.command.get_current_dir().unwrap_or(Path::new("."));
        let line = format!("{:?} {args:?} in {}", self.command.get_program(), folder.display());
        let mut child = self.command.spawn().unwrap_or_else(|e| panic!("cannot start {line}: {e}"));
        if let (Some(text), Some(mut stdin)) = (self.stdin, child.stdin.take()) {
            // A program that does not read its input closes it; that is its right.
            std::thread::spawn(move || drop(stdin.write_all(&text)));
        }
        let stdout = collect(child.stdout.take().expect("a pipe"));
        let stderr = collect(child.stderr.take().expect("a pipe"));
        Running { line, child, stdout, stderr, limit: self.limit }
    }
}

/// A program that runs.
pub struct Running {
    line: String,
    child: Child,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
    limit: Duration,
}

impl Running {
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Output {
        let what = format!("{} ends", self.line);
        let status = wait_within(self.limit, &what, || self.child.try_wait().expect("its status"));
        let Self { line, stdout, stderr, .. } = &mut self;
        let gather = |pipe: &Receiver<Vec<u8>>, name: &str| {
            let mut text = Vec::new();
            loop {
                match pipe.recv_timeout(LIMIT) {
                    Ok(piece) => text.extend(piece),
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return text,
                    Err(_) => panic!("{line} ended and something it started holds its {name} open"),
                }
            }
        };
        Output { status, stdout: gather(stdout, "stdout"), stderr: gather(stderr, "stderr"), line: line.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut piece = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = pipe.read(&mut piece) {
            if sender.send(piece[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What came of a run.
#[derive(Debug)]
#[must_use = "check how it ended: .ok(), .code(), .fails()"]
pub struct Output {
    line: String,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output {
    /// It ended with success.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        assert!(self.status.success(), "{self}");
        self
    }

    /// It failed with this exit code, and (with `--json`) told this stable error code. Answers the error.
    #[track_caller]
    pub fn fails(&self, exit_code: i32, error_code: &str) -> Value {
        let error: Value = serde_json::from_str(self.stderr().trim()).unwrap_or_else(|e| panic!("{e}: {self}"));
        assert_eq!(error["code"], error_code, "{self}");
        assert_eq!(self.status.code(), Some(exit_code), "{self}");
        error
    }

    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.status.success(), "{self}");
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("not one JSON value ({e}): {self}"))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.stdout
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |text: String| text.chars().take(4000).collect::<String>();
        write!(
            f,
            "{} ended with {}\nstdout: {}\nstderr: {}",
            self.line,
            self.status,
            shown(self.stdout()),
            shown(self.stderr())
        )
    }
}
