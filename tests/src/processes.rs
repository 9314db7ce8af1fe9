//! Which processes belong to a world: whoever carries its folder in the environment, on the command line or as its
//! working folder.

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use pu_record::process::ProcessIdentity;
use std::path::Path;

/// A process, and what it looks like to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) pid: i32,
    pub(crate) line: String,
}

/// Whether a process runs; a zombie does not.
pub fn is_alive(pid: i32) -> bool {
    ProcessIdentity::of(pid).is_some_and(|process| process.is_alive())
}

/// Signals a process; one that is gone already is no fault.
pub fn kill(pid: i32, signal: Signal) {
    assert!(pid > 1, "{pid} is not a process of a test");
    let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
}

/// The processes of the world in `folder`, but for this one.
#[cfg(target_os = "linux")]
pub(crate) fn of_world(folder: &Path) -> Vec<Found> {
    use std::os::unix::ffi::OsStrExt as _;
    let needle = folder.as_os_str().as_bytes();
    let has = |text: &[u8]| text.windows(needle.len()).any(|window| window == needle);
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("the process table").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let file = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let line = file("cmdline");
        let inside = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        if (inside || has(&line) || has(&file("environ"))) && pid != std::process::id().cast_signed() && is_alive(pid) {
            found.push(Found { pid, line: String::from_utf8_lossy(&line).replace('\0', " ") });
        }
    }
    found
}

/// The processes of the world in `folder`, but for this one.
#[cfg(target_os = "macos")]
pub(crate) fn of_world(folder: &Path) -> Vec<Found> {
    let listed = std::process::Command::new("/bin/ps").args(["-Eww", "-axo", "pid=,command="]).output().expect("ps");
    let needle = folder.to_str().expect("a folder whose name is text");
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    let split = lines.lines().filter(|line| line.contains(needle)).filter_map(|line| line.trim().split_once(' '));
    let found = split.filter_map(|(pid, line)| Some(Found { pid: pid.parse().ok()?, line: line.trim().into() }));
    found.filter(|process| process.pid != std::process::id().cast_signed() && is_alive(process.pid)).collect()
}
