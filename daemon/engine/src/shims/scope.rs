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
        let systemd_run = systemd_run(env).ok()?;
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

/// What lets an agent outlive the service or the session that its daemon runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// A scope of its own, which this program makes.
    Scope { systemd_run: PathBuf },
    /// A session of its own is all that this system has and needs: there is no systemd.
    Session,
    /// A session of its own, which systemd does not stop at: its manager for the user cannot be used, and why.
    SessionOnly { why: String },
}

/// The protection of an agent that is started in this environment. Blocking.
pub fn protection(env: &BTreeMap<String, String>) -> Protection {
    if !cfg!(target_os = "linux") {
        return Protection::Session;
    }
    match systemd_run(env) {
        Ok(systemd_run) => Protection::Scope { systemd_run },
        Err(_) if !Path::new(SYSTEMD_RUNS).exists() => Protection::Session,
        Err(why) => Protection::SessionOnly { why },
    }
}

/// There if and only if systemd is what the system was booted with.
const SYSTEMD_RUNS: &str = "/run/systemd/system";

/// The program that makes scopes, where the user's service manager is there for it.
fn systemd_run(env: &BTreeMap<String, String>) -> Result<PathBuf, String> {
    let runtime = env.get("XDG_RUNTIME_DIR").ok_or("XDG_RUNTIME_DIR is not set")?;
    let manager = Path::new(runtime).join("systemd/private");
    if !manager.exists() {
        return Err(format!("no service manager of the user listens at {}", manager.display()));
    }
    let path = env.get("PATH").map(String::as_str).unwrap_or_default();
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("systemd-run"))
        .find(|program| program.is_file())
        .ok_or_else(|| "systemd-run is not on the PATH".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_scope_needs_the_users_service_manager_and_its_program() {
        let folder = tempfile::tempdir().unwrap();
        let (bin, runtime) = (folder.path().join("bin"), folder.path().join("runtime"));
        for file in [bin.join("systemd-run"), runtime.join("systemd/private")] {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::File::create(file).unwrap();
        }
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut env = BTreeMap::from([("PATH".to_owned(), text(&bin))]);
        assert!(!matches!(protection(&env), Protection::Scope { .. }) && Scope::find("a1", &env).is_none());
        env.insert("XDG_RUNTIME_DIR".to_owned(), text(&runtime));
        assert_eq!(protection(&env), Protection::Scope { systemd_run: bin.join("systemd-run") });
        assert_eq!(Scope::find("a1", &env).unwrap().unit, "pu-agent-a1.scope");
        env.insert("PATH".to_owned(), text(&runtime));
        assert_eq!(systemd_run(&env), Err("systemd-run is not on the PATH".to_owned()));
    }
}
