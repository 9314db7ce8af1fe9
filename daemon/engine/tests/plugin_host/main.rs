//! The plugin host as a whole: real components, compiled by the real child process, against hostile ones too.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and may show figures")]

mod bundled;
mod cache;
mod granted;
mod hostile;
mod released;
mod replaced;
mod world;
