//! A call that does nothing, one that searches, and a chain of calls that do nothing: through our host, as a native
//! function, and through Extism's.

use std::sync::Arc;

use anyhow::Result;
use extism::{CompiledPlugin, Plugin as Kept};
use pu_engine::plugins::{Assembly, Plugin, PluginSource, SpecReader, Task};

use crate::figure::tell;
use crate::lane::{Lane, race};
use crate::shelf::{Shelf, task};
use crate::site::{CHAIN, Kind, Site, keyword};
use crate::{native, ours, peer};

const ROUNDS: usize = 5_000;
const CHAIN_ROUNDS: usize = 1_000;
/// A native call takes no longer than to look at the clock.
const NATIVE_BATCH: u32 = 16;

pub(crate) fn run(site: &Site) -> Result<()> {
    let shelf = Arc::new(Shelf::new());
    let reader: Arc<dyn SpecReader> = Arc::<Shelf>::clone(&shelf);
    let (host, task) = (site.host()?, task());
    let chain = site.load(&host, Kind::Small, CHAIN)?;
    let searching = host.load(&PluginSource::File(site.searching()))?;
    let compiled = (0..CHAIN).map(|_| peer::compiled(&shelf)).collect::<Result<Vec<_>>>()?;
    tell("extism", &extism::extism_version().trim_end_matches('\0'));
    let empty = Job { name: "empty", plugin: &chain[0], native: native::empty, extism: peer::empty };
    let search = Job { name: "search", plugin: &searching, native: native::search, extism: peer::search };
    for job in [empty, search] {
        one(&job, &compiled[0], &task, &reader)?;
    }
    many(&chain, &compiled, &task, &reader)?;
    // A real plugin, which has next to nothing to do for a task without words.
    let (keyword, wordless) = (host.load(&keyword())?, Task::default());
    race("bundled", ROUNDS, &mut [Lane::new("ours", || ours::call(&keyword, &wordless, &reader))])
}

/// One thing to do, and who does it.
struct Job<'a> {
    name: &'a str,
    plugin: &'a Plugin,
    native: fn(&Task, &dyn SpecReader) -> Result<Assembly>,
    extism: peer::Job,
}

/// One call.
fn one(job: &Job<'_>, extism: &CompiledPlugin, task: &Task, reader: &Arc<dyn SpecReader>) -> Result<()> {
    let mut kept = Kept::new_from_compiled(extism)?;
    let lanes = &mut [
        Lane::new("ours", || ours::call(job.plugin, task, reader)),
        Lane::new("native", || (job.native)(task, &**reader)).mean_of(NATIVE_BATCH),
        Lane::new("extism_kept", || (job.extism)(&mut kept, task)),
        Lane::new("extism_fresh", || peer::fresh(extism, job.extism, task)),
    ];
    race(job.name, ROUNDS, lanes)
}

/// One call of each of many plugins, one after the other on this thread. No two of ours are the same; Extism's are one
/// module, compiled for each apart.
fn many(chain: &[Arc<Plugin>], extism: &[CompiledPlugin], task: &Task, reader: &Arc<dyn SpecReader>) -> Result<()> {
    let mut kept = extism.iter().map(Kept::new_from_compiled).collect::<Result<Vec<_>>>()?;
    let lanes = &mut [
        Lane::new("ours", || last(chain.iter().map(|plugin| ours::call(plugin, task, reader)))),
        Lane::new("native", || last(chain.iter().map(|_| native::empty(task, &**reader)))).mean_of(NATIVE_BATCH),
        Lane::new("extism_kept", || last(kept.iter_mut().map(|plugin| peer::empty(plugin, task)))),
        Lane::new("extism_fresh", || last(extism.iter().map(|plugin| peer::fresh(plugin, peer::empty, task)))),
    ];
    race("chain", CHAIN_ROUNDS, lanes)
}

/// Makes all calls, and gives the last answer.
fn last(calls: impl Iterator<Item = Result<Assembly>>) -> Result<Assembly> {
    let mut answer = Assembly::default();
    for call in calls {
        answer = call?;
    }
    Ok(answer)
}
