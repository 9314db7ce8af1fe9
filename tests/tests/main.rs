//! The product as its users meet it, a module a verb.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod activity;
mod assemblers;
mod attach;
mod clean;
mod config;
mod context;
mod daemon;
mod demo;
mod discovery;
mod doctor;
mod eval;
mod health;
mod history;
mod hostile;
mod init;
mod isolation;
mod kill;
mod learning;
mod logs;
mod plugin;
mod plugin_grants;
mod plugins;
mod projects;
mod protocol;
mod recovery;
mod resume;
mod send;
mod spawn;
mod spawn_failure;
mod spec;
mod status;
mod trust;
mod two_homes;
mod wait;
