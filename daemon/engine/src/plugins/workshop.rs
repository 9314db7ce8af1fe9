//! Makes sure that a component is compiled once, whoever asks and how often: from the cache, or by a compilation that
//! goes on although nobody waits for it any more.
//!
//! Invariant: at most one compilation runs at a time; for the machine that is enough.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Cache;
use super::compile::CompilerCommand;
use super::failure::{FailureCode, PluginFailure};
use super::limits::CompileLimits;

type Compiled = Result<Component, PluginFailure>;

/// A compilation: under way, or how it ended.
#[derive(Default)]
struct Job {
    ended: Mutex<Option<Compiled>>,
    changed: Condvar,
}

impl Job {
    fn ended(&self) -> MutexGuard<'_, Option<Compiled>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, compiled: Compiled) {
        *self.ended() = Some(compiled);
        self.changed.notify_all();
    }

    /// Waits so long (without a figure: to the end) for the outcome.
    fn wait(&self, at_most: Option<Duration>) -> Option<Compiled> {
        let under_way = |ended: &mut Option<Compiled>| ended.is_none();
        let ended = match at_most {
            None => self.changed.wait_while(self.ended(), under_way).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let waited = self.changed.wait_timeout_while(self.ended(), limit, under_way);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        ended.clone()
    }
}

struct Shared {
    cache: Cache,
    compiler: CompilerCommand,
    limits: CompileLimits,
    /// Held while the compiler runs.
    bench: Mutex<()>,
    /// By digest; held for lookups only. What has ended is taken out.
    jobs: Mutex<HashMap<String, Arc<Job>>>,
}

pub(super) struct Workshop {
    shared: Arc<Shared>,
}

impl Workshop {
    pub(super) fn new(cache: Cache, compiler: CompilerCommand, limits: CompileLimits) -> Self {
        let shared = Shared { cache, compiler, limits, bench: Mutex::default(), jobs: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The compiled component of these bytes. Blocks, for a compilation no longer than `wait`.
    pub(super) fn component(
        &self,
        engine: &Engine,
        digest: &str,
        bytes: Vec<u8>,
        wait: Option<Duration>,
    ) -> Result<Component, PluginFailure> {
        let shared = &self.shared;
        if let Some(component) = shared.cache.get(engine, digest) {
            return Ok(component);
        }
        if let Some(failure) = shared.cache.refused(digest) {
            return Err(failure);
        }
        let job = self.job(engine, digest, bytes)?;
        job.wait(wait).unwrap_or_else(|| {
            let message = "it is being compiled, which takes once and long: a later task will have it";
            Err(PluginFailure::new(FailureCode::Compiling, message))
        })
    }

    /// Whether this component is being compiled, or waits for that.
    pub(super) fn is_compiling(&self, digest: &str) -> bool {
        self.shared.jobs().contains_key(digest)
    }

    /// The compilation of this component, which is started if nobody has.
    fn job(&self, engine: &Engine, digest: &str, bytes: Vec<u8>) -> Result<Arc<Job>, PluginFailure> {
        let mut jobs = self.shared.jobs();
        if let Some(job) = jobs.get(digest) {
            return Ok(Arc::clone(job));
        }
        let job = Arc::new(Job::default());
        let (shared, theirs) = (Arc::clone(&self.shared), Arc::clone(&job));
        let (engine, name) = (engine.clone(), digest.to_owned());
        std::thread::Builder::new()
            .name("plugin-compiler".to_owned())
            .spawn(move || {
                let compiled = shared.compile(&engine, &name, &bytes);
                // Out of the table first: who asks from here on finds the cache filled, or tries again.
                shared.jobs().remove(&name);
                theirs.end(compiled);
            })
            .map_err(|error| PluginFailure::new(FailureCode::CompileFailed, format!("no thread for it: {error}")))?;
        jobs.insert(digest.to_owned(), Arc::clone(&job));
        Ok(job)
    }
}

impl std::fmt::Debug for Workshop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Shared { cache, compiler, .. } = &*self.shared;
        f.debug_struct("Workshop").field("cache", cache).field("compiler", compiler).finish_non_exhaustive()
    }
}

impl Shared {
    fn jobs(&self) -> MutexGuard<'_, HashMap<String, Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn compile(&self, engine: &Engine, digest: &str, bytes: &[u8]) -> Compiled {
        let _alone = self.bench.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = self.cache.get(engine, digest) {
            return Ok(component);
        }
        let made = self.cache.make(engine, digest, bytes, &self.compiler, self.limits);
        if let Err(failure) = &made
            && matches!(failure.code, FailureCode::CompileLimit | FailureCode::MemoryLimit)
        {
            self.cache.refuse(digest, failure);
        }
        made
    }
}
