//! The one line by which a shim says that it has started, or why not; then standard output is given up. Or, if only
//! asked for that, the line that says of which release it is.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::ExitCode;

use nix::unistd::{dup2_stdin, dup2_stdout};
use pu_record::shim::{ShimRecord, StartFailure, StartReport};

/// Says that the agent runs, then points standard input and output at `/dev/null`: who reads the line sees its end.
pub(crate) fn ready(record: &ShimRecord) -> io::Result<()> {
    write_line(&StartReport::Ready(Box::new(record.clone())))?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    Ok(())
}

/// Says why the agent does not run.
pub(crate) fn failed(failure: &StartFailure) -> ExitCode {
    // If nobody reads the line, the exit status still tells.
    let _ = write_line(&StartReport::Failed(failure.clone()));
    ExitCode::FAILURE
}

/// Says of which release this program is.
pub(crate) fn version() -> ExitCode {
    let told = writeln!(io::stdout().lock(), "pu-shim {}", env!("CARGO_PKG_VERSION"));
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write_line(report: &StartReport) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
