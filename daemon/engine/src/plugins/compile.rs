//! Turns a component into machine code, in a child process that has little time and memory: a component made to choke
//! the compiler chokes the child, and the daemon itself holds no compiler at all.
//!
//! The child is this same program with a hidden subcommand. It reads one file, writes one file, and touches nothing
//! else; its first act is to limit itself.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};

use super::failure::{FailureCode, PluginFailure};
use super::limits::{CompileLimits, compiling_engine};

const MEMORY_VARIABLE: &str = "PU_COMPILE_MEMORY";
const CPU_VARIABLE: &str = "PU_COMPILE_CPU_SECONDS";
/// Each thread of the compiler claims address space, which is limited; more than a few gain little.
const THREADS: &str = "4";
/// As much of the child's complaint as is kept.
const COMPLAINT_MAX: u64 = 4096;

/// The program that compiles: called with `args`, then the path of the component and that of the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompilerCommand {
    pub program: PathBuf,
    pub args: Vec<String>,
}

impl CompilerCommand {
    /// `pu-engine compile-plugin`, with the `pu-engine` at `program`.
    pub fn engine(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec!["compile-plugin".to_owned()] }
    }
}

/// Has the component at `component` compiled into the file `out`.
pub(super) fn compile(
    command: &CompilerCommand,
    limits: CompileLimits,
    component: &Path,
    out: &Path,
) -> Result<(), PluginFailure> {
    let mut child = Command::new(&command.program)
        .args(&command.args)
        .args([component, out])
        .env_clear()
        .env("RAYON_NUM_THREADS", THREADS)
        .env(MEMORY_VARIABLE, limits.memory.to_string())
        .env(CPU_VARIABLE, limits.cpu_seconds.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot start the compiler {}: {error}", command.program.display())))?;
    let complaint = last_words(&mut child, limits.wall);
    if complaint.is_none() {
        // It may have ended by itself meanwhile; either way `wait` has the truth.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| failed(format!("cannot wait for the compiler: {error}")))?;
    match complaint {
        None => Err(limit(format!("compiling it took longer than {} s", limits.wall.as_secs_f32()))),
        Some(complaint) => judge(status, &complaint, limits),
    }
}

/// All that the child says until it ends, or nothing if it does not end in time.
fn last_words(child: &mut Child, wall: Duration) -> Option<String> {
    let stderr = child.stderr.take()?;
    let (sender, receiver) = mpsc::channel();
    // Ends when the child does, which is killed at the latest when the wait below gives up.
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut stderr = stderr;
        let _ = stderr.by_ref().take(COMPLAINT_MAX).read_to_end(&mut kept);
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        let _ = sender.send(String::from_utf8_lossy(&kept).trim().to_owned());
    });
    receiver.recv_timeout(wall).ok()
}

fn judge(status: ExitStatus, complaint: &str, limits: CompileLimits) -> Result<(), PluginFailure> {
    if status.success() {
        return Ok(());
    }
    match status.signal() {
        // Out of CPU time is SIGXCPU; out of memory is an abort, or the kernel's SIGKILL.
        Some(signal) => Err(limit(format!(
            "compiling it needed more than {} s of CPU or {} MiB of memory (signal {signal})",
            limits.cpu_seconds,
            limits.memory >> 20
        ))),
        None => Err(failed(format!("it cannot be compiled: {complaint}"))),
    }
}

fn failed(message: String) -> PluginFailure {
    PluginFailure::new(FailureCode::CompileFailed, message)
}

fn limit(message: String) -> PluginFailure {
    PluginFailure::new(FailureCode::CompileLimit, message)
}

/// The hidden subcommand `compile-plugin IN OUT`: all of the child.
pub(super) fn run_compile_child(input: &Path, output: &Path) -> ExitCode {
    limit_this_process();
    match compile_file(input, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            // Nobody is left to tell if even this fails.
            let _ = writeln!(std::io::stderr(), "{complaint}");
            ExitCode::FAILURE
        }
    }
}

fn compile_file(input: &Path, output: &Path) -> Result<(), String> {
    let bytes = std::fs::read(input).map_err(|error| format!("cannot read {}: {error}", input.display()))?;
    let engine = compiling_engine().map_err(|error| format!("the compiler cannot start: {error:#}"))?;
    let compiled = engine.precompile_component(&bytes).map_err(|error| format!("{error:#}"))?;
    pu_record::atomic::write_volatile(output, &compiled, pu_record::atomic::PRIVATE_FILE)
        .map_err(|error| error.to_string())
}

/// Takes the limits that the parent names, or the default ones. Where a system does not know one, the parent's clock
/// still holds.
fn limit_this_process() {
    let default = CompileLimits::default();
    let figure = |name, default| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let memory = figure(MEMORY_VARIABLE, default.memory);
    let cpu = figure(CPU_VARIABLE, default.cpu_seconds);
    let _ = setrlimit(Resource::RLIMIT_AS, memory, memory);
    let _ = setrlimit(Resource::RLIMIT_CPU, cpu, cpu);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}
