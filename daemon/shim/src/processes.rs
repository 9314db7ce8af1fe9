//! The agent's processes: who they are, how they are signalled, how they are reaped.
//!
//! The only place from which a signal is sent. No process is signalled whose start time is not the one that was noted.

use std::collections::BTreeSet;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid, getpgrp};
use pu_protocol::frame::ExitStatus;
use pu_record::process::{ProcessIdentity, descendants};

/// The agent and all that it started.
#[derive(Debug)]
pub(crate) struct Processes {
    own: ProcessIdentity,
    child: ProcessIdentity,
    /// Those seen when the end was asked for and since; kept because one whose parent dies may drop out of sight.
    noted: BTreeSet<ProcessIdentity>,
}

impl Processes {
    pub(crate) fn new(own: ProcessIdentity, child: ProcessIdentity) -> Self {
        Self { own, child, noted: BTreeSet::new() }
    }

    /// Those that are alive now, the agent's first process included.
    pub(crate) fn alive(&mut self) -> Vec<ProcessIdentity> {
        self.noted.extend(descendants(self.own));
        self.noted.extend(descendants(self.child));
        self.noted.insert(self.child);
        self.noted.retain(ProcessIdentity::is_alive);
        self.noted.iter().copied().collect()
    }

    /// Asks all to end, each once: by group where the group is the agent's own, else one by one. SIGCONT follows,
    /// because a stopped process does not see SIGTERM.
    pub(crate) fn terminate(&mut self) {
        let alive = self.alive();
        let pids: BTreeSet<i32> = alive.iter().map(|p| p.pid).chain([self.child.pid]).collect();
        let (groups, singles) = self.targets(&alive, &pids);
        for signal in [Signal::SIGTERM, Signal::SIGCONT] {
            for group in &groups {
                // It may have ended since: then there is nothing to do.
                let _ = killpg(*group, signal);
            }
            for process in singles.iter().filter(|p| p.is_alive()) {
                let _ = kill(Pid::from_raw(process.pid), signal);
            }
        }
    }

    /// Groups that a process of the agent leads or led, and those of `alive` that are in none of them.
    fn targets(&self, alive: &[ProcessIdentity], pids: &BTreeSet<i32>) -> (BTreeSet<Pid>, Vec<ProcessIdentity>) {
        let mut groups = BTreeSet::new();
        let mut singles = Vec::new();
        for process in alive {
            match getpgid(Some(Pid::from_raw(process.pid))) {
                Ok(group) if group != getpgrp() && pids.contains(&group.as_raw()) => {
                    groups.insert(group);
                }
                _ => singles.push(*process),
            }
        }
        (groups, singles)
    }

    /// Ends all that are left, whether they want to or not.
    pub(crate) fn kill(&mut self) {
        for process in self.alive() {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
    }
}

/// Reaps all children that have ended, adopted ones too. How `child` ended, if it is among them.
pub(crate) fn reap(child: i32) -> Option<ExitStatus> {
    let mut how = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid.as_raw() == child => how = Some(ExitStatus::Exited { code }),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid.as_raw() == child => {
                how = Some(ExitStatus::Signaled { signal: signal as i32, name: signal.as_str().to_owned() });
            }
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return how,
            Ok(_) | Err(Errno::EINTR) => {}
            // A real-time signal, which nix has no name for, or a kernel that refuses: the process is gone, or will
            // be asked for again at the next SIGCHLD.
            Err(Errno::EINVAL) => {
                let gone = ProcessIdentity::of(child).is_none();
                let reason = "it ended by a signal that has no name".to_owned();
                return how.or_else(|| gone.then_some(ExitStatus::Unknown { reason }));
            }
            Err(_) => return how,
        }
    }
}

/// Ends a child that was just started and must not stay, with whatever it has started, and reaps them.
pub(crate) fn end_at_once(child: i32) {
    let _ = killpg(Pid::from_raw(child), Signal::SIGKILL);
    let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
    loop {
        for process in ProcessIdentity::own().map(descendants).unwrap_or_default() {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
        // Each that ends may leave an orphan to this process, which the next turn finds.
        if waitpid(None, None) == Err(Errno::ECHILD) {
            return;
        }
    }
}
