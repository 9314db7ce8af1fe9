//! The daemon's socket: who may connect, where a line ends, which answer belongs to which request.
//!
//! It hands each request to the `engine` room and never looks into what one means.

mod codec;
mod connection;
mod instance;
mod listener;

pub use instance::{Instance, InstanceError};
pub use listener::{Listener, ListenerError};
