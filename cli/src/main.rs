//! `pu`: parses what was typed, makes sure that a daemon runs, sends one request, prints the answer.
//!
//! Keeps no state between two runs and knows nothing of agents, specs or plugins beyond what the protocol says.

mod agents;
mod args;
mod attach;
mod commands;
mod confirm;
mod connection;
mod daemon;
mod demo;
mod doctor;
mod endpoint;
mod engine;
mod eval;
mod failure;
mod index_progress;
mod invocation;
mod keys;
mod pipeline;
mod plugins;
mod progress;
mod prompt;
mod release;
mod render;
mod screen;
mod shim;
mod text;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return args::conclude(&error),
    };
    if let Some(outcome) = cli.command.run_as_hook() {
        return failure::conclude(Ok(outcome), false);
    }
    let json = cli.global.json;
    let outcome = invocation::Invocation::new(&cli.global).and_then(|invocation| cli.command.run(&invocation));
    failure::conclude(outcome, json)
}
