//! The steps from an agent's folder to a running agent. Each may fail, and then nothing is left running.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::setsid;
use pu_protocol::frame;
use pu_protocol::layout::AgentLayout;
use pu_record::launch::LaunchRecord;
use pu_record::process::{ProcessIdentity, boot_id, has_executed, own_scope};
use pu_record::shim::ShimRecord;
use pu_record::spool::SpoolWriter;
use pu_record::{fault, timestamp};

use crate::error::StartError;
use crate::pty::{self, Command, Pty};
use crate::serve::{Parts, Shim};
use crate::signals::Signals;
use crate::{command, connect, platform, processes};

/// How long a child has to go over to its program before it is taken on trust.
const EXEC_MAX: Duration = Duration::from_secs(2);

/// Starts the agent whose folder is `dir`.
pub(crate) fn start(dir: &Path) -> Result<Shim, StartError> {
    let layout = AgentLayout::new(dir);
    let launch = LaunchRecord::read(&layout.launch()).map_err(StartError::LaunchUnreadable)?;
    refuse_second(&layout)?;
    let command = prepare(&launch, &layout)?;
    pass("shim.detach")?;
    let signals = detach()?;
    pass("shim.spool")?;
    let spool = open_spool(&layout, &launch)?;
    pass("shim.listen")?;
    let listener = connect::listen(&layout.socket())?;
    pass("shim.pty")?;
    let (pty, agent_end) = Pty::open(launch.size)?;
    limit_open_files(launch.file_limit);
    pass("shim.child")?;
    let child = agent_end.spawn(&command)?;
    let confirmed = pass("shim.confirm").and_then(|()| confirm_exec(child, &launch));
    let record = confirmed.and_then(|()| write_record(&layout, child));
    let record = record.inspect_err(|_| processes::end_at_once(child))?;
    // The shim must not keep a worktree or a mounted disk busy. Where it stands matters to nothing it does.
    let _ = std::env::set_current_dir("/");
    Ok(Shim::new(Parts { layout, launch, record, pty, spool, listener, signals }))
}

/// A fault point on the way.
fn pass(point: &str) -> Result<(), StartError> {
    fault::io(point).map_err(|source| StartError::Setup { act: "start the agent", source })
}

fn refuse_second(layout: &AgentLayout) -> Result<(), StartError> {
    match ShimRecord::read(&layout.shim()) {
        Ok(record) if record.is_alive(&boot_id()) => Err(StartError::AlreadyRunning { pid: record.shim.pid }),
        // None, or one that cannot be read: the record is written anew below.
        _ => Ok(()),
    }
}

/// Checks all that can be checked before anything is started.
fn prepare(launch: &LaunchRecord, layout: &AgentLayout) -> Result<Command, StartError> {
    let name = launch.argv.first().ok_or(StartError::NoCommand)?;
    pty::check_cwd(&launch.cwd)?;
    let environment = environment(launch, layout);
    let search_path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let program = command::find(name, &launch.cwd, search_path)
        .ok_or_else(|| StartError::CommandNotFound { command: name.clone() })?;
    Ok(Command { program, argv: launch.argv.clone(), cwd: launch.cwd.clone(), environment })
}

/// The shim's own environment, which the daemon made for the agent, with the terminal that the shim is. The daemon's
/// own `TERM` says nothing about that, so it counts only if the launch itself set it.
fn environment(launch: &LaunchRecord, layout: &AgentLayout) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<_> = std::env::vars_os().collect();
    for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")] {
        if !launch.env_names.iter().any(|n| n == name) {
            environment.retain(|(n, _)| n != name);
            environment.push((name.into(), value.into()));
        }
    }
    // An agent that was spawned by an agent has these of the outer one.
    environment.retain(|(name, _)| name != "PU_SHIM_SOCKET" && name != "PU_HOOK");
    environment.push(("PU_SHIM_SOCKET".into(), layout.socket().into()));
    environment.extend(hook_program().map(|program| ("PU_HOOK".into(), program.into())));
    environment
}

/// The program that a hook of the agent's runs, where it lies beside the shim: `"$PU_HOOK" _hook` tells the shim.
fn hook_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name("pu");
    program.is_file().then_some(program)
}

/// Leaves the session of whoever started the shim, and takes charge of signals and orphans.
fn detach() -> Result<Signals, StartError> {
    // It fails if the shim leads a group already, which is just as good: the daemon started it so.
    let _ = setsid();
    let setup = |act| move |source| StartError::Setup { act, source };
    platform::adopt_orphans().map_err(setup("become the parent of orphans"))?;
    Signals::install().map_err(setup("install signal handlers"))
}

/// Goes back to the limit of open files that the daemon was started with, which the agent inherits: some programs
/// cannot live with a high one.
fn limit_open_files(soft: Option<u64>) {
    let Some(soft) = soft else { return };
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Should the system refuse, the agent may open more files than it expects, which is no reason not to start it.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, soft.min(hard), hard);
    }
}

fn open_spool(layout: &AgentLayout, launch: &LaunchRecord) -> Result<SpoolWriter, StartError> {
    let path = layout.output();
    SpoolWriter::open(&path, launch.spool_limit).map_err(|source| StartError::SpoolUnwritable { path, source })
}

/// Waits until the child runs its program. Between fork and exec it closes the pipe through which the standard
/// library would have reported a failure, so the kernel is asked instead.
fn confirm_exec(child: i32, launch: &LaunchRecord) -> Result<(), StartError> {
    let deadline = Instant::now() + EXEC_MAX;
    while has_executed(child) == Some(false) && Instant::now() < deadline {
        let ended = ProcessIdentity::of(child).is_some_and(|identity| !identity.is_alive());
        if ended && has_executed(child) == Some(false) {
            let command = launch.argv.first().cloned().unwrap_or_default();
            return Err(StartError::ExecFailed { command });
        }
        let wait = platform::wait(&mut [], Some(Duration::from_millis(1)));
        wait.map_err(|source| StartError::Setup { act: "wait for the agent to start", source })?;
    }
    Ok(())
}

fn write_record(layout: &AgentLayout, child: i32) -> Result<ShimRecord, StartError> {
    let gone = || StartError::SpawnFailed { reason: "the process cannot be seen".into() };
    let record = ShimRecord {
        version: ShimRecord::VERSION,
        protocol: frame::VERSION,
        capabilities: frame::CAPABILITIES.iter().map(|c| (*c).to_owned()).collect(),
        binary: std::env::current_exe().unwrap_or_default(),
        engine_version: env!("CARGO_PKG_VERSION").to_owned(),
        shim: ProcessIdentity::own().ok_or_else(gone)?,
        child: ProcessIdentity::of(child).ok_or_else(gone)?,
        boot_id: boot_id(),
        socket: layout.socket(),
        scope: own_scope(),
        started_at: timestamp::now(),
        ..ShimRecord::default()
    };
    record.write(&layout.shim()).map_err(StartError::RecordUnwritable)?;
    Ok(record)
}
