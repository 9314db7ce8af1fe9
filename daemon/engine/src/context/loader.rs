//! Keeps plugins ready: a file that has not changed costs one look at it, a changed one is live in the next call.
//!
//! What is pinned otherwise, and what is configured otherwise than its manifest says, is not run. It decides neither: the
//! pin is the lock's, the schema the plugin's.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pu_protocol::context::AssemblerError;
use serde_json::Value;

use super::chain::{Answered, Assembler, Outcome};
use super::config::AssemblerConfig;
use super::config_place::ConfigFiles;
use super::grants;
use super::lineup::{Link, PluginFile};
use super::past::Past;
use super::pins::Pinned;
use super::tally::{Tallies, Went};
use crate::plugins::{
    CallReport, FailureCode, Misfit, Patience, PinnedAs, Plugin, PluginFailure, PluginHost, PluginSource, SpecReader,
    Task,
};

const LOCK_DAMAGED: &str = "lock_damaged";
const CONFIG_INVALID: &str = "config_invalid";

/// What the filesystem says of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let of = |m: Metadata| Self {
            size: m.size(),
            modified: (m.mtime(), m.mtime_nsec()),
            changed: (m.ctime(), m.ctime_nsec()),
            inode: m.ino(),
        };
        std::fs::metadata(path).ok().map(of)
    }
}

/// How the last load ended, and what it went by.
#[derive(Debug)]
struct Last {
    stamp: Option<Stamp>,
    pin: Option<PinnedAs>,
    outcome: Result<Arc<Plugin>, PluginFailure>,
}

/// The plugins that were used, by source.
#[derive(Debug)]
pub(super) struct Loader {
    host: Arc<PluginHost>,
    /// Held for a look-up or a change, never while a plugin is loaded: who waits for a compilation keeps nobody else
    /// waiting. That the same component is compiled once is the host's to see to.
    known: Mutex<HashMap<PluginSource, Last>>,
    tallies: Arc<Tallies>,
}

impl Loader {
    pub(super) fn new(host: Arc<PluginHost>) -> Self {
        Self { host, known: Mutex::default(), tallies: Arc::default() }
    }

    pub(super) fn host(&self) -> &Arc<PluginHost> {
        &self.host
    }

    pub(super) fn tallies(&self) -> &Arc<Tallies> {
        &self.tallies
    }

    /// What runs a link of the chain of the project at `root`, or says why it cannot.
    pub(super) fn runner(
        &self,
        root: &Path,
        link: Link,
        pinned: Pinned,
        files: &ConfigFiles,
        reader: Arc<dyn SpecReader>,
        past: &Arc<Past>,
    ) -> Runner {
        let patience = if link.config.required { Patience::Compiled } else { Patience::Task };
        let (config, mapped) = match files.maps.added_to(&link.config) {
            Ok(config) => (config, Ok(())),
            Err(error) => (link.config, Err(error)),
        };
        let plugin = self.plugin(&link.plugin, pinned, patience).and_then(|plugin| {
            grants::check(&plugin.needs(), &config, files)?;
            mapped?;
            check_config(|value| plugin.misfit(value), &config, files)?;
            Ok(plugin)
        });
        let (past, tallies) = (Arc::clone(past), Arc::clone(&self.tallies));
        Runner { root: root.to_owned(), config, plugin, reader, past, tallies }
    }

    /// The plugin of a place in the chain, compiled, or why it cannot run.
    pub(super) fn plugin(
        &self,
        file: &PluginFile,
        pinned: Pinned,
        patience: Patience,
    ) -> Result<Arc<Plugin>, AssemblerError> {
        let pin = match pinned {
            Pinned::No => None,
            Pinned::As(pin) => Some(pin),
            Pinned::Unknown(why) => {
                let message = format!("what is pinned cannot be read, so that no plugin's file is run: {why}");
                return Err(AssemblerError { code: LOCK_DAMAGED.into(), message });
            }
        };
        let source = source_of(file)?;
        match &source {
            // What comes with the program is soon compiled, and every task wants it.
            PluginSource::Bundled(_) => self.load(&source, None, Patience::Compiled, pin.as_ref()),
            PluginSource::File(path) => {
                // Taken before the file is read: a change meanwhile makes the next look differ.
                let stamp = Stamp::of(path);
                self.load(&source, stamp, patience, pin.as_ref())
            }
        }
    }

