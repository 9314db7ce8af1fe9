//! A cgroup scope of its own for each shim, where systemd runs: a service restart or a logout kills a whole cgroup, and
//! `setsid` alone does not leave it.
//!
//! Everything that is systemd's is here; elsewhere (and on macOS) a shim runs in its own session only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How to run a program in a transient scope of the user's service manager.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    systemd_run: PathBuf,
    pub(super) unit: String,
}

impl Scope {
    /// The scope for an agent, where the user's service manager is there and reachable from this environment. Entries of
    /// the PATH that are not absolute are skipped: they would mean folders of the daemon. Blocking.
    pub(super) fn find(agent_id: &str, env: &BTreeMap<String, String>) -> Option<Self> {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let manager = Path::new(env.get("XDG_RUNTIME_DIR")?).join("systemd/private");
        if !manager.exists() {
            return None;
        }
        let systemd_run = std::env::split_paths(env.get("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("systemd-run"))
            .find(|program| program.is_file())?;
        Some(Self { systemd_run, unit: format!("pu-agent-{agent_id}.scope") })
    }

    /// The command line in front of the shim's own. `--scope` executes in place, so the pid stays the shim's.
    pub(super) fn prefix(&self) -> Vec<std::ffi::OsString> {
        let mut line: Vec<std::ffi::OsString> = vec![self.systemd_run.clone().into()];
        line.extend(["--user", "--scope", "--quiet", "--collect"].map(Into::into));
        line.push(format!("--unit={}", self.unit).into());
        line.push("--".into());
        line
    }
}
