//! Keeps plugins ready: a file that has not changed costs one look at it, a changed one is live in the next call.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pu_protocol::context::AssemblerError;

use super::chain::{Answered, Assembler, Outcome};
use super::config::AssemblerConfig;
use super::lineup::{Link, PluginFile};
use crate::plugins::{FailureCode, Patience, Plugin, PluginFailure, PluginHost, PluginSource, SpecReader, Task};

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

type Outcomes = Mutex<Option<(Option<Stamp>, Result<Arc<Plugin>, PluginFailure>)>>;

/// The plugins that were used, by source.
#[derive(Debug)]
pub(super) struct Loader {
    host: Arc<PluginHost>,
    /// The outer lock is held for a look-up; an entry's own while that one plugin is loaded, so that it is loaded once.
    known: Mutex<HashMap<PluginSource, Arc<Outcomes>>>,
}

impl Loader {
    pub(super) fn new(host: Arc<PluginHost>) -> Self {
        Self { host, known: Mutex::default() }
    }

    /// What runs a link of the chain, or says why it cannot.
    pub(super) fn runner(&self, link: Link, reader: Arc<dyn SpecReader>) -> Runner {
        let refused = |code: &str, message: String| Err(AssemblerError { code: code.into(), message });
        let plugin = match link.plugin {
            // What comes with the program is soon compiled, and every task wants it.
            PluginFile::Bundled(name) => self.load(&PluginSource::Bundled(name), None, Patience::Compiled),
            PluginFile::At(path) => {
                // Taken before the file is read: a change meanwhile makes the next look differ.
                let stamp = Stamp::of(&path);
                let patience = if link.config.required { Patience::Compiled } else { Patience::Task };
                self.load(&PluginSource::File(path), stamp, patience)
            }
            PluginFile::Missing(path) => refused("not_found", format!("there is no plugin file {path}")),
            PluginFile::Outside(path) => {
                refused("path_outside_project", format!("the link {} leads out of the project", path.display()))
            }
        };
        Runner { config: link.config, plugin, reader }
    }

    fn load(
        &self,
        source: &PluginSource,
        stamp: Option<Stamp>,
        patience: Patience,
    ) -> Result<Arc<Plugin>, AssemblerError> {
        let entry = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(source.clone()).or_default())
        };
        let mut entry = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = match &*entry {
            Some((at, outcome)) if *at == stamp && lasts(outcome) => outcome.clone(),
            _ => {
                let outcome = self.host.load_within(source, patience);
                *entry = Some((stamp, outcome.clone()));
                outcome
            }
        };
        outcome.map_err(|failure| told(&failure))
    }
}

/// Whether loading the same bytes again would end the same way.
fn lasts(outcome: &Result<Arc<Plugin>, PluginFailure>) -> bool {
    use FailureCode::{CacheFailed, Compiling, Unreadable};
    !matches!(outcome, Err(f) if matches!(f.code, Unreadable | CacheFailed | Compiling))
}

fn told(failure: &PluginFailure) -> AssemblerError {
    AssemblerError { code: failure.code.as_str().to_owned(), message: failure.message.clone() }
}

/// One assembler of a chain, with the specs that it may read.
pub(super) struct Runner {
    config: AssemblerConfig,
    plugin: Result<Arc<Plugin>, AssemblerError>,
    reader: Arc<dyn SpecReader>,
}

impl Assembler for Runner {
    fn config(&self) -> &AssemblerConfig {
        &self.config
    }

    fn ask(&self, task: &Task, config_json: &str, time: Duration, latest: Instant) -> Outcome {
        let plugin = match &self.plugin {
            Ok(plugin) => plugin,
            Err(error) => return Outcome { answer: Err(error.clone()), ..Outcome::default() },
        };
        let time = time.min(plugin.deadline());
        let call = plugin.assemble(task, &self.reader, config_json, time, latest);
        let dropped = call.dropped.iter().map(|d| format!("{}: {}", d.what, d.why)).collect();
        let answer = call.outcome.map(|assembly| Answered { assembly, dropped }).map_err(|failure| told(&failure));
        Outcome { version: plugin.manifest().version.clone(), elapsed: call.elapsed, log: call.log, answer }
    }
}
