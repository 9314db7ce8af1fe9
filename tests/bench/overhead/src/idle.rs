//! What the process does while plugins are loaded, were called, and are not called any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use pu_engine::plugins::SpecReader;
use serde::Serialize;

use crate::figure::tell;
use crate::ours;
use crate::shelf::{Shelf, task};
use crate::site::{CHAIN, Kind, Site};
use crate::usage::Usage;

const CALLS: usize = 100;
/// More than any tick that is still to come, by far.
const SETTLED: Duration = Duration::from_millis(500);
const WATCHED: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Idle {
    plugins: usize,
    seconds: f64,
    processor_us: i64,
    /// How often threads of the process went to sleep, this one for the measurement included.
    slept: i64,
    /// How often the ticker did; absent where the system does not tell.
    ticker_slept: Option<u64>,
}

pub(crate) fn run(site: &Site) -> Result<()> {
    let reader: Arc<dyn SpecReader> = Arc::new(Shelf::new());
    let (host, task) = (site.host()?, task());
    let plugins = site.load(&host, Kind::Small, CHAIN)?;
    for _ in 0..CALLS {
        for plugin in &plugins {
            ours::call(plugin, &task, &reader)?;
        }
    }
    wait(SETTLED);
    let (before, started) = (Usage::now()?, Instant::now());
    wait(WATCHED);
    let (after, took) = (Usage::now()?, started.elapsed());
    let idle = Idle {
        plugins: plugins.len(),
        seconds: took.as_secs_f64(),
        processor_us: after.processor - before.processor,
        slept: after.slept - before.slept,
        ticker_slept: after.ticker_slept.zip(before.ticker_slept).map(|(late, early)| late.saturating_sub(early)),
    };
    tell("idle", &idle);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "that nothing happens meanwhile is what is measured")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