    /// Makes a plugin that comes with the program ready.
    pub(super) fn warm_up(&self, name: &str) -> Result<(), AssemblerError> {
        self.load(&PluginSource::Bundled(name.to_owned()), None, Patience::Compiled, None).map(drop)
    }

    fn load(
        &self,
        source: &PluginSource,
        stamp: Option<Stamp>,
        patience: Patience,
        pin: Option<&PinnedAs>,
    ) -> Result<Arc<Plugin>, AssemblerError> {
        let is_current = |last: &&Last| last.stamp == stamp && last.pin.as_ref() == pin && lasts(&last.outcome);
        let known = self.known().get(source).filter(is_current).map(|last| last.outcome.clone());
        let outcome = known.unwrap_or_else(|| {
            let outcome = self.host.load_pinned(source, patience, pin);
            // Where two load at the same time the last one stays: an older stamp only makes the next look differ.
            self.known().insert(source.clone(), Last { stamp, pin: pin.cloned(), outcome: outcome.clone() });
            outcome
        });
        outcome.map_err(|failure| told(&failure))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<PluginSource, Last>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the last load of a file that has not changed since, and has this digest, failed, if it did. Waits for no load.
    pub(super) fn last_failure(&self, source: &PluginSource, digest: &str) -> Option<AssemblerError> {
        let PluginSource::File(path) = source else { return None };
        let stamp = Stamp::of(path);
        let known = self.known();
        let last = known.get(source).filter(|last| last.stamp == stamp)?;
        let failure = last.outcome.as_ref().err()?;
        let still_holds = match failure.code {
            FailureCode::DigestMismatch => false,
            // Nobody may have loaded it since the compiler was done with it.
            FailureCode::Compiling => self.host.is_compiling(digest),
            _ => true,
        };
        still_holds.then(|| told(failure))
    }
}

/// Where the bytes of a link's plugin come from, or why there are none.
pub(super) fn source_of(file: &PluginFile) -> Result<PluginSource, AssemblerError> {
    let refused = |code: &str, message: String| Err(AssemblerError { code: code.into(), message });
    match file {
        PluginFile::Bundled(name) => Ok(PluginSource::Bundled(name.clone())),
        PluginFile::At(path) => Ok(PluginSource::File(path.clone())),
        PluginFile::Missing(path) => refused("not_found", format!("there is no plugin file {path}")),
        PluginFile::Outside(path) => {
            refused("path_outside_project", format!("the link {} leads out of the project", path.display()))
        }
    }
}

/// Fails where the configuration of an assembler does not fit its plugin's manifest, of which `misfit` knows; names key,
/// file and line.
pub(super) fn check_config(
    misfit: impl FnOnce(&Value) -> Result<Option<Misfit>, PluginFailure>,
    config: &AssemblerConfig,
    files: &ConfigFiles,
) -> Result<(), AssemblerError> {
    let invalid = |message: String| AssemblerError { code: CONFIG_INVALID.into(), message };
    let value =
        serde_json::to_value(&config.config).map_err(|error| invalid(format!("its config is no JSON: {error}")))?;
    match misfit(&value).map_err(|failure| told(&failure))? {
        None => Ok(()),
        Some(misfit) => {
            let place = files.place(config, &misfit.path).map_or_else(String::new, |place| format!(" ({place})"));
            Err(invalid(format!("{}{place}", described(&misfit))))
        }
    }
}

/// What does not fit, in one line.
pub(super) fn described(misfit: &Misfit) -> String {
    match misfit.path.join(".") {
        path if path.is_empty() => format!("its config does not fit: {}", misfit.expected),
        path => format!("its config does not fit at `{path}`: {}", misfit.expected),
    }
}

/// Whether loading the same bytes again would end the same way.
fn lasts(outcome: &Result<Arc<Plugin>, PluginFailure>) -> bool {
    use FailureCode::{CacheFailed, Compiling, Unreadable};
    !matches!(outcome, Err(f) if matches!(f.code, Unreadable | CacheFailed | Compiling))
}

pub(super) fn told(failure: &PluginFailure) -> AssemblerError {
    AssemblerError { code: failure.code.as_str().to_owned(), message: failure.message.clone() }
}

/// One call of a plugin as the chain takes it, with what is to be told besides.
pub(super) fn outcome_of(plugin: &Plugin, call: CallReport, notes: Vec<String>) -> Outcome {
    let dropped = call.dropped.iter().map(|d| format!("{}: {}", d.what, d.why)).collect();
    let answer = call.outcome.map(|assembly| Answered { assembly, dropped }).map_err(|failure| told(&failure));
    let (version, elapsed) = (plugin.manifest().version.clone(), call.elapsed);
    Outcome { version, elapsed, notes, log: call.log, changes: call.changes, answer }
}

/// One assembler of a chain, with the specs that it may read.
pub(super) struct Runner {
    /// The project's: what it does in one counts in no other.
    root: PathBuf,
    config: AssemblerConfig,
    plugin: Result<Arc<Plugin>, AssemblerError>,
    reader: Arc<dyn SpecReader>,
    past: Arc<Past>,
    tallies: Arc<Tallies>,
}

impl Assembler for Runner {
    fn config(&self) -> &AssemblerConfig {
        &self.config
    }

