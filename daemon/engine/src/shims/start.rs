//! Starting a shim and hearing from it that its agent runs.
//!
//! The shim says so itself, on the pipe that is its standard output: no polling and no guessing. This file never learns
//! what an environment variable holds beyond passing it on.

use super::scope::Scope;
use pu_protocol::layout::AgentLayout;
use pu_protocol::{ErrorBody, ErrorCode};
use pu_record::fault;
use pu_record::shim::{ShimRecord, StartFailure, StartReport};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long a shim may take to say that its agent runs.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// The longest ready line, in bytes.
const READY_LINE_MAX: u64 = 64 * 1024;

/// The `pu-shim` program.
#[derive(Debug, Clone)]
pub struct ShimProgram(pub PathBuf);

impl ShimProgram {
    /// `PU_SHIM` if set, else the `pu-shim` beside the running daemon.
    pub fn locate() -> io::Result<Self> {
        if let Some(path) = std::env::var_os("PU_SHIM") {
            return Ok(Self(path.into()));
        }
        let own = std::env::current_exe()?;
        Ok(Self(own.with_file_name("pu-shim")))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start the shim {}: {source}", program.display())]
    Spawn { program: PathBuf, source: io::Error },
    #[error("cannot open {}: {source}", path.display())]
    Log { path: PathBuf, source: io::Error },
    /// The shim said itself why it could not start the agent.
    #[error("{}", .0.message)]
    Refused(StartFailure),
    #[error("the shim ended ({status}) before its agent ran; {} may say why", log.display())]
    Died { status: ExitStatus, log: PathBuf },
    #[error("the shim said nothing that can be understood: {0}")]
    Gibberish(String),
    /// `ended`: it went when it was asked to, and with it whatever it had started.
    #[error("the shim did not say within {} s that its agent runs", READY_LIMIT.as_secs())]
    TimedOut { ended: bool },
}

impl StartError {
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::Refused(failure) => told(failure),
            Self::Spawn { .. } => ErrorBody::new(ErrorCode::LaunchFailed, self.to_string())
                .with_hint("pu, pu-engine and pu-shim belong side by side; reinstall them together"),
            Self::TimedOut { .. } => ErrorBody::new(ErrorCode::TimedOut, self.to_string()),
            Self::Log { .. } => ErrorBody::new(ErrorCode::Io, self.to_string()),
            Self::Died { .. } | Self::Gibberish(_) => ErrorBody::new(ErrorCode::LaunchFailed, self.to_string()),
        }
    }

    /// Whether this is how it looks when no scope is to be had, and no process is left of the attempt.
    fn may_lack_a_scope(&self) -> bool {
        matches!(self, Self::Spawn { .. } | Self::Died { .. } | Self::TimedOut { ended: true })
    }
}

/// The shim's own words, under the protocol's code if it has that one.
fn told(failure: &StartFailure) -> ErrorBody {
    let code = serde_json::from_value(failure.code.clone().into()).unwrap_or(ErrorCode::LaunchFailed);
    let body = ErrorBody::new(code, failure.message.clone());
    if failure.hint.is_empty() { body } else { body.with_hint(failure.hint.clone()) }
}

/// Starts the shim of the agent whose folder (with its `launch.json`) is `layout`; `env` is the agent's whole
/// environment. If this answers an error, no process of it is left.
pub async fn start(
    program: &ShimProgram,
    layout: &AgentLayout,
    agent_id: &str,
    env: BTreeMap<String, String>,
) -> Result<ShimRecord, StartError> {
    let env = Arc::new(env);
    let scope = {
        let (agent_id, env) = (agent_id.to_owned(), Arc::clone(&env));
        tokio::task::spawn_blocking(move || Scope::find(&agent_id, &env)).await.ok().flatten()
    };
    if let Some(scope) = scope {
        let unit = scope.unit.clone();
        match launch(program, layout, &env, Some(scope)).await {
            Err(error) if error.may_lack_a_scope() => {
                if !taken_back(layout).await {
                    return Err(error);
                }
                tracing::warn!(%error, unit, "systemd-run gave no scope; the shim starts without one");
            }
            outcome => return outcome,
        }
    }
    launch(program, layout, &env, None).await
}

