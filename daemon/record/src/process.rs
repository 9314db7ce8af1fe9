//! Who a process is: its number together with its start time, since numbers are used again.
//!
//! It only looks. It never signals and never waits for a process.

use serde::{Deserialize, Serialize};

use crate::platform;

/// One process of this boot, told apart from any later one with the same number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessIdentity {
    pub pid: i32,
    /// When it started, in the platform's own unit and epoch; only good for comparison within one boot.
    pub start_time: u64,
}

/// What the system knows of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessEntry {
    pub identity: ProcessIdentity,
    pub parent: i32,
    pub group: i32,
    /// It has ended and waits for its parent to ask how.
    pub zombie: bool,
}

impl ProcessIdentity {
    /// The process that has this number now; `None` if none has (a zombie still has one).
    pub fn of(pid: i32) -> Option<Self> {
        platform::entry(pid).map(|entry| entry.identity)
    }

    /// This process itself.
    pub fn own() -> Option<Self> {
        i32::try_from(std::process::id()).ok().and_then(Self::of)
    }

    /// Whether this very process still runs; a zombie does not.
    pub fn is_alive(&self) -> bool {
        self.pid > 0 && platform::entry(self.pid).is_some_and(|entry| entry.identity == *self && !entry.zombie)
    }
}

/// The processes below `process`, those of its process group included, itself excluded, zombies excluded.
///
/// The group counts because a member whose parent died has become somebody else's child. It may outlive `process`, and
/// as long no system gives its number away again: so where a stranger has the number, nobody of the group is left.
pub fn descendants(process: ProcessIdentity) -> Vec<ProcessIdentity> {
    let entries = platform::entries();
    // Asked after the look: whoever has the number then had it, or nobody had, while the others were looked at.
    below(process, ProcessIdentity::of(process.pid), &entries)
}

/// Those among `entries` that belong to `process`, whose number `holder` has now.
fn below(process: ProcessIdentity, holder: Option<ProcessIdentity>, entries: &[ProcessEntry]) -> Vec<ProcessIdentity> {
    if holder.is_some_and(|holder| holder != process) {
        return Vec::new();
    }
    let root = process.pid;
    let mut found: Vec<i32> = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        for entry in entries {
            let pid = entry.identity.pid;
            let belongs = entry.parent == parent || (parent == root && entry.group == root);
            if belongs && !found.contains(&pid) {
                found.push(pid);
            }
        }
        next += 1;
    }
    let alive = entries.iter().filter(|e| !e.zombie && e.identity.pid != root && found.contains(&e.identity.pid));
    alive.map(|e| e.identity).collect()
}

/// An identifier of this boot of the machine: process identities of another boot mean nothing.
pub fn boot_id() -> String {
    platform::boot_id()
}

/// Whether a child that was forked has gone over to its program, as far as the platform can tell. `None` if it has
/// gone already or the platform does not say.
pub fn has_executed(pid: i32) -> Option<bool> {
    platform::has_executed(pid)
}

/// The systemd scope that this process runs in, if it is one that was made for an agent.
pub fn own_scope() -> Option<String> {
    platform::own_scope()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn entry(pid: i32, parent: i32, group: i32, zombie: bool) -> ProcessEntry {
        ProcessEntry { identity: ProcessIdentity { pid, start_time: 1 }, parent, group, zombie }
    }

    #[test]
    fn descendants_are_found_through_parents_groups_and_zombies() {
        let table = [
            entry(1, 0, 1, false),
            entry(10, 1, 10, false),
            entry(11, 10, 10, false),
            entry(12, 11, 12, true),
            entry(13, 12, 13, false),
            entry(14, 1, 10, false),
            entry(15, 1, 15, false),
            entry(16, 14, 16, false),
        ];
        let root = ProcessIdentity { pid: 10, start_time: 1 };
        let found = |holder| {
            let mut pids: Vec<i32> = below(root, holder, &table).iter().map(|i| i.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(found(Some(root)), [11, 13, 14, 16]);
        assert_eq!(found(None), [11, 13, 14, 16], "its group stays its own after its end");
        assert!(found(Some(ProcessIdentity { start_time: 2, ..root })).is_empty(), "a stranger's are not its own");
    }

    #[test]
    fn a_process_is_alive_until_it_is_a_zombie() {
        let own = ProcessIdentity::own().unwrap();
        assert!(own.is_alive());
        assert!(!ProcessIdentity { start_time: own.start_time + 1, ..own }.is_alive());

        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id() as i32;
        let identity = ProcessIdentity::of(pid).unwrap();
        assert!(identity.is_alive());
        assert!(descendants(own).contains(&identity));

        drop(child.stdin.take());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while identity.is_alive() {
            assert!(std::time::Instant::now() < deadline, "cat did not end");
            std::thread::yield_now();
        }
        assert_eq!(ProcessIdentity::of(pid), Some(identity), "a zombie keeps its number");
        child.wait().unwrap();
        assert_eq!(ProcessIdentity::of(pid), None);
    }

    #[test]
    fn the_boot_has_a_stable_name() {
        assert!(!boot_id().is_empty());
        assert_eq!(boot_id(), boot_id());
    }
}
