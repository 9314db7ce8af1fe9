//! What PurePoint's daemon and its shims both keep on disk: atomic files, launch, shim and exit records, the output
//! spool, and the identity of processes that those records name.
//!
//! Files and `/proc` only. This crate opens no socket, starts and signals no process, and knows nothing of projects.

pub mod atomic;
pub mod error;
pub mod exit;
pub mod fault;
pub mod json;
pub mod launch;
mod platform;
pub mod process;
pub mod shim;
pub mod spool;
pub mod timestamp;

pub use error::RecordError;
pub use pu_protocol::frame::TerminalSize;
