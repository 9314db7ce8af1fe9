//! What the demonstration plays on: a folder of its own with a git project and a PurePoint home, and a way to run `pu`
//! there as a user would.
//!
//! Touches nothing outside its folder; clears it away whatever happened, unless it is to be kept.

use crate::connection::Connection;
use crate::failure::Failure;
use crate::screen::{self, Style};
use pu_protocol::layout::HomeLayout;
use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// PurePoint's own specs are the project's.
const SPECS: &[(&str, &str)] = &[
    ("daemon-engine.md", include_str!("../../../specs/daemon-engine.md")),
    ("ipc.md", include_str!("../../../specs/ipc.md")),
    ("context-assembly.md", include_str!("../../../specs/context-assembly.md")),
    ("plugins.md", include_str!("../../../specs/plugins.md")),
    ("agent-execution.md", include_str!("../../../specs/agent-execution.md")),
    ("storage.md", include_str!("../../../specs/storage.md")),
    ("recovery.md", include_str!("../../../specs/recovery.md")),
];

/// In a folder with a longer path the socket of the story's agent might have none that every system takes.
const PLACE_MAX: usize = 40;

pub(super) struct Stage {
    folder: TempDir,
    program: PathBuf,
    quiet: bool,
    keep: bool,
    style: Style,
    interrupted: Arc<AtomicBool>,
    checks: RefCell<Vec<String>>,
    cleared: Cell<bool>,
}

