//! One call of a plugin, from a fresh store to a typed outcome. Nothing of a call is left when it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Engine, Store, Trap, UpdateDeadline};

use super::bindings::{AssemblerPre, WireAssembly, WireFailure};
use super::check::one_line;
use super::contract::{Assembly, Granted, SpecReader, Task};
use super::deadline::Deadline;
use super::failure::{FailureCode, PluginFailure};
use super::limits::HostLimits;
use super::memory::StateChanges;
use super::state::CallState;

/// What a plugin's own failure may say.
const MESSAGE_MAX: usize = 500;

pub(super) struct Call<'a> {
    pub(super) engine: &'a Engine,
    pub(super) plugin: &'a AssemblerPre<CallState>,
    pub(super) limits: &'a Arc<HostLimits>,
    pub(super) task: &'a Task,
    pub(super) reader: Arc<dyn SpecReader>,
    pub(super) granted: Granted,
    pub(super) config_json: &'a str,
    pub(super) deadline: Duration,
    /// When the whole chain must have answered.
    pub(super) latest: Instant,
}

/// How the call ended, unchecked, and what the plugin logged.
pub(super) struct Ended {
    pub(super) outcome: Result<Assembly, PluginFailure>,
    /// What it changed of its state; nothing where it failed.
    pub(super) changes: StateChanges,
    pub(super) log: Vec<String>,
}

impl Call<'_> {
    /// Runs the call on this thread, until it ends or its deadline does. The epoch must be advancing.
    pub(super) fn run(self) -> Ended {
        let until = Deadline::after(self.deadline, self.latest);
        let config_json = self.config_json.to_owned();
        let state = CallState::new(self.reader, self.granted, config_json, Arc::clone(self.limits), until);
        let mut store = Store::new(self.engine, state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(self.limits.output);
        store.set_epoch_deadline(1);
        // Each tick asks the deadline: ticks may come late on a loaded machine, the deadline is still the same.
        store.epoch_deadline_callback(|store| {
            store.data().check_deadline()?;
            Ok(UpdateDeadline::Continue(1))
        });
        let answer = self
            .plugin
            .instantiate(&mut store)
            .and_then(|assembler| assembler.call_assemble(&mut store, &self.task.clone().into()));
        let state = store.data_mut();
        let outcome = match answer {
            Ok(Ok(assembly)) => Ok(WireAssembly::into(assembly)),
            Ok(Err(failure)) => Err(own_failure(&failure)),
            Err(error) => Err(ended(&error, state, self.deadline, self.latest)),
        };
        let changes = if outcome.is_ok() { state.take_changes() } else { StateChanges::default() };
        Ended { outcome, changes, log: state.take_log() }
    }
}

/// What the plugin itself gave as the reason.
fn own_failure(failure: &WireFailure) -> PluginFailure {
    let message = one_line(&failure.message, MESSAGE_MAX);
    if failure.code == "config_invalid" {
        return PluginFailure::new(FailureCode::ConfigInvalid, format!("its config does not fit: {message}"));
    }
    PluginFailure::new(FailureCode::Failed, format!("{}: {message}", one_line(&failure.code, 64)))
}

/// Why the call was ended: the host's own reasons first, then what the plugin said, then what the trap says.
fn ended(error: &wasmtime::Error, state: &CallState, deadline: Duration, latest: Instant) -> PluginFailure {
    if let Some(failure) = error.downcast_ref::<PluginFailure>() {
        let mut failure = failure.clone();
        if failure.code == FailureCode::Deadline {
            failure.message = if Instant::now() >= latest {
                "it had not answered when the time of all assemblers together was over".to_owned()
            } else {
                format!("it did not answer within {} ms", deadline.as_millis())
            };
        }
        return failure;
    }
    if let Some(refused) = &state.refused {
        return PluginFailure::new(FailureCode::MemoryLimit, refused.clone());
    }
    if let Some(panic) = &state.panic {
        return PluginFailure::new(FailureCode::Panic, format!("it {panic}"));
    }
    let cause = error.root_cause().to_string();
    // The runtime's type for this is private; a test holds the words.
    if cause.contains("fuel allocated for hostcalls has been exhausted") {
        return PluginFailure::new(FailureCode::OutputLimit, "it handed over more than a plugin may");
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => PluginFailure::new(FailureCode::Trap, format!("it trapped: {trap}")),
        None => PluginFailure::new(FailureCode::Trap, format!("it was ended: {}", one_line(&cause, MESSAGE_MAX))),
    }
}
