//! The host: loads plugins and calls them. Everything of wasmtime stands behind this file.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::{Assembler, AssemblerPre};
use super::cache::{Cache, sha256};
use super::call::Call;
use super::check::{Dropped, check};
use super::compile::CompilerCommand;
use super::component::inspect;
use super::contract::{Assembly, Granted, SpecReader, Task};
use super::failure::{FailureCode, PluginFailure};
use super::gate::Gate;
use super::grant::Grant;
use super::limits::{HostLimits, running_engine};
use super::manifest::Manifest;
use super::memory::StateChanges;
use super::pin::PinnedAs;
use super::read::{read_plugin, unreadable};
use super::schema::{ConfigSchema, Misfit};
use super::state::CallState;
use super::ticker::Ticker;
use super::workshop::Workshop;

/// A plugin that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct BundledPlugin {
    pub name: &'static str,
    pub bytes: &'static [u8],
}

/// The plugins that come with the program: ordinary ones, built with the public SDK by `plugins/build`.
pub fn bundled() -> &'static [BundledPlugin] {
    &[
        BundledPlugin { name: "keyword", bytes: include_bytes!("../../../../plugins/dist/keyword.wasm") },
        BundledPlugin { name: "tags", bytes: include_bytes!("../../../../plugins/dist/tags.wasm") },
        BundledPlugin { name: "context-map", bytes: include_bytes!("../../../../plugins/dist/context-map.wasm") },
        BundledPlugin { name: "classify", bytes: include_bytes!("../../../../plugins/dist/classify.wasm") },
    ]
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PluginSource {
    /// One of [`bundled`], by name.
    Bundled(String),
    /// A component on disk, by a path whose links are resolved: none is followed any more. It is read at each load, so that
    /// a replaced file acts at once.
    File(PathBuf),
}

impl PluginSource {
    /// The component at a path that the user named, by links or without.
    pub fn named(path: &Path) -> Self {
        // What is wrong with one that cannot be found is told when it is read.
        Self::File(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    /// Its bytes as they are now, unchecked. Blocks.
    pub fn read(&self) -> Result<Vec<u8>, PluginFailure> {
        match self {
            Self::Bundled(name) => match bundled().iter().find(|plugin| plugin.name == name) {
                Some(plugin) => Ok(plugin.bytes.to_vec()),
                None => Err(unreadable(format!("no plugin {name:?} comes with this program"))),
            },
            Self::File(path) => read_plugin(path),
        }
    }
}

/// What the host shares with its plugins, which may outlive it in calls that are in flight.
struct Core {
    engine: Engine,
    limits: Arc<HostLimits>,
    ticker: Ticker,
    gate: Gate,
}

#[derive(Default)]
struct Loaded {
    /// What each source gave the last time: a call in flight keeps its own hold on an older one.
    plugins: HashMap<PluginSource, Arc<Plugin>>,
}

/// Loads plugins and keeps them ready.
pub struct PluginHost {
    core: Arc<Core>,
    linker: Linker<CallState>,
    workshop: Workshop,
    /// Held for lookups only.
    loaded: Mutex<Loaded>,
}

/// How long a caller can wait for a plugin that has yet to be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As long as a task waits: `HostLimits::compile_wait`.
    Task,
    /// Until the compiler is done with it.
    Compiled,
}

impl PluginHost {
    /// A host that keeps compiled plugins in `cache_dir` and has them compiled by `compiler`.
    pub fn new(cache_dir: &Path, compiler: CompilerCommand, limits: HostLimits) -> Result<Self, PluginFailure> {
        let cannot =
            |error: String| PluginFailure::new(FailureCode::CacheFailed, format!("no plugin can run: {error}"));
        let engine = running_engine(&limits).map_err(|error| cannot(format!("{error:#}")))?;
        let mut linker = Linker::new(&engine);
        Assembler::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
            .map_err(|error| cannot(format!("{error:#}")))?;
        let cache = Cache::open(cache_dir, &engine)?;
        let ticker = Ticker::start(&engine).map_err(|error| cannot(error.to_string()))?;
        let gate = Gate::new(limits.concurrent_calls);
        let core = Arc::new(Core { engine, limits: Arc::new(limits), ticker, gate });
        let workshop = Workshop::new(cache, compiler, core.limits.compile);
        Ok(Self { core, linker, workshop, loaded: Mutex::default() })
    }

    /// The plugin of this source: at once if it is loaded and has not changed, within a millisecond or so from the
    /// cache, else compiled first. Blocks.
    pub fn load(&self, source: &PluginSource) -> Result<Arc<Plugin>, PluginFailure> {
        self.load_within(source, Patience::Compiled)
    }

    /// As [`PluginHost::load`]; with the patience of a task, a plugin that takes the compiler long fails with
    /// [`FailureCode::Compiling`] until it is done.
    pub fn load_within(&self, source: &PluginSource, patience: Patience) -> Result<Arc<Plugin>, PluginFailure> {
        self.load_pinned(source, patience, None)
    }

    /// As [`PluginHost::load_within`]; bytes other than those that are pinned are not even compiled.
    pub fn load_pinned(
        &self,
        source: &PluginSource,
        patience: Patience,
        pin: Option<&PinnedAs>,
    ) -> Result<Arc<Plugin>, PluginFailure> {
        let bytes = source.read()?;
        let digest = sha256(&bytes);
        if let Some(pin) = pin {
            pin.check_digest(&digest, source)?;
        }
        let known = self.loaded().plugins.get(source).filter(|plugin| plugin.digest == digest).cloned();
        let plugin = match known {
            Some(plugin) => plugin,
            None => {
                let plugin = Arc::new(self.make(bytes, digest, patience)?);
                self.loaded().plugins.insert(source.clone(), Arc::clone(&plugin));
                plugin
            }
        };
        if let Some(pin) = pin {
            pin.check_imports(&plugin.imports, source)?;
        }
        Ok(plugin)
    }

