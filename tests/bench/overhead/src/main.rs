//! Measures what the plugin host costs, and what the same job costs as a native function and as a plugin of Extism.
//! `tests/bench/plugins` runs the stages, each in a process of its own, and makes the table.
//!
//! Each figure is a line of JSON. Nothing is judged here: targets are the table's.

mod assembly;
mod calls;
mod compiling;
mod figure;
mod guest;
mod idle;
mod lane;
mod loading;
mod memory;
mod native;
mod ours;
mod peer;
mod shelf;
mod site;
mod usage;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use site::{Kind, Site};

/// Measures the plugin host, one stage at a time.
#[derive(Debug, Parser)]
struct Options {
    /// The built `pu-engine`, which compiles.
    #[arg(long)]
    engine: PathBuf,
    /// A folder in which a stage finds what those before it made.
    #[arg(long)]
    scratch: PathBuf,
    #[command(subcommand)]
    stage: Stage,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Stage {
    /// Makes the plugins and has each compiled; all others need that.
    Compile,
    /// Loads what is compiled, as a daemon does when it starts.
    Load,
    /// One call, and a chain of calls.
    Calls,
    /// A whole context, with a chain of plugins and without.
    Assembly,
    /// What plugins take that are loaded and not called.
    Memory { kind: Kind },
    /// What the process does while nobody calls.
    Idle,
}

fn main() -> Result<()> {
    let Options { engine, scratch, stage } = Options::parse();
    let site = Site::new(engine, scratch);
    match stage {
        Stage::Compile => compiling::run(&site),
        Stage::Load => loading::run(&site),
        Stage::Calls => calls::run(&site),
        Stage::Assembly => assembly::run(&site),
        Stage::Memory { kind } => memory::run(&site, kind),
        Stage::Idle => idle::run(&site),
    }
}
