//! `pu-shim --dir PU_HOME/agents/<id>`: one agent's PTY, for as long as the agent lives.

use std::process::ExitCode;

fn main() -> ExitCode {
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    if given == ["--version"] {
        return pu_shim::tell_version();
    }
    match pu_shim::Arguments::parse(given) {
        Ok(arguments) => pu_shim::run(&arguments),
        Err(usage) => pu_shim::refuse(&usage),
    }
}