impl Stage {
    pub(super) fn build(quiet: bool, keep: bool) -> Result<Self, Failure> {
        let place = place();
        let folder = tempfile::Builder::new()
            .prefix("pu-demo-")
            .disable_cleanup(keep)
            .tempdir_in(&place)
            .map_err(|e| Failure::io("make a folder in", place, e))?;
        let program = std::env::current_exe().map_err(|e| Failure::io("find", "this program", e))?;
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|e| Failure::io("watch for signals of", "this process", e))?;
        }
        let (checks, cleared, style) = (RefCell::default(), Cell::new(false), Style::of_stdout());
        let stage = Self { folder, program, quiet, keep, style, interrupted, checks, cleared };
        stage.make_project()?;
        Ok(stage)
    }

    fn make_project(&self) -> Result<(), Failure> {
        let specs = self.project().join("specs");
        for folder in [&self.home(), &specs] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|e| Failure::io("create", folder, e))?;
        }
        for (name, text) in SPECS {
            create(&specs.join(name), text.as_bytes())?;
        }
        create(&self.project().join("README.md"), b"# A project to try PurePoint on\n")?;
        self.git(&["init", "--quiet", "--initial-branch=main"])?;
        self.git(&["add", "."])?;
        self.git(&["commit", "--quiet", "--message", "Specs"])
    }

    /// Git with an author and without the user's configuration, which may ask for signatures or hooks.
    fn git(&self, args: &[&str]) -> Result<(), Failure> {
        let mut command = command("git");
        command.args(["-c", "user.name=PurePoint", "-c", "user.email=demo@localhost"]).args(args);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").current_dir(self.project());
        let output = command.output().map_err(|e| Failure::Demo(format!("cannot run git: {e}")))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(Failure::Demo(format!("git {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr)))),
        }
    }

    pub(super) fn project(&self) -> PathBuf {
        self.folder.path().join("shop")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Runs `pu`, showing the command and what it prints.
    pub(super) fn pu(&self, args: &[&str]) -> Result<(), Failure> {
        self.note(&format!("$ pu {}", line(args)))?;
        let output = self.run(args)?;
        if !self.quiet {
            screen::write_out(&output.stdout)?;
            screen::write_out(&output.stderr)?;
        }
        self.accept(args, output).map(|_| ())
    }

    /// Runs `pu` for its answer as JSON, silently.
    pub(super) fn ask(&self, args: &[&str]) -> Result<Value, Failure> {
        let bytes = self.bytes(&[&["--json"], args].concat())?;
        serde_json::from_slice(&bytes).map_err(|e| Failure::Demo(format!("`pu --json {}`: {e}", args.join(" "))))
    }

    /// Runs `pu` for what it prints, silently.
    pub(super) fn bytes(&self, args: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = self.run(args)?;
        Ok(self.accept(args, output)?.stdout)
    }

    /// Whether `pu` says no.
    pub(super) fn fails(&self, args: &[&str]) -> Result<bool, Failure> {
        Ok(!self.run(args)?.status.success())
    }

    fn run(&self, args: &[&str]) -> Result<Output, Failure> {
        if self.interrupted.load(Ordering::Relaxed) && !self.cleared.get() {
            return Err(Failure::Demo("interrupted".into()));
        }
        let mut command = command(&self.program);
        command.args(args).current_dir(self.project()).stdin(Stdio::null());
        command.env("PU_HOME", self.home()).env_remove("PU_SOCKET").env_remove("PU_AGENT_ID");
        command.output().map_err(|e| Failure::io("run", &self.program, e))
    }

    fn accept(&self, args: &[&str], output: Output) -> Result<Output, Failure> {
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or_default();
        Err(Failure::Demo(format!("`pu {}` ended with {}: {first}", line(args), output.status)))
    }

    /// Whether something answers at the home's socket.
    pub(super) fn daemon_listens(&self) -> bool {
        Connection::open(&HomeLayout::new(self.home()).daemon_socket()).is_ok()
    }

    pub(super) fn chapter(&self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { screen::say(&format!("\n{}", self.style.bold(text))) }
    }

    pub(super) fn note(&self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { screen::say(&self.style.dim(text)) }
    }

    /// A promise: kept, it is told; broken, the demonstration has failed.
    pub(super) fn check(&self, promise: &str, kept: bool) -> Result<(), Failure> {
        if !kept {
            return Err(Failure::Demo(format!("this does not hold: {promise}")));
        }
        self.checks.borrow_mut().push(promise.to_owned());
        if self.quiet { Ok(()) } else { screen::say(&format!("{} {promise}", self.style.good("✓"))) }
    }

    pub(super) fn checks(&self) -> Vec<String> {
        self.checks.borrow().clone()
    }

    /// Ends agent and daemon and removes the folder. Done once.
    pub(super) fn clear(&self) -> Result<(), Failure> {
        if self.cleared.replace(true) {
            return Ok(());
        }
        // Only `pu` can end an agent whose daemon is dead: this starts a daemon if need be.
        let agents = HomeLayout::new(self.home()).agents();
        let any = std::fs::read_dir(agents).is_ok_and(|mut entries| entries.next().is_some());
        let killed = if any { self.run(&["kill", "--all", "--include-root"]).map(drop) } else { Ok(()) };
        let stopped = self.run(&["daemon", "stop", "--stop-agents"]).and_then(|o| self.accept(&["daemon", "stop"], o));
        if self.keep {
            self.note(&format!("kept: {}", self.folder.path().display()))?;
        }
        killed.and(stopped.map(drop))
    }
}

/// Reached without `clear` only by a panic or an early return while the stage was built.
impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.clear();
    }
}

/// A program without the variables that make git act on another repository, or as the user has it set up. Only where
/// git's own programs lie is left.
fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_") && name != "GIT_EXEC_PATH") {
        command.env_remove(name);
    }
    command
}

/// `$TMPDIR` where that is short, since a socket's path must be; else /tmp.
fn place() -> PathBuf {
    let (named, usual) = (std::env::temp_dir(), Path::new("/tmp"));
    let short = named.is_absolute() && named.is_dir() && named.as_os_str().len() <= PLACE_MAX;
    if short || !usual.is_dir() { named } else { usual.into() }
}

/// Arguments as they are shown.
fn line(args: &[&str]) -> String {
    args.iter().map(|argument| shown(argument)).collect::<Vec<_>>().join(" ")
}

/// An argument as a user would have typed it; of several lines (the agent's script) the first.
fn shown(argument: &str) -> String {
    match argument.split_once('\n') {
        Some((first, _)) => format!("'{first} …'"),
        None => shell_words::quote(argument).into_owned(),
    }
}

fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(bytes)).map_err(|e| Failure::io("write", path, e))
}

/// Makes an empty file.
pub(super) fn touch(path: &Path) -> Result<(), Failure> {
    create(path, b"")
}
