//! What fails on purpose: every step failed or killed, disks full, files damaged, processes stopped. Whatever fails, the
//! daemon lives or the next one starts clean, agents live, no byte of output is missing, nothing is left of what was not
//! done, and the error names the cause.
//!
//! `make test` runs what takes seconds; `make faults` runs all. The programs must have fault points, which those of a
//! debug build of the workspace have: see `daemon/record/src/fault`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests"
)]

mod daemon;
mod damage;
mod files;
mod identity;
mod kill;
mod limits;
mod pipes;
mod release;
mod resume;
mod service;
mod shims;
mod sockets;
mod spawn;
mod stage;
mod table;
mod visits;
