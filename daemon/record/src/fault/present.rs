//! What a point does in a build that has points.
//!
//! `PU_FAULT` holds the rules (see `plan`). `PU_FAULT_TRACE` names a file into which every point that is passed is
//! written, a line each: the program, `step` or `moment`, the point, and `fired` where a rule acted. So a test learns which
//! points a request passes and then fails each of them.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getpid, kill_process};

use super::Kind;
use super::plan::{Action, Plan};

const RULES: &str = "PU_FAULT";
const TRACE: &str = "PU_FAULT_TRACE";
/// A test that forgets to let a process go on must not leave it for ever.
const WAIT_MAX: Duration = Duration::from_secs(120);

#[derive(Debug)]
struct Armed {
    /// `Err` is the rule that makes no sense: then every point fails, so that no test passes by a slip of the pen.
    plan: Result<Plan, String>,
    trace: Option<PathBuf>,
    program: String,
}

pub(super) fn hit(kind: Kind, name: impl FnOnce() -> String) -> io::Result<()> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let Some(armed) = ARMED.get_or_init(Armed::from_environment) else { return Ok(()) };
    let name = name();
    let due = match &armed.plan {
        Ok(plan) => plan.due(&name),
        Err(rule) => return Err(io::Error::new(ErrorKind::InvalidInput, format!("{RULES} has no rule {rule:?}"))),
    };
    armed.note(kind, &name, due.is_some());
    due.map_or(Ok(()), act)
}

impl Armed {
    /// `None` where no variable is set, as in all but a few tests.
    fn from_environment() -> Option<Self> {
        let (rules, trace) = (std::env::var(RULES).ok(), std::env::var_os(TRACE).map(PathBuf::from));
        if rules.is_none() && trace.is_none() {
            return None;
        }
        let program =
            std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        Some(Self { plan: Plan::parse(&rules.unwrap_or_default()), trace, program: program.unwrap_or_default() })
    }

    /// One write, so that the lines of several processes do not mix. A trace that cannot be written is seen to be short.
    fn note(&self, kind: Kind, name: &str, fired: bool) {
        let Some(path) = &self.trace else { return };
        let kind = match kind {
            Kind::Step => "step",
            Kind::Moment => "moment",
        };
        let line = format!("{} {kind} {name}{}\n", self.program, if fired { " fired" } else { "" });
        let file = OpenOptions::new().create(true).append(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

fn act(action: &Action) -> io::Result<()> {
    match action {
        Action::Kill => signal_self(Signal::KILL),
        Action::Stop => signal_self(Signal::STOP),
        Action::Wait(file) => wait_for(file),
        // How much is written is the writer's to see to.
        Action::Short => Err(ErrorKind::WriteZero.into()),
        Action::Fail(errno) => Err((*errno).into()),
    }
}

fn signal_self(signal: Signal) -> io::Result<()> {
    Ok(kill_process(getpid(), signal)?)
}

fn wait_for(file: &Path) -> io::Result<()> {
    let mut here = file.as_os_str().to_owned();
    here.push(".here");
    OpenOptions::new().create(true).append(true).open(here)?;
    let deadline = Instant::now() + WAIT_MAX;
    while !file.exists() {
        if Instant::now() > deadline {
            return Err(ErrorKind::TimedOut.into());
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    Ok(())
}
