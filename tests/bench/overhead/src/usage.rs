//! What this process uses, as the system tells it. A figure that a system does not have is `None`.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use nix::libc::c_long;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// As the host calls its thread.
const TICKER: &str = "plugin-ticker";

/// Memory at one moment, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footprint {
    /// Of what is mapped: a page that n processes share counts as an n-th.
    pub(crate) pss: u64,
    /// Of the images of plugins' memories, which are files in memory, mapped or not.
    pub(crate) images: u64,
}

impl Footprint {
    /// Linux tells it.
    pub(crate) fn now() -> Option<Self> {
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
        Some(Self { pss: kib_of(&rollup, "Pss:")?, images: images()? })
    }
}

/// The figure of the line that begins so.
fn kib_of(rollup: &str, name: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim_end().parse().ok()
}

fn images() -> Option<u64> {
    const BLOCK: u64 = 512;
    let mut blocks = 0;
    for entry in fs::read_dir("/proc/self/fd").ok()?.flatten() {
        // One that has been closed meanwhile, as that of this folder will be, is none.
        let is_image = fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("/memfd:"));
        if is_image {
            blocks += fs::metadata(entry.path()).map_or(0, |file| file.blocks());
        }
    }
    Some(blocks * BLOCK / 1024)
}

/// What had been used at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// By all threads, in user and kernel mode, in microseconds.
    pub(crate) processor: i64,
    /// How often a thread went to sleep by itself: in an idle process each is a timer or a poll.
    pub(crate) slept: c_long,
    /// The same of the ticker alone; Linux tells it.
    pub(crate) ticker_slept: Option<u64>,
}

impl Usage {
    pub(crate) fn now() -> nix::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let processor = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Ok(Self { processor, slept: usage.voluntary_context_switches(), ticker_slept: ticker_slept() })
    }
}

fn ticker_slept() -> Option<u64> {
    let tasks = fs::read_dir("/proc/self/task").ok()?.flatten().map(|task| task.path());
    let is_ticker = |name: String| name.trim() == TICKER;
    let mut tickers = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(is_ticker));
    let status = fs::read_to_string(tickers.next()?.join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_is_that_of_its_own_line() {
        let rollup = "55d0-7ffd ---p 00000000 00:00 0  [rollup]\nRss:   900 kB\nPss:     812 kB\nPss_Anon:   7 kB\n";
        assert_eq!(kib_of(rollup, "Pss:"), Some(812));
        assert_eq!(kib_of(rollup, "Swap:"), None);
    }
}
