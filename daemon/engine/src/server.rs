//! The daemon's life: start-up in its settled order, serving, and an orderly end.
//!
//! Only what happens once, in this process; what a request does is the `engine` room's.

use crate::context::ContextEngine;
use crate::engine::{Engine, EngineOptions};
use crate::ipc::{Instance, InstanceError, Listener, ListenerError};
use crate::plugins::{CompilerCommand, HostLimits, PluginFailure, PluginHost};
use crate::shims::ShimProgram;
use crate::store::StoreError;
use crate::{log, platform};
use pu_protocol::Event;
use pu_protocol::layout::HomeLayout;
use pu_record::atomic::create_private_folder;
use pu_record::fault;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long requests under way may take to finish when the daemon stops.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// How long subscribers may then take to read their last events.
const TELL_LIMIT: Duration = Duration::from_secs(1);
/// Few threads suffice: the work is in blocking calls and in other processes.
const WORKERS: usize = 2;
/// They end when they are idle. A project that hangs can keep a few of them, see `gates`, and so can many such projects.
const BLOCKING_MAX: usize = 128;

/// What was asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct ServeOptions {
    pub managed: bool,
    pub socket: Option<PathBuf>,
    pub background: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("neither PU_HOME nor HOME is set, so there is no place for the daemon's files")]
    NoHome,
    #[error(transparent)]
    Instance(#[from] InstanceError),
    #[error(transparent)]
    Listener(#[from] ListenerError),
    #[error(transparent)]
    Record(#[from] pu_record::RecordError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the plugin host cannot start: {0}")]
    Plugins(#[from] PluginFailure),
    #[error("cannot {act}: {source}")]
    System { act: &'static str, source: std::io::Error },
}

/// Runs the daemon to its end. The loser of a race for the lock has nothing to do and exits 0.
pub fn main(options: ServeOptions) -> ExitCode {
    log::start();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeError::Instance(error @ InstanceError::AlreadyRunning { .. })) => {
            tracing::info!("{error}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: ServeOptions) -> Result<(), ServeError> {
    let parent = platform::parent();
    if options.background {
        // Fails only where this is a session's leader already, which is what is wanted.
        let _ = nix::unistd::setsid();
    }
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let home = HomeLayout::from_values(var("PU_HOME"), var("HOME")).ok_or(ServeError::NoHome)?;
    create_private_folder(home.root())?;
    let home = HomeLayout::new(
        std::fs::canonicalize(home.root()).map_err(|source| ServeError::System { act: "find PU_HOME", source })?,
    );
    let instance = Instance::acquire(&home, !options.managed)?;
    let file_limit = platform::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_MAX)
        .thread_name("pu-engine")
        .enable_all()
        .build()
        .map_err(|source| ServeError::System { act: "start the runtime", source })?;
    let served = runtime.block_on(serve(home, options, parent, file_limit));
    // Blocking work that hangs (a dead network disk, say) does not keep the daemon from ending.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(instance);
    served
}

async fn serve(
    home: HomeLayout,
    options: ServeOptions,
    parent: i32,
    file_limit: Option<u64>,
) -> Result<(), ServeError> {
    let mut signals = Signals::new().map_err(|source| ServeError::System { act: "listen for signals", source })?;
    let socket = options.socket.unwrap_or_else(|| home.daemon_socket());
    let engine = create_engine(home, socket.clone(), options.managed, file_limit)?;
    fault::point("daemon.recover")?;
    engine.recover().await;
    engine.note_older_trust();
    fault::point("daemon.bind")?;
    let listener = Listener::bind(&socket).await?;
    fault::reach("daemon.serve");
    engine.warm_up();
    engine.discover();
    tracing::info!(socket = %socket.display(), pid = std::process::id(), managed = options.managed, "serving");
    let keeper = engine.clone();
    tokio::spawn(async move { keeper.keep_bounds().await });
    if options.managed {
        let engine = engine.clone();
        tokio::spawn(async move { engine.resume_stopped().await });
    }
    let reason = tokio::select! {
        () = listener.serve(engine.clone()) => "the listener ended",
        () = engine.stopping().cancelled() => "shutdown was asked for",
        name = signals.next() => name,
        () = platform::gone(parent), if options.managed => "the application ended",
    };
    tracing::info!(reason, "stopping");
    fault::reach("daemon.stop");
    finish(&engine, options.managed).await;
    fault::reach("daemon.stopped");
    Ok(())
}

fn create_engine(
    home: HomeLayout,
    socket: PathBuf,
    managed: bool,
    file_limit: Option<u64>,
) -> Result<Engine, ServeError> {
    let system = |act| move |source| ServeError::System { act, source };
    let shim = ShimProgram::locate().map_err(system("find the program pu-shim"))?;
    let own = std::env::current_exe().map_err(system("find the running program"))?;
    let compiler = CompilerCommand::engine(own);
    let host = PluginHost::new(&home.cache(), compiler, HostLimits::default())?;
    let context = ContextEngine::new(Arc::new(host), home.clone());
    Ok(Engine::new(EngineOptions { home, socket, managed, shim, file_limit }, context)?)
}

/// Requests under way are finished; a managed daemon ends its agents first.
async fn finish(engine: &Engine, managed: bool) {
    if managed && !engine.stopping().is_cancelled() {
        let stopped = engine.stop_agents().await;
        tracing::info!(stopped, "agents were ended");
    }
    engine.announce(Event::DaemonStopping);
    engine.stopping().cancel();
    engine.refuse_more();
    if tokio::time::timeout(DRAIN_LIMIT, engine.drained()).await.is_err() {
        tracing::warn!("requests under way did not finish in time");
    }
    if tokio::time::timeout(TELL_LIMIT, engine.told()).await.is_err() {
        tracing::warn!("a subscriber does not read: it was not told of the last events");
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