    fn reads_labels(&self) -> bool {
        self.plugin.as_ref().is_ok_and(|plugin| plugin.manifest().reads_labels)
    }

    fn ask(&self, task: &Task, config_json: &str, time: Duration, latest: Instant) -> Outcome {
        let plugin = match &self.plugin {
            Ok(plugin) => plugin,
            Err(error) => return Outcome { answer: Err(error.clone()), ..Outcome::default() },
        };
        // A required one is asked each time: it is the user's word that there is no doing without it.
        if let (false, Some(error)) = (self.config.required, self.tallies.set_aside(&self.root, plugin.digest())) {
            let version = plugin.manifest().version.clone();
            return Outcome { version, answer: Err(error), ..Outcome::default() };
        }
        let own = plugin.deadline();
        let (granted, notes) = self.past.granted(&self.config.name, &plugin.needs());
        let call = plugin.assemble_granted(task, &self.reader, granted, config_json, time.min(own), latest);
        // Nobody is to blame for the time that others took, nor for having been given less than was granted.
        let had_less = time < own || Instant::now() >= latest;
        let is_own_fault = call.outcome.as_ref().is_err_and(|failure| {
            failure.code.is_the_plugins() && !(had_less && failure.code == FailureCode::Deadline)
        });
        let outcome = outcome_of(plugin, call, notes);
        self.count(plugin, &outcome, is_own_fault);
        outcome
    }
}

impl Runner {
    fn count(&self, plugin: &Plugin, outcome: &Outcome, is_own_fault: bool) {
        let counted = match &outcome.answer {
            Ok(answered) => Ok(answered.assembly.picks.len()),
            Err(error) => Err((error, is_own_fault)),
        };
        let (name, required) = (self.config.name.as_str(), self.config.required);
        let went = Went { name, elapsed: outcome.elapsed, required, outcome: counted };
        self.tallies.count(&self.root, plugin.digest(), went);
        tracing::info!(
            plugin = self.config.name,
            version = outcome.version,
            elapsed_us = u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX),
            picks = counted.unwrap_or_default(),
            error = counted.err().map(|(error, _)| error.code.as_str()),
            "an assembler was asked"
        );
    }
}
