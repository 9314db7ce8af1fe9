//! `pu` as a program, against a daemon and shims that the tests play.
//!
//! What real daemons and shims do is not tested here: that is the job of the end-to-end tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what a test plays may fail the test")]

mod attach;
mod clean;
mod doctor;
mod logs;
mod plugin;
mod shim;
mod start;
mod verbs;
mod versions;
mod wait;
mod world;
