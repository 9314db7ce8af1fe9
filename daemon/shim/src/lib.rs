//! One agent's PTY: starts the agent, keeps its output and its exit, serves those who attach.
//!
//! The shim is the parent of the agent and outlives the daemon. It is the most critical process and the smallest: one
//! thread, one `poll` loop, no plugins, no index, next to no allocation once the agent runs. It never decides what an
//! agent is for, and nobody but the shim signals the agent.
//!
//! From outside in: [`run`] starts (`start`), then serves (`serve`) until the agent has ended and its record is
//! complete (`life`). What is a decision and not I/O stands by itself and is tested as a table: `kill`, `lease`,
//! `delivery`, `queue`, `screen`, `cues`.

mod arguments;
mod client;
mod command;
mod connect;
mod cues;
mod deliver;
mod delivery;
mod end;
mod error;
mod kill;
mod lease;
mod life;
mod log;
mod platform;
mod processes;
mod pty;
mod queue;
mod report;
mod requests;
mod screen;
mod serve;
mod signals;
mod start;

use std::process::ExitCode;

pub use arguments::{Arguments, UsageError};

/// Starts the agent, reports on standard output how that went, and serves it to its end.
pub fn run(arguments: &Arguments) -> ExitCode {
    let shim = match start::start(&arguments.dir) {
        Ok(shim) => shim,
        Err(error) => return report::failed(&error.into()),
    };
    pu_record::fault::reach("shim.started");
    let told = report::ready(shim.record());
    pu_record::fault::reach("shim.told");
    shim.serve(told.err())
}

/// Says of which release this program is; starts nothing.
pub fn tell_version() -> ExitCode {
    report::version()
}

/// Reports arguments that make no sense, in the same form as a failed start.
pub fn refuse(usage: &UsageError) -> ExitCode {
    report::failed(&usage.into())
}
