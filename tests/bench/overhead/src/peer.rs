//! The two jobs as a plugin of Extism, by its own host library and with the limits that ours has on time and memory.
//!
//! An instance of Extism's is meant to be kept and called again, and then remembers what an earlier call left in its
//! memory; ours never does. So both are measured: the one that is kept, and one that is made for the call.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use extism::{CompiledPlugin, CurrentPlugin, Error, Manifest, PTR, Plugin, PluginBuilder, UserData, Val, Wasm};
use pu_engine::plugins::{Assembly, Attr, Hit, SpecReader as _, Task};
use serde::{Deserialize, Serialize};

use crate::guest;
use crate::native::{picked, query};
use crate::shelf::Shelf;

const TIME: Duration = Duration::from_millis(50);
/// 64 MiB.
const MEMORY_PAGES: u32 = 1024;

/// One of the jobs, by a plugin that is ready.
pub(crate) type Job = fn(&mut Plugin, &Task) -> Result<Assembly>;

/// Compiled in memory only: its cache would be in the user's home.
pub(crate) fn compiled(shelf: &Arc<Shelf>) -> Result<CompiledPlugin> {
    let module = wat::parse_str(guest::EXTISM)?;
    let manifest = Manifest::new([Wasm::data(module)]).with_timeout(TIME).with_memory_max(MEMORY_PAGES);
    PluginBuilder::new(manifest)
        .with_cache_disabled()
        .with_function("search", [PTR], [PTR], UserData::new(Arc::clone(shelf)), host_search)
        .compile()
}

/// The job by an instance that is made for it and thrown away.
pub(crate) fn fresh(compiled: &CompiledPlugin, job: Job, task: &Task) -> Result<Assembly> {
    job(&mut Plugin::new_from_compiled(compiled)?, task)
}

pub(crate) fn empty(plugin: &mut Plugin, task: &Task) -> Result<Assembly> {
    plugin.call::<&str, ()>("empty", task.prompt.as_str())?;
    Ok(Assembly::default())
}

pub(crate) fn search(plugin: &mut Plugin, task: &Task) -> Result<Assembly> {
    let answer = plugin.call::<&str, String>("search", task.prompt.as_str())?;
    let found: Vec<Found> = serde_json::from_str(&answer)?;
    Ok(picked(found.into_iter().map(|found| (found.id, found.section, found.score))))
}

/// What the guest calls: a text goes in, and the hits come out as JSON.
#[allow(clippy::needless_pass_by_value, reason = "so Extism wants it")]
fn host_search(
    plugin: &mut CurrentPlugin,
    inputs: &[Val],
    outputs: &mut [Val],
    shelf: UserData<Arc<Shelf>>,
) -> Result<(), Error> {
    let text: String = plugin.memory_get_val(&inputs[0])?;
    let shelf = shelf.get()?;
    let shelf = shelf.lock().map_err(|_| Error::msg("a call before this one panicked"))?;
    let hits = shelf.search(&query(&text))?;
    let told: Vec<Told<'_>> = hits.iter().map(Told::of).collect();
    plugin.memory_set_val(&mut outputs[0], serde_json::to_string(&told)?)
}

/// A hit with all that ours hands over too.
#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    path: &'a str,
    title: &'a str,
    tags: &'a [String],
    revision: &'a str,
    tokens: u32,
    spec_extra: Vec<(&'a str, &'a str)>,
    section: Option<&'a str>,
    score: f32,
    extra: Vec<(&'a str, &'a str)>,
}

impl<'a> Told<'a> {
    fn of(hit: &'a Hit) -> Self {
        let Hit { spec, section, score, extra } = hit;
        Self {
            id: &spec.id,
            path: &spec.path,
            title: &spec.title,
            tags: &spec.tags,
            revision: &spec.revision,
            tokens: spec.tokens,
            spec_extra: pairs(&spec.extra),
            section: section.as_deref(),
            score: *score,
            extra: pairs(extra),
        }
    }
}

fn pairs(attrs: &[Attr]) -> Vec<(&str, &str)> {
    attrs.iter().map(|attr| (attr.key.as_str(), attr.value.as_str())).collect()
}

/// What of it a pick needs.
#[derive(Deserialize)]
struct Found {
    id: String,
    section: Option<String>,
    score: f32,
}
