//! The programs of the user's machine that a build runs: finding them, running them, saying that one is missing.

use crate::failure::{Failure, Said};
use pu_protocol::{ErrorBody, ErrorCode};
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

/// As much as a failure repeats of what a tool said.
const LINES_MAX: usize = 20;
const LINE_MAX: usize = 500;

/// Where programs are looked for, and who hears what they say.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    path: Vec<PathBuf>,
    /// A program asks, which reads nothing but the answer: what tools say is kept for the failure.
    quiet: bool,
}

impl Tools {
    /// Those that a shell would find.
    pub(crate) fn of_path(path: Option<OsString>) -> Self {
        let path = path.map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        Self { path, quiet: false }
    }

    #[must_use]
    pub(crate) fn quiet(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// Runs a tool. All that it says goes to standard error: standard output is for the answer.
    pub(super) fn run(&self, command: &mut Command) -> Result<(), Failure> {
        command.stdin(Stdio::null());
        if self.quiet {
            let Output { status, stdout, stderr } = command.output().map_err(|e| failed_to_start(command, &e))?;
            return judged(command, status, || Said::Lines(last_lines(&[stdout, stderr].concat())));
        }
        let stderr = io::stderr().as_fd().try_clone_to_owned().map_err(|e| failed_to_start(command, &e))?;
        let status = command.stdout(stderr).status().map_err(|e| failed_to_start(command, &e))?;
        judged(command, status, || Said::Above)
    }

    /// Runs a tool and gives what it wrote to standard output.
    pub(super) fn read(&self, command: &mut Command) -> Result<Vec<u8>, Failure> {
        let complaints = if self.quiet { Stdio::piped() } else { Stdio::inherit() };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(complaints);
        let child = command.spawn().map_err(|e| failed_to_start(command, &e))?;
        let Output { status, stdout, stderr } = child.wait_with_output().map_err(|e| failed_to_start(command, &e))?;
        judged(command, status, || if self.quiet { Said::Lines(last_lines(&stderr)) } else { Said::Above })?;
        Ok(stdout)
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

fn judged(command: &Command, status: ExitStatus, said: impl FnOnce() -> Said) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(failed(command, status.to_string(), said())) }
}

fn failed(command: &Command, why: String, said: Said) -> Failure {
    Failure::Tool { tool: command.get_program().to_string_lossy().into_owned(), why, said }
}

fn failed_to_start(command: &Command, error: &io::Error) -> Failure {
    failed(command, format!("it cannot be started: {error}"), Said::Lines(String::new()))
}

/// The end of what a tool said, without the lines that say nothing.
fn last_lines(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines: Vec<String> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .map(|line| line.chars().take(LINE_MAX).collect())
        .collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].join("\n")
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
        let tools = Tools::of_path(None);
        let failure = tools.read(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(
            matches!(&failure, Failure::Tool { tool, why, said: Said::Above } if tool == "/bin/sh" && why.contains('3')),
            "{failure}"
        );
        let said = tools.read(Command::new("/bin/sh").args(["-c", "echo out"])).unwrap();
        assert_eq!(said, b"out\n");
        assert!(tools.run(&mut Command::new("/no/such/tool")).unwrap_err().to_string().contains("/no/such/tool"));
    }

    #[test]
    fn where_nobody_reads_along_the_failure_has_the_tools_last_lines() {
        let tools = Tools::of_path(None).quiet(true);
        let script = "for i in $(seq 30); do echo line $i; done; echo; echo no such import >&2; exit 7";
        let failure = tools.run(Command::new("/bin/sh").args(["-c", script])).unwrap_err();
        let body = failure.body();
        assert_eq!(body.code, ErrorCode::BuildFailed);
        assert!(body.message.ends_with("line 30\nno such import"), "{}", body.message);
        assert!(body.message.contains("line 12") && !body.message.contains("line 11\n"), "{}", body.message);
        let said = tools.read(Command::new("/bin/sh").args(["-c", "echo out; echo aside >&2"])).unwrap();
        assert_eq!(said, b"out\n");
        let failure = tools.read(Command::new("/bin/sh").args(["-c", "echo out; echo why >&2; exit 1"])).unwrap_err();
        assert!(failure.to_string().ends_with("why") && !failure.to_string().contains("out"), "{failure}");
    }
}
