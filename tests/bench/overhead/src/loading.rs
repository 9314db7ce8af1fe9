//! What a start costs with plugins that were compiled before: a new host, and their load from the cache.
//!
//! The first of each sample is the first of its process, as in a daemon; the others say what it costs with all of this
//! program in memory.

use std::time::Duration;

use anyhow::Result;
use pu_engine::plugins::PluginSource;

use crate::figure::{timed, times};
use crate::site::{CHAIN, Kind, Site, keyword};

const ROUNDS: usize = 20;

pub(crate) fn run(site: &Site) -> Result<()> {
    let mut samples = Samples::default();
    for _ in 0..ROUNDS {
        let (new, host) = timed(|| site.host())?;
        samples.new.push(new);
        samples.bundled.push(timed(|| host.load(&keyword()))?.0);
    }
    times("load.new", &samples.new);
    times("load.bundled", &samples.bundled);
    for kind in Kind::ALL {
        start(site, kind)?;
    }
    Ok(())
}

#[derive(Default)]
struct Samples {
    new: Vec<Duration>,
    bundled: Vec<Duration>,
}

/// A new host and a chain's plugins, from their files.
fn start(site: &Site, kind: Kind) -> Result<()> {
    let (mut starts, mut loads) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (mut start, host) = timed(|| site.host())?;
        for number in 0..CHAIN {
            let source = PluginSource::File(site.plugin(kind, number));
            let (load, _) = timed(|| host.load(&source))?;
            start += load;
            loads.push(load);
        }
        starts.push(start);
    }
    times(&format!("load.start.{}", kind.name()), &starts);
    times(&format!("load.each.{}", kind.name()), &loads);
    Ok(())
}
