//! The hidden subcommands of `pu-engine` that serve this room: the compiler's child and the encoder.
//!
//! They are looked at before anything of the daemon starts: the child is to be small, limited and alone.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use super::compile::run_compile_child;
use super::encode::run_encode_plugin;

/// Runs the hidden subcommand that these arguments (without the program's name) are, if they are one.
pub fn run_subcommand(args: &[OsString]) -> Option<ExitCode> {
    let (name, paths) = args.split_first()?;
    let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
    match (name.to_str()?, paths.as_slice()) {
        ("compile-plugin", [component, out]) => Some(run_compile_child(component, out)),
        ("encode-plugin", [core, manifest, out]) => Some(run_encode_plugin(core, manifest, out)),
        _ => None,
    }
}
