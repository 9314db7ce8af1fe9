//! `pu-shim --dir PU_HOME/agents/<id>`: one agent's PTY, for as long as the agent lives.

use std::process::ExitCode;

fn main() -> ExitCode {
    match pu_shim::Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => pu_shim::run(&arguments),
        Err(usage) => pu_shim::refuse(&usage),
    }
}
