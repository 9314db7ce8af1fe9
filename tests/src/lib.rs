//! A hermetic world around the real programs `pu`, `pu-engine` and `pu-shim`: own home, own environment, own projects,
//! and nothing of it left when it ends.
//!
//! It knows what a user knows: command lines, the documented protocol, the files that the specs name. It links nothing of
//! the daemon but the wire types.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test harness")]

mod cli;
mod hostile;
mod library;
mod numbered;
mod processes;
mod programs;
mod project;
mod repo;
mod socket;
mod terminal;
mod wait;
mod warm;
mod whole;
mod world;

pub use cli::{Output, Run};
pub use hostile::Hostile;
pub use library::{AUTH_TASK, SPECS};
pub use numbered::{NUMBERED, lines_of, numbered};
pub use processes::{is_alive, kill};
pub use project::{Project, Traces};
pub use repo::{Repo, read, write};
pub use socket::Client;
pub use terminal::Terminal;
pub use wait::{LIMIT, pause, wait_until};
pub use whole::becomes_whole;
pub use world::World;
