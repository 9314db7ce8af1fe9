//! The programs of the user's machine that a build runs: finding them, running them, saying that one is missing.

use crate::failure::Failure;
use pu_protocol::{ErrorBody, ErrorCode};
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where programs are looked for.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    path: Vec<PathBuf>,
}

impl Tools {
    /// Those that a shell would find.
    pub(crate) fn of_path(path: Option<OsString>) -> Self {
        Self { path: path.map(|path| std::env::split_paths(&path).collect()).unwrap_or_default() }
    }

    pub(super) fn find(&self, program: &str) -> Option<PathBuf> {
        self.path.iter().filter(|folder| folder.is_absolute()).map(|folder| folder.join(program)).find(|p| can_run(p))
    }

    /// A program of the plugin's own Python environment, `.venv`, else of the machine.
    pub(super) fn find_in_venv(&self, folder: &Path, program: &str) -> Option<PathBuf> {
        let own = folder.join(".venv/bin").join(program);
        if can_run(&own) { Some(own) } else { self.find(program) }
    }

    pub(super) fn looks_into(&self, folder: &str) -> bool {
        self.path.iter().any(|path| path == Path::new(folder))
    }
}

pub(super) fn can_run(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The failure for a tool that is not there.
pub(super) fn missing(what: &str, how: impl Into<String>) -> Failure {
    ErrorBody::new(ErrorCode::CommandNotFound, format!("{what} is missing")).with_hint(how).into()
}

/// Runs a tool. All that it says goes to standard error: standard output is for the answer.
pub(super) fn run(command: &mut Command) -> Result<(), Failure> {
    let stderr = io::stderr().as_fd().try_clone_to_owned().map_err(|e| failed_to_start(command, &e))?;
    let status = command.stdin(Stdio::null()).stdout(stderr).status().map_err(|e| failed_to_start(command, &e))?;
    if status.success() { Ok(()) } else { Err(failed(command, status.to_string())) }
}

/// Runs a tool and gives what it wrote to standard output.
pub(super) fn read(command: &mut Command) -> Result<Vec<u8>, Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let Output { status, stdout, .. } = command.output().map_err(|e| failed_to_start(command, &e))?;
    if status.success() { Ok(stdout) } else { Err(failed(command, status.to_string())) }
}

fn failed(command: &Command, why: String) -> Failure {
    Failure::Tool { tool: command.get_program().to_string_lossy().into_owned(), why }
}

fn failed_to_start(command: &Command, error: &io::Error) -> Failure {
    failed(command, format!("it cannot be started: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, Permissions};

    #[test]
    fn only_what_can_be_run_is_found_and_the_venv_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let venv = folder.path().join("project/.venv/bin");
        let bin = folder.path().join("bin");
        for (place, mode) in [(&bin, 0o755), (&venv, 0o644)] {
            std::fs::create_dir_all(place).unwrap();
            File::create(place.join("tool")).unwrap().set_permissions(Permissions::from_mode(mode)).unwrap();
        }
        let tools = Tools::of_path(Some(std::env::join_paths([Path::new("relative"), &bin]).unwrap()));
        let project = folder.path().join("project");
        assert_eq!(tools.find("tool"), Some(bin.join("tool")));
        assert_eq!(tools.find_in_venv(&project, "tool"), Some(bin.join("tool")));
        std::fs::set_permissions(venv.join("tool"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(tools.find_in_venv(&project, "tool"), Some(venv.join("tool")));
        assert_eq!(tools.find("other"), None);
        assert_eq!(Tools::of_path(None).find("sh"), None);
    }

    #[test]
    fn a_tool_that_fails_is_named() {
        let failure = read(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(matches!(&failure, Failure::Tool { tool, why } if tool == "/bin/sh" && why.contains('3')), "{failure}");
        let said = read(Command::new("/bin/sh").args(["-c", "echo out"])).unwrap();
        assert_eq!(said, b"out\n");
        assert!(run(&mut Command::new("/no/such/tool")).unwrap_err().to_string().contains("/no/such/tool"));
    }
}
