//! A whole context through the daemon's own assembly, with a chain of plugins that answer with nothing, and with no
//! plugin: the difference is what the chain costs where it is used, its calls side by side on threads.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, ensure};
use pu_engine::context::{AssemblerConfig, ContextConfig, ContextEngine, ProjectFacts, ProjectSpecs};
use pu_engine::plugins::Assembly;
use pu_engine::specs::{SourceConfig, SpecIndex};
use pu_protocol::context::TaskDescription;
use pu_protocol::layout::HomeLayout;

use crate::lane::{Lane, race};
use crate::shelf;
use crate::site::{CHAIN, Kind, Site, plugin_name};

const ROUNDS: usize = 1_000;

pub(crate) fn run(site: &Site) -> Result<()> {
    let root = site.project();
    write_spec(&root)?;
    let index = SpecIndex::open(&root, &site.folder().join("index"), SourceConfig::default());
    let index = Arc::new(index.map_err(|error| anyhow!("{error}"))?);
    let names = || (0..CHAIN).map(|number| plugin_name(Kind::Small, number));
    let of = |chain: Vec<AssemblerConfig>| ProjectSpecs {
        root: root.clone(),
        index: Arc::clone(&index),
        plugins: site.plugins(),
        config: ContextConfig { assemblers: Some(chain), ..ContextConfig::default() },
    };
    let (with, without) = (of(names().map(AssemblerConfig::plain).collect()), of(Vec::new()));
    let engine = ContextEngine::new(Arc::new(site.host()?), HomeLayout::new(site.folder().join("home")));
    let task = TaskDescription { prompt: shelf::task().prompt, ..TaskDescription::default() };
    let lanes = &mut [
        Lane::new("with", || assemble(&engine, &with, &task, CHAIN)),
        Lane::new("without", || assemble(&engine, &without, &task, 0)),
    ];
    race("assembly", ROUNDS, lanes)
}

fn assemble(engine: &ContextEngine, project: &ProjectSpecs, task: &TaskDescription, asked: usize) -> Result<Assembly> {
    let assembled = engine.assemble(project, task, &ProjectFacts::default()).map_err(|error| anyhow!("{error}"))?;
    let reports = &assembled.report.assemblers;
    let answered = reports.iter().filter(|report| report.error.is_none()).count();
    ensure!(answered == asked && reports.len() == asked, "{answered} of {asked} plugins answered: {reports:?}");
    Ok(Assembly::default())
}

#[allow(clippy::disallowed_methods, reason = "a file that nobody reads meanwhile")]
fn write_spec(root: &Path) -> Result<()> {
    let folder = root.join("specs");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(folder.join("ledger.md"), "# Ledger invariants\n\nEvery entry has two sides.\n")
        .with_context(|| format!("cannot write in {}", folder.display()))
}
