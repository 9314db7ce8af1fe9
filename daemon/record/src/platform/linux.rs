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
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let innermost = text.lines().find_map(|line| line.strip_prefix("0::"))?.rsplit('/').next()?;
    innermost.ends_with(".scope").then(|| innermost.to_owned())
}
