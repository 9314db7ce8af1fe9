//! `pu-engine`: starts the daemon, or does one of the short jobs that the daemon gives to a child of its own.

use clap::Parser;
use pu_engine::plugins;
use pu_engine::server::{self, ServeOptions};
use std::path::PathBuf;
use std::process::ExitCode;

/// The system's allocator goes through long lists of free pieces once a large index was built, which was a quarter of the
/// time of a context.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// PurePoint's daemon. `pu` starts it when it is needed; you rarely do.
#[derive(Debug, Parser)]
#[command(name = "pu-engine", version)]
struct Args {
    /// Run as part of an application: no PID file; stops, agents included, when the application ends.
    #[arg(long)]
    managed: bool,
    /// Listen here instead of PU_HOME/daemon.sock.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Leave the caller's session and terminal.
    #[arg(long, hide = true)]
    background: bool,
}

fn main() -> ExitCode {
    let given: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(done) = plugins::run_subcommand(&given) {
        return done;
    }
    let args = Args::parse();
    server::main(ServeOptions { managed: args.managed, socket: args.socket, background: args.background })
}
