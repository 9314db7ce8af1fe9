//! What a plugin takes that is loaded and not called: this process before, and after many of them.

use std::sync::Arc;

use anyhow::Result;
use pu_engine::plugins::SpecReader;
use serde::Serialize;

use crate::figure::tell;
use crate::ours;
use crate::shelf::{Shelf, task};
use crate::site::{Kind, Site, keyword};
use crate::usage::Footprint;

/// Of one plugin, in KiB.
#[derive(Serialize)]
struct Each {
    count: usize,
    /// Mapped memory, loaded only.
    loaded: f64,
    /// And after each was called once.
    called: f64,
    /// What came to it then outside of what is mapped: the images of their memories.
    images: f64,
}

pub(crate) fn run(site: &Site, kind: Kind) -> Result<()> {
    let reader: Arc<dyn SpecReader> = Arc::new(Shelf::new());
    let (host, task) = (site.host()?, task());
    // What any first plugin brings along is no further plugin's: the program's own pages, the pool, the heap.
    let first = host.load(&keyword())?;
    ours::call(&first, &task, &reader)?;
    let Some(before) = Footprint::now() else {
        return Ok(());
    };
    let count = kind.count();
    let plugins = site.load(&host, kind, count)?;
    let loaded = Footprint::now().unwrap_or(before);
    for plugin in &plugins {
        ours::call(plugin, &task, &reader)?;
    }
    let called = Footprint::now().unwrap_or(before);
    let each = |later: u64, earlier: u64| later.saturating_sub(earlier) as f64 / count as f64;
    let of = Each {
        count,
        loaded: each(loaded.pss, before.pss),
        called: each(called.pss, before.pss),
        images: each(called.images, before.images),
    };
    tell(&format!("memory.{}", kind.name()), &of);
    Ok(())
}