    /// The plugin that these bytes are, compiled (or taken from the cache) and linked. The host keeps no hold on it. Blocks.
    pub fn prepare(&self, bytes: Vec<u8>) -> Result<Plugin, PluginFailure> {
        let digest = sha256(&bytes);
        self.make(bytes, digest, Patience::Compiled)
    }

    fn make(&self, bytes: Vec<u8>, digest: String, patience: Patience) -> Result<Plugin, PluginFailure> {
        let inspection = inspect(&bytes)?;
        let wait = match patience {
            Patience::Task => Some(self.core.limits.compile_wait),
            Patience::Compiled => None,
        };
        let component = self.workshop.component(&self.core.engine, &digest, bytes, wait)?;
        let wrong = |error: wasmtime::Error| {
            PluginFailure::new(FailureCode::WrongContract, format!("its shapes are not the contract's: {error:#}"))
        };
        let linked = self.linker.instantiate_pre(&component).and_then(AssemblerPre::new).map_err(wrong)?;
        let core = Arc::clone(&self.core);
        let (manifest, imports) = (inspection.manifest, inspection.imports);
        Ok(Plugin { core, linked, manifest, imports, digest, schema: OnceLock::new() })
    }

    /// How long a call of a plugin with this manifest may take: what it asks for, as far as the host grants it.
    pub fn deadline_of(&self, manifest: &Manifest) -> Duration {
        granted(&self.core.limits, manifest)
    }

    /// Whether the component of this digest is being compiled.
    pub fn is_compiling(&self, digest: &str) -> bool {
        self.workshop.is_compiling(digest)
    }

    /// How many calls run at the same time.
    pub fn concurrent_calls(&self) -> usize {
        self.core.limits.concurrent_calls as usize
    }

    fn loaded(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginHost").field("workshop", &self.workshop).finish_non_exhaustive()
    }
}

/// A plugin that is ready to be called, from any thread.
pub struct Plugin {
    core: Arc<Core>,
    linked: AssemblerPre<CallState>,
    manifest: Manifest,
    /// All that it can reach.
    imports: Vec<String>,
    digest: String,
    /// Made at the first look at a config: a plugin that is only loaded needs none.
    schema: OnceLock<Result<ConfigSchema, PluginFailure>>,
}

/// One call: how it ended, and all that is to be told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallReport {
    /// From the start of the call to its checked answer; waiting for a place not included.
    pub elapsed: Duration,
    pub outcome: Result<Assembly, PluginFailure>,
    /// What of the answer did not go on as it was given.
    pub dropped: Vec<Dropped>,
    /// What it changed of its state, which nobody has kept yet; nothing where it failed.
    pub changes: StateChanges,
    /// `level: message`.
    pub log: Vec<String>,
}

impl Plugin {
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it has to be granted: without it, its calls of those interfaces fail.
    pub fn needs(&self) -> Vec<Grant> {
        Grant::needed(&self.imports)
    }

    /// How long a call may take: what the manifest asks for, as far as the host grants it.
    pub fn deadline(&self) -> Duration {
        granted(&self.core.limits, &self.manifest)
    }

    /// Where a config does not fit the manifest's schema, if it does not; fails where the schema cannot be used.
    pub fn misfit(&self, config: &Value) -> Result<Option<Misfit>, PluginFailure> {
        match self.schema.get_or_init(|| ConfigSchema::new(self.manifest.config.as_ref())) {
            Ok(schema) => schema.misfit(config),
            Err(failure) => Err(failure.clone()),
        }
    }

    /// As [`Plugin::assemble_granted`], with nothing granted.
    pub fn assemble(
        &self,
        task: &Task,
        reader: &Arc<dyn SpecReader>,
        config_json: &str,
        deadline: Duration,
        latest: Instant,
    ) -> CallReport {
        self.assemble_granted(task, reader, Granted::default(), config_json, deadline, latest)
    }

    /// Runs the plugin on this thread: for async callers, within `spawn_blocking`. `config_json` is a JSON object.
    ///
    /// Comes back within `deadline` of this thread's processor time and no later than `latest`, whatever the plugin
    /// does, plus a few milliseconds and one call of `reader`.
    pub fn assemble_granted(
        &self,
        task: &Task,
        reader: &Arc<dyn SpecReader>,
        granted: Granted,
        config_json: &str,
        deadline: Duration,
        latest: Instant,
    ) -> CallReport {
        let core = &self.core;
        let _place = core.gate.enter(reader.place());
        let started = Instant::now();
        let ended = {
            let _ticking = core.ticker.run();
            let reader = Arc::clone(reader);
            let (engine, plugin, limits) = (&core.engine, &self.linked, &core.limits);
            Call { engine, plugin, limits, task, reader, granted, config_json, deadline, latest }.run()
        };
        let (outcome, dropped) = match ended.outcome {
            Ok(answer) => {
                let checked = check(answer, |id| reader.get(id).is_ok());
                (Ok(checked.assembly), checked.dropped)
            }
            Err(failure) => (Err(failure), Vec::new()),
        };
        CallReport { elapsed: started.elapsed(), outcome, dropped, changes: ended.changes, log: ended.log }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("manifest", &self.manifest).field("digest", &self.digest).finish_non_exhaustive()
    }
}

fn granted(limits: &HostLimits, manifest: &Manifest) -> Duration {
    let asked = manifest.limits.deadline_ms.map(Duration::from_millis);
    asked.map_or(limits.deadline, |asked| asked.min(limits.deadline_max))
}
