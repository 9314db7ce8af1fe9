//! Runs the `git` program: never through a shell, never longer than a limit, never on a repository that an environment
//! variable names.
//!
//! Knows nothing of worktrees or branches. A hook that hangs is killed with the git that started it; what a hook put
//! into the background on purpose is left alone.

use super::error::{AgentsError, Result};
use super::program;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Variables that tie git to one repository (`git rev-parse --local-env-vars`) or change how it reads paths.
pub(crate) const REPOSITORY_VARIABLES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// How long one git command may take, its hooks included.
const LIMIT: Duration = Duration::from_secs(60);

/// How long output is waited for after git itself has ended: a hook's background process may hold the pipe open. Where
/// none does, the pipe closes with git and nobody waits.
const DRAIN: Duration = Duration::from_secs(5);

/// So much is kept of what git and its hooks say: the names of a million files.
const OUTPUT_MAX: usize = 64 << 20;

/// How often git is looked at while it keeps its pipes open and says nothing.
const LOOK: Duration = Duration::from_millis(20);

/// The `git` program with the environment that it runs in.
#[derive(Clone)]
pub struct Git {
    program: PathBuf,
    /// Invariant: holds none of [`REPOSITORY_VARIABLES`].
    env: Vec<(OsString, OsString)>,
    limit: Duration,
}

impl std::fmt::Debug for Git {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Git").field("program", &self.program).field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// How a git command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Ended {
    /// What git had to say, for an error message: its last lines that are not advice.
    pub(crate) fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("hint:")).collect();
        let last = lines[lines.len().saturating_sub(5)..].join("; ");
        if last.is_empty() { format!("nothing ({})", self.status) } else { last }
    }
}

impl Git {
    /// The `git` on the PATH of `env`, run with `env`: the caller's environment, so that the hooks of the repository find
    /// what they need, or the daemon's own (`std::env::vars_os`) where no caller is.
    pub fn in_environment<K, V>(env: impl IntoIterator<Item = (K, V)>) -> Result<Self>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let mut env: Vec<(OsString, OsString)> = env.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        env.retain(|(name, _)| !REPOSITORY_VARIABLES.iter().any(|variable| name == variable));
        let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let program = program::find("git", path, None).ok_or(AgentsError::GitMissing)?;
        Ok(Self { program, env, limit: LIMIT })
    }

    /// The same git with another time limit.
    #[must_use]
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs git in `folder` and expects success; the answer is what it printed.
    pub(crate) fn expect<S: AsRef<OsStr>>(&self, act: &'static str, folder: &Path, args: &[S]) -> Result<Vec<u8>> {
        let ended = self.run(act, folder, args)?;
        if ended.status.success() { Ok(ended.stdout) } else { Err(failure(act, folder, &ended)) }
    }

    /// Runs git in `folder` to its end, whatever that is.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, act: &'static str, folder: &Path, args: &[S]) -> Result<Ended> {
        self.run_fed(act, folder, args, b"")
    }

    /// As [`Git::run`], with `input` (a few lines: less than a pipe holds) on its standard input.
    pub(crate) fn run_fed<S: AsRef<OsStr>>(
        &self,
        act: &'static str,
        folder: &Path,
        args: &[S],
        input: &[u8],
    ) -> Result<Ended> {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(folder).env_clear();
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        // LC_ALL: messages are matched. The other two: git asks nobody, and reading commands take no lock from an agent.
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
        let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that a hook can be killed with it.
        command.process_group(0);
        let mut child = command.spawn().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound if folder.is_dir() => AgentsError::GitMissing,
            _ => AgentsError::Io { act: "run git in", path: folder.to_owned(), source },
        })?;
        if let Some(mut pipe) = child.stdin.take() {
            // A git that ends without reading says why by its status.
            let _ = pipe.write_all(input);
        }
        let ended = supervise(child, self.limit).map_err(AgentsError::io("run git in", folder))?;
        let timed_out = || AgentsError::GitTimedOut { act, path: folder.to_owned(), limit: self.limit };
        let ended = ended.ok_or_else(timed_out)?;
        // On a Mac without developer tools /usr/bin/git is there and only says that it is not.
        if !ended.status.success() && String::from_utf8_lossy(&ended.stderr).contains("xcode-select: ") {
            return Err(AgentsError::GitMissing);
        }
        Ok(ended)
    }
}

/// The error for a git command that did not succeed.
pub(crate) fn failure(act: &'static str, folder: &Path, ended: &Ended) -> AgentsError {
    AgentsError::Git { act, path: folder.to_owned(), complaint: ended.complaint() }
}

