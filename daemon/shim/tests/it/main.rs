//! Drives the real `pu-shim` as the daemon and its clients do: a folder, a process, a socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attach;
mod cues;
mod end;
mod output;
mod recorded;
mod start;
mod world;
