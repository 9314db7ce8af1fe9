//! What the machine gives: the user's PurePoint folder, room on the disk, git, open files.

use crate::agents::{AgentsError, Git};
use nix::sys::resource::{Resource, getrlimit};
use pu_protocol::{Finding, FindingState};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

/// With less than this an agent's output, a worktree or an index soon finds no room.
const FREE_MIN: u64 = 500 << 20;
const GIT_LIMIT: Duration = Duration::from_secs(5);
/// Each agent, client and index takes a few files.
const FILES_MIN: u64 = 1024;

/// The folder that holds what only its user may see.
pub(super) fn home(root: &Path) -> Finding {
    let shown = root.display();
    let found = match std::fs::metadata(root) {
        Ok(found) => found,
        Err(error) => return Finding::problem("home", format!("cannot look at {shown}: {error}")),
    };
    let (owner, own) = (found.uid(), nix::unistd::geteuid().as_raw());
    let mode = found.permissions().mode() & 0o777;
    if owner != own {
        return Finding::problem("home", format!("{shown} belongs to user {owner}, and this is user {own}"))
            .with_hint("set PU_HOME to a folder of your own");
    }
    if mode & 0o077 != 0 {
        return Finding::problem("home", format!("{shown} is open to others: its mode is 0{mode:o}"))
            .with_hint(format!("chmod 700 {shown}; the daemon does it too when it starts"));
    }
    Finding::ok("home", format!("{shown} is its user's alone (0{mode:o})"))
}

/// The free space where PurePoint and the project lie, told once if that is one disk.
pub(super) fn disks(home: &Path, project: Option<&Path>) -> Vec<Finding> {
    let device = |folder: &Path| std::fs::metadata(folder).map(|found| found.dev()).ok();
    let other = project.filter(|project| device(project) != device(home));
    [Some(home), other].into_iter().flatten().map(disk).collect()
}

fn disk(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(found) => room(folder, found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => {
            Finding::warning("disk", format!("how much is free at {} is not known: {error}", folder.display()))
        }
    }
}

fn room(folder: &Path, free: u64) -> Finding {
    let detail = format!("{} MiB are free at {}", free >> 20, folder.display());
    if free >= FREE_MIN {
        return Finding::ok("disk", detail);
    }
    Finding::warning("disk", detail)
        .with_hint("make room: `pu clean` removes what ended agents left, of all projects with --all-projects")
}

pub(super) fn git(env: &BTreeMap<String, String>, folder: &Path) -> Finding {
    let asked = Git::in_environment(env.clone())
        .and_then(|git| git.with_limit(GIT_LIMIT).expect("ask git for its version", folder, &["--version"]));
    match asked {
        Ok(said) => Finding::ok("git", String::from_utf8_lossy(&said).trim()),
        Err(error @ AgentsError::GitMissing) => super::told("git", FindingState::Problem, error.to_body()),
        Err(error) => super::told("git", FindingState::Warning, error.to_body()),
    }
}

/// How many files the daemon may open, and how many its agents, who get the limit that it was started with.
pub(super) fn file_limit(started_with: Option<u64>) -> Finding {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, _)) => files(soft, started_with),
        Err(error) => Finding::warning("file_limit", format!("the limit on open files is not known: {error}")),
    }
}

fn files(soft: u64, started_with: Option<u64>) -> Finding {
    // What stands for "no limit" differs between systems, and all of it is beyond any number of files.
    let shown = |limit: u64| if limit >= u64::MAX / 2 { "any number of".to_owned() } else { limit.to_string() };
    let agents = started_with.map(|limit| format!(", each agent {}", shown(limit))).unwrap_or_default();
    let detail = format!("the daemon may open {} files{agents}", shown(soft));
    if soft >= FILES_MIN {
        return Finding::ok("file_limit", detail);
    }
    Finding::warning("file_limit", detail)
        .with_hint("raise the hard limit (`ulimit -H -n`, or LimitNOFILE of the service), then `pu daemon restart`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    #[test]
    fn a_home_that_others_can_enter_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, state) in [(0o700, FindingState::Ok), (0o750, FindingState::Problem), (0o701, FindingState::Problem)]
        {
            std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            let finding = home(folder.path());
            assert_eq!(finding.state, state, "{finding:?}");
            assert!(finding.detail.contains(&format!("0{mode:o}")), "{finding:?}");
        }
        assert_eq!(home(&folder.path().join("none")).state, FindingState::Problem);
    }

    #[test]
    fn little_room_and_few_files_are_warnings() {
        for (free, state) in [(FREE_MIN, FindingState::Ok), (FREE_MIN - 1, FindingState::Warning)] {
            assert_eq!(room(Path::new("/p"), free).state, state);
        }
        assert_eq!(room(Path::new("/p"), 3 << 20).detail, "3 MiB are free at /p");
        assert_eq!(files(256, None).state, FindingState::Warning);
        let plenty = files(u64::MAX, Some(1024));
        assert_eq!(plenty.state, FindingState::Ok);
        assert_eq!(plenty.detail, "the daemon may open any number of files, each agent 1024");
    }

    #[test]
    fn one_disk_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        assert_eq!(disks(folder.path(), Some(&inside)).len(), 1);
        assert_eq!(disks(folder.path(), None).len(), 1);
    }

    #[test]
    fn git_is_found_on_the_path_of_whoever_asks() {
        let folder = tempfile::tempdir().unwrap();
        let path = |path: String| BTreeMap::from([("PATH".to_owned(), path)]);
        let found = git(&path(std::env::var("PATH").unwrap()), folder.path());
        assert!(found.state == FindingState::Ok && found.detail.starts_with("git version"), "{found:?}");
        let missing = git(&path(folder.path().to_str().unwrap().to_owned()), folder.path());
        assert!(missing.state == FindingState::Problem && missing.hint.is_some(), "{missing:?}");
    }
}
