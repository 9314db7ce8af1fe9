//! Shims: starting one, and talking to one that runs.
//!
//! This room owns no PTY and signals no process; ending an agent is a frame that its shim acts on.

mod link;
mod scope;
mod start;
mod version;

pub use link::{Connection, ShimError, ShimEvent, ShimLink, connect};
pub use scope::{Protection, protection};
pub use start::{ShimProgram, StartError, start};
pub use version::version;