/// Removes what an attempt left that came to nothing. Answers whether it did come to nothing: a shim that has recorded
/// its agent had its scope, and that agent is not started a second time.
async fn taken_back(layout: &AgentLayout) -> bool {
    let layout = layout.clone();
    let taken = tokio::task::spawn_blocking(move || {
        if layout.shim().exists() {
            return false;
        }
        let removed = [std::fs::remove_file(layout.socket()), std::fs::remove_dir_all(layout.output())];
        removed.iter().all(|outcome| !matches!(outcome, Err(error) if error.kind() != io::ErrorKind::NotFound))
    });
    taken.await.unwrap_or(false)
}

async fn launch(
    program: &ShimProgram,
    layout: &AgentLayout,
    env: &Arc<BTreeMap<String, String>>,
    scope: Option<Scope>,
) -> Result<ShimRecord, StartError> {
    let mut child = {
        let (program, layout, env) = (program.clone(), layout.clone(), Arc::clone(env));
        let shim = program.0.clone();
        let spawned = tokio::task::spawn_blocking(move || spawn(&program, &layout, &env, scope.as_ref()));
        spawned.await.map_err(|error| StartError::Spawn { program: shim, source: io::Error::other(error) })??
    };
    match tokio::time::timeout(READY_LIMIT, hear(&mut child, &layout.shim_log())).await {
        Ok(Ok(record)) => {
            // The shim outlives this; while this lives it collects the shim's exit status.
            tokio::spawn(async move { child.wait().await });
            Ok(record)
        }
        Ok(Err(error)) => {
            give_up(child, matches!(error, StartError::Gibberish(_))).await;
            Err(error)
        }
        Err(_) => Err(StartError::TimedOut { ended: give_up(child, true).await }),
    }
}

/// Waits until the shim has ended, after telling it to if it may still serve an agent. SIGTERM makes a shim end its agent
/// first; SIGKILL, the last resort, would leave the agent behind. Answers whether it went without that.
async fn give_up(mut child: Child, may_serve: bool) -> bool {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    if let (true, Some(pid)) = (may_serve, pid) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
    let went = tokio::time::timeout(READY_LIMIT, child.wait()).await.is_ok();
    if !went {
        let _ = child.kill().await;
    }
    went
}

/// Blocking: until the program is executed.
fn spawn(
    program: &ShimProgram,
    layout: &AgentLayout,
    env: &BTreeMap<String, String>,
    scope: Option<&Scope>,
) -> Result<Child, StartError> {
    let path = layout.shim_log();
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let opened = fault::file("open", &path).and_then(|()| options.open(&path));
    let log = opened.map_err(|source| StartError::Log { path, source })?;
    let mut line = scope.map(Scope::prefix).unwrap_or_default();
    line.push(program.0.clone().into());
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .arg("--dir")
        .arg(layout.root())
        .env_clear()
        .envs(env)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    fault::io("shim.fork")
        .and_then(|()| command.spawn())
        .map_err(|source| StartError::Spawn { program: PathBuf::from(&line[0]), source })
}

/// Reads the one line that a shim says.
async fn hear(child: &mut Child, log: &Path) -> Result<ShimRecord, StartError> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout.take(READY_LINE_MAX));
        fault::io("shim.hear").map_err(|e| StartError::Gibberish(e.to_string()))?;
        reader.read_line(&mut line).await.map_err(|e| StartError::Gibberish(e.to_string()))?;
    }
    if line.is_empty() {
        let status = child.wait().await.map_err(|e| StartError::Gibberish(e.to_string()))?;
        return Err(StartError::Died { status, log: log.into() });
    }
    match serde_json::from_str(&line) {
        Ok(StartReport::Ready(record)) => Ok(*record),
        Ok(StartReport::Failed(failure)) => Err(StartError::Refused(failure)),
        Err(e) => Err(StartError::Gibberish(format!("{e}: {}", line.trim_end()))),
    }
}
