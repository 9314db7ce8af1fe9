//! What `pu doctor` can tell where no daemon does: why there is none, the end of its log, its files, its programs.
//!
//! Looks only, and starts no program: one that does not start is what may be wrong.

use crate::endpoint::Endpoint;
use crate::engine;
use crate::failure::Failure;
use pu_protocol::{ErrorCode, Finding};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How many lines of the daemon's log are shown.
const LOG_LINES: usize = 20;
/// With less than this a daemon may not be able to write what it must.
const FREE_MIN: u64 = 500 << 20;

pub(crate) fn without_daemon(endpoint: &Endpoint, failure: &Failure) -> Vec<Finding> {
    let home = endpoint.home.root();
    let mut findings = vec![daemon(failure)];
    findings.extend(log(&endpoint.home.daemon_log()));
    findings.extend(holder(endpoint));
    findings.push(programs(std::env::current_exe().ok(), &engine::program()));
    findings.push(files(home));
    findings.extend(disk(home));
    findings
}

fn daemon(failure: &Failure) -> Finding {
    let body = failure.body();
    let finding = Finding::problem("daemon", body.message);
    match (body.code, body.hint) {
        (ErrorCode::UnknownRequest, _) => {
            finding.with_hint("it is older than this pu: `pu daemon restart` starts the new one, and agents go on")
        }
        (_, Some(hint)) => finding.with_hint(hint),
        (_, None) => finding,
    }
}

/// The last that the daemon had to say; nothing where it never said anything.
fn log(path: &Path) -> Option<Finding> {
    let lines = engine::tail(path, LOG_LINES).ok().filter(|lines| !lines.trim().is_empty())?;
    Some(Finding::warning("log", format!("the end of {}:\n{lines}", path.display())))
}

/// A process that has the daemon's lock and does not answer.
fn holder(endpoint: &Endpoint) -> Option<Finding> {
    let lock = endpoint.home.daemon_lock();
    engine::holder_lives(endpoint).then(|| {
        Finding::warning("lock", format!("the process that {} names is alive and does not answer", lock.display()))
            .with_hint("it may be on its way up or down, or hang: `ps -p` with that number says what it is")
    })
}

fn programs(pu: Option<PathBuf>, engine: &Path) -> Finding {
    let pu =
        pu.map_or_else(|| "pu".to_owned(), |path| format!("pu {} ({})", env!("CARGO_PKG_VERSION"), path.display()));
    // A bare name is one on the PATH, which only starting it would find.
    if !engine.is_absolute() || can_run(engine) {
        return Finding::ok("programs", format!("{pu}, pu-engine ({})", engine.display()));
    }
    Finding::problem("programs", format!("{pu}; {} is no program", engine.display()))
        .with_hint("pu, pu-engine and pu-shim belong side by side; install them together")
}

fn can_run(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn files(home: &Path) -> Finding {
    let shown = home.display();
    let found = match std::fs::metadata(home) {
        Ok(found) => found,
        Err(error) => return Finding::problem("home", format!("cannot look at {shown}: {error}")),
    };
    let (owner, own, mode) = (found.uid(), nix::unistd::geteuid().as_raw(), found.permissions().mode() & 0o777);
    if owner != own {
        return Finding::problem("home", format!("{shown} belongs to user {owner}, and this is user {own}"))
            .with_hint("set PU_HOME to a folder of your own");
    }
    if mode & 0o700 != 0o700 || !found.is_dir() {
        return Finding::problem("home", format!("{shown} is no folder that its user can write to (0{mode:o})"))
            .with_hint(format!("chmod 700 {shown}"));
    }
    if mode & 0o077 != 0 {
        return Finding::warning("home", format!("{shown} is open to others: its mode is 0{mode:o}"))
            .with_hint("the daemon makes it 0700 when it starts");
    }
    Finding::ok("home", format!("{shown} is its user's alone (0{mode:o})"))
}

fn disk(home: &Path) -> Option<Finding> {
    let found = rustix::fs::statvfs(home).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let detail = format!("{} MiB are free at {}", free >> 20, home.display());
    Some(match free {
        FREE_MIN.. => Finding::ok("disk", detail),
        1.. => Finding::warning("disk", detail).with_hint("make room"),
        0 => Finding::problem("disk", detail).with_hint("make room: the daemon cannot write"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::layout::HomeLayout;
    use pu_protocol::{ErrorBody, FindingState};
    use std::io::Write;

    #[test]
    fn what_can_be_seen_without_a_daemon_is_told_with_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let endpoint = Endpoint { home: HomeLayout::new(folder.path()), socket: folder.path().join("daemon.sock") };
        writeln!(std::fs::File::create(endpoint.home.daemon_log()).unwrap(), "first\nboom").unwrap();
        let failure = Failure::NoDaemon {
            socket: endpoint.socket.clone(),
            why: "it ended".into(),
            log: endpoint.home.daemon_log(),
            log_tail: String::new(),
        };
        let findings = without_daemon(&endpoint, &failure);
        let of = |check: &str| findings.iter().find(|finding| finding.check == check).unwrap();
        assert_eq!((of("daemon").state, of("home").state), (FindingState::Problem, FindingState::Ok));
        assert!(of("daemon").detail.contains("it ended") && of("daemon").hint.is_some());
        assert!(of("log").detail.ends_with("first\nboom"), "{:?}", of("log"));
        assert!(findings.iter().all(|finding| finding.check != "lock"), "{findings:?}");
    }

    #[test]
    fn a_home_that_is_not_there_and_an_engine_that_is_none_are_problems() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(files(&folder.path().join("none")).state, FindingState::Problem);
        let finding = programs(Some("/b/pu".into()), &folder.path().join("pu-engine"));
        assert!(finding.state == FindingState::Problem && finding.detail.contains("pu-engine"), "{finding:?}");
        assert_eq!(programs(None, Path::new("pu-engine")).state, FindingState::Ok);
        assert_eq!(log(&folder.path().join("none")), None);
    }

    #[test]
    fn an_older_daemon_is_told_to_be_one() {
        let body =
            ErrorBody::new(ErrorCode::UnknownRequest, "no request has the type \"doctor\"").with_hint("it knows x");
        let finding = daemon(&Failure::from(body));
        assert!(finding.hint.is_some_and(|hint| hint.contains("pu daemon restart")));
    }
}