/// Waits for `child`, at most `limit`; `None` if it had to be killed.
///
/// Read on the caller's own thread: a spawn waits for git, and threads that only hand a few bytes on cost time of theirs.
fn supervise(mut child: Child, limit: Duration) -> std::io::Result<Option<Ended>> {
    let group = Pid::from_child(&child);
    let (mut stdout, mut stderr) = (Pipe::new(child.stdout.take()), Pipe::new(child.stderr.take()));
    let in_time = wait_for_end(group, [&mut stdout, &mut stderr], Instant::now() + limit);
    if !matches!(in_time, Ok(true)) {
        // Not reaped yet, so the number still means our child. A group that is gone already is what we want.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let status = child.wait()?;
    if stdout.is_cut {
        return Err(std::io::Error::other(format!("it said more than {} MiB", OUTPUT_MAX >> 20)));
    }
    let (stdout, stderr) = (stdout.finish(), stderr.finish());
    Ok(in_time?.then_some(Ended { status, stdout, stderr }))
}

/// One of a child's pipes, and what came through it.
struct Pipe {
    /// `None` once it is closed.
    open: Option<File>,
    /// At most [`OUTPUT_MAX`] bytes: a hook may talk without end.
    read: Vec<u8>,
    is_cut: bool,
}

impl Pipe {
    fn new(pipe: Option<impl Into<OwnedFd>>) -> Self {
        Self { open: pipe.map(|pipe| File::from(pipe.into())), read: Vec::new(), is_cut: false }
    }

    /// Takes what has come. Blocks unless something has, or the pipe was closed.
    fn take(&mut self) -> std::io::Result<()> {
        let mut piece = [0u8; 16 * 1024];
        let Some(open) = &mut self.open else { return Ok(()) };
        match open.read(&mut piece) {
            Ok(0) => self.open = None,
            Ok(read) if self.read.len() + read <= OUTPUT_MAX => self.read.extend_from_slice(&piece[..read]),
            Ok(_) => self.is_cut = true,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What came. Where a background process keeps the pipe, a thread stays with it and goes on reading: that process
    /// must not get SIGPIPE.
    fn finish(self) -> Vec<u8> {
        if let Some(mut open) = self.open {
            std::thread::spawn(move || std::io::copy(&mut open, &mut std::io::sink()));
        }
        self.read
    }
}

/// Reads the pipes until they are closed and the child has ended; whether it ended before `deadline`. Its output is
/// complete then, or late by [`DRAIN`].
fn wait_for_end(child: Pid, mut pipes: [&mut Pipe; 2], deadline: Instant) -> std::io::Result<bool> {
    let mut drained = None;
    loop {
        let ended = has_ended(child)?;
        let open = pipes.iter().any(|pipe| pipe.open.is_some());
        if ended && !open {
            return Ok(true);
        }
        let until = if ended { *drained.get_or_insert_with(|| Instant::now() + DRAIN) } else { deadline };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(ended);
        }
        // A pipe says when it is closed, and a child closes its pipes a moment before it is seen to have ended.
        if !open {
            return Ok(ends_within(child, left));
        }
        read_ready(&mut pipes, left.min(LOOK))?;
    }
}

/// Waits, at most `limit`, for a child to end.
fn ends_within(child: Pid, limit: Duration) -> bool {
    let (sender, ended) = channel();
    std::thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = waitid(WaitId::Pid(child), options) {}
        // Nobody listens once the limit has passed.
        let _ = sender.send(());
    });
    ended.recv_timeout(limit).is_ok()
}

/// Waits, at most `limit`, until there is something to read, and reads it.
fn read_ready(pipes: &mut [&mut Pipe; 2], limit: Duration) -> std::io::Result<()> {
    let limit = Timespec::try_from(limit).map_err(std::io::Error::other)?;
    let ready: Vec<bool> = {
        let mut asked: Vec<PollFd<'_>> =
            pipes.iter().filter_map(|pipe| pipe.open.as_ref()).map(|open| PollFd::new(open, PollFlags::IN)).collect();
        match poll(&mut asked, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        asked.iter().map(|asked| !asked.revents().is_empty()).collect()
    };
    let open = pipes.iter_mut().filter(|pipe| pipe.open.is_some());
    open.zip(ready).filter(|(_, ready)| *ready).try_for_each(|(pipe, _)| pipe.take())
}

/// Whether a child has ended; it is not reaped: until [`Child::wait`] its number cannot mean another process.
fn has_ended(child: Pid) -> std::io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    match waitid(WaitId::Pid(child), options) {
        Ok(status) => Ok(status.is_some()),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
