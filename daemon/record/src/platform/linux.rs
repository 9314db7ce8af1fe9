//! Processes as Linux shows them, in `/proc`.

use std::fs;

use crate::process::{ProcessEntry, ProcessIdentity};

/// The kernel's flag for a process that forked and has not executed a program since; a zombie keeps it.
const PF_FORKNOEXEC: u64 = 0x40;

/// The fields of `/proc/<pid>/stat` that follow the name, which stands in parentheses and may hold anything.
fn stat(pid: i32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.rsplit_once(')').map(|(_, fields)| fields.trim_start().to_owned())
}

pub(crate) fn entry(pid: i32) -> Option<ProcessEntry> {
    let fields = stat(pid)?;
    let mut fields = fields.split_ascii_whitespace();
    // proc_pid_stat(5): state is field 3, ppid 4, pgrp 5, starttime 22.
    let zombie = matches!(fields.next()?, "Z" | "X" | "x");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let start_time = fields.nth(16)?.parse().ok()?;
    Some(ProcessEntry { identity: ProcessIdentity { pid, start_time }, parent, group, zombie })
}

pub(crate) fn entries() -> Vec<ProcessEntry> {
    let Ok(folder) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = folder.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(entry).collect()
}

pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

pub(crate) fn has_executed(pid: i32) -> Option<bool> {
    // Field 9, the kernel's flags.
    let flags: u64 = stat(pid)?.split_ascii_whitespace().nth(6)?.parse().ok()?;
    Some(flags & PF_FORKNOEXEC == 0)
}

pub(crate) fn own_scope() -> Option<String> {
    agent_scope(&fs::read_to_string("/proc/self/cgroup").ok()?)
}

/// The scope that the daemon made for an agent. Any other, such as `session-3.scope`, protects from nothing: it is what
/// a logout ends.
fn agent_scope(cgroups: &str) -> Option<String> {
    let innermost = cgroups.lines().find_map(|line| line.strip_prefix("0::"))?.rsplit('/').next()?;
    let is_agents = innermost.starts_with("pu-agent-") && innermost.ends_with(".scope");
    is_agents.then(|| innermost.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scope_that_was_made_for_an_agent_counts() {
        let user = "0::/user.slice/user-1000.slice";
        let table = [
            (format!("1:name=x:/\n{user}/user@1000.service/app.slice/pu-agent-a1.scope\n"), Some("pu-agent-a1.scope")),
            (format!("{user}/session-3.scope\n"), None),
            (format!("{user}/user@1000.service/pu-agent-a1.scope/inner\n"), None),
            (format!("{user}/user@1000.service/app.slice/pu-agent-a1.service\n"), None),
            ("0::/\n".to_owned(), None),
            ("1:cpu:/pu-agent-a1.scope\n".to_owned(), None),
            (String::new(), None),
        ];
        for (text, expected) in table {
            assert_eq!(agent_scope(&text).as_deref(), expected, "{text:?}");
        }
    }
}
