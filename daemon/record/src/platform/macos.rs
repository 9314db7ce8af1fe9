//! Processes as macOS shows them, through libproc.

use libproc::bsd_info::BSDInfo;
use libproc::proc_pid::pidinfo;
use libproc::processes::{ProcFilter, pids_by_type};

use crate::process::{ProcessEntry, ProcessIdentity};

/// `SZOMB` of `<sys/proc.h>`.
const ZOMBIE: u32 = 5;
/// The argument with which the kernel tells of zombies too: they have a number until their parent has asked.
const WITH_ZOMBIES: u64 = 1;
/// `PROC_FLAG_EXEC` of `<sys/proc_info.h>`: the process has executed a program.
const EXECUTED: u32 = 0x4000;

pub(crate) fn entry(pid: i32) -> Option<ProcessEntry> {
    let info = pidinfo::<BSDInfo>(pid, WITH_ZOMBIES).ok()?;
    let start_time = info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec);
    Some(ProcessEntry {
        identity: ProcessIdentity { pid, start_time },
        parent: i32::try_from(info.pbi_ppid).ok()?,
        group: i32::try_from(info.pbi_pgid).ok()?,
        zombie: info.pbi_status == ZOMBIE,
    })
}

pub(crate) fn entries() -> Vec<ProcessEntry> {
    let pids = pids_by_type(ProcFilter::All).unwrap_or_default();
    pids.into_iter().filter_map(|pid| entry(i32::try_from(pid).ok()?)).collect()
}

pub(crate) fn boot_id() -> String {
    // `kern.boottime` moves when the clock is set; `kern.bootsessionuuid` does not, and is what Linux's boot_id is.
    let answer = std::process::Command::new("/usr/sbin/sysctl").args(["-n", "kern.bootsessionuuid"]).output();
    answer.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default()
}

pub(crate) fn has_executed(pid: i32) -> Option<bool> {
    pidinfo::<BSDInfo>(pid, WITH_ZOMBIES).ok().map(|info| info.pbi_flags & EXECUTED != 0)
}

pub(crate) fn own_scope() -> Option<String> {
    None
}
