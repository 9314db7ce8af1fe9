//! The stage of a fault: a project with a bystander that writes numbered lines all the time, daemons in which rules hold,
//! and what must be true afterwards.

use e2e::{NUMBERED, Output, Project, Run, SPECS, Traces, World, kill, lines_of, numbered, wait_until, write};
use nix::sys::signal::Signal;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What an agent runs that only has to be there. Its command line stays the same, which an `exec` would change.
pub(crate) const FOREVER: &str = "echo ready; read x";

pub(crate) struct Stage<'w> {
    pub(crate) world: &'w World,
    pub(crate) project: Project<'w>,
    /// Where it is, the bystander stops.
    stop: PathBuf,
    /// Where armed programs note the points that they pass.
    pub(crate) trace: PathBuf,
}

impl<'w> Stage<'w> {
    pub(crate) fn set(world: &'w World) -> Self {
        let project = world.project(SPECS);
        let (stop, trace) = (world.root().join("stop"), world.root().join("trace"));
        // What commits teach is read now: later it would be a part of whichever spawn comes first after a while.
        project.pu(["init"]).output().ok();
        project.spawn("bystander", &numbered(&stop), &["--no-context"]);
        // What is compiled once would otherwise be a part of whichever spawn comes first.
        project.plugins_are_ready();
        Self { world, project, stop, trace }
    }

    /// Ends the daemons that run, as a crash does. Answers when nothing of them is left: a process that is a zombie by now
    /// may still have a thread that is on its way out, and with it the lock.
    pub(crate) fn no_daemon(&self) {
        for daemon in self.world.daemons() {
            kill(daemon, Signal::SIGKILL);
            self.world.gone(daemon);
        }
        if let Ok(lock) = File::open(self.world.home().daemon_lock()) {
            wait_until("the lock is free", || lock.try_lock().ok());
        }
    }

    /// Starts a daemon in which these rules hold.
    pub(crate) fn start_armed(&self, rules: &str) -> Output {
        self.armed(self.world.pu(["daemon", "start"]), rules).output()
    }

    /// A daemon in which these rules hold, in the place of whatever runs.
    #[track_caller]
    pub(crate) fn arm(&self, rules: &str) {
        self.no_daemon();
        self.start_armed(rules).ok();
        // Else some spawns would have a context and some would not.
        self.project.plugins_are_ready();
    }

    /// A daemon without rules, in the place of whatever runs.
    #[track_caller]
    pub(crate) fn disarm(&self) {
        self.no_daemon();
        self.world.daemon();
    }

    /// A run with rules in its environment, which reach what it starts.
    pub(crate) fn armed(&self, run: Run, rules: &str) -> Run {
        run.env("PU_FAULT", rules).env("PU_FAULT_TRACE", &self.trace)
    }

    /// Everything that a spawn can leave; the bystander's processes come and go and are left out.
    pub(crate) fn traces(&self) -> Traces {
        let mut traces = self.project.traces();
        traces.forget_processes(NUMBERED);
        traces
    }

    /// Waits until there is no more and no less than there was.
    #[track_caller]
    pub(crate) fn is_as(&self, before: &Traces) {
        // A process that was ended may take a moment to be gone, now as before. That the bystander lives is seen elsewhere.
        let deadline = std::time::Instant::now() + e2e::LIMIT;
        let (mut now, mut before) = (self.traces(), before.clone());
        before.forget_ended();
        while now != before && std::time::Instant::now() < deadline {
            e2e::pause(std::time::Duration::from_millis(20));
            now = self.traces();
            before.forget_ended();
        }
        assert_eq!(now, before, "all is as before");
    }

    /// The bystander runs, under the daemon that is there, and none of its lines is missing.
    #[track_caller]
    pub(crate) fn bystander_is_well(&self) {
        self.project.running("bystander");
        let (output, gap) = self.project.output("bystander");
        assert_eq!(gap, None, "of the bystander's output");
        assert!(lines_of(&output) > 0, "the bystander has written nothing");
    }

    /// The end: the bystander is let finish, and its whole output and its exit are compared with what it did.
    #[track_caller]
    pub(crate) fn end(self) {
        self.disarm();
        self.bystander_is_well();
        write(&self.stop, "");
        let agent = self.project.ended("bystander");
        assert_eq!((&agent["state"], &agent["code"]), (&"exited".into(), &3.into()), "{agent}");
        let (output, gap) = self.project.output("bystander");
        assert_eq!(gap, None, "of the bystander's output");
        let lines = lines_of(&output);
        assert!(output.ends_with(format!("END {lines}\r\n").as_bytes()), "its last line is there");
        assert_eq!(unfinished(self.world.root()), [] as [PathBuf; 0], "files that a writer left unfinished");
    }
}

/// Files that were being written when their writer died.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !path.ends_with(".git") {
            found.extend(unfinished(&path));
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && name.ends_with(".tmp") {
            found.push(path);
        }
    }
    found
}
