//! A host in a folder of its own, over a few specs in memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pu_engine::plugins::{
    Attr, CallReport, Chunk, CompilerCommand, Hit, HostLimits, Listing, Page, Plugin, PluginFailure, PluginHost,
    PluginSource, Query, ReadFailure, SpecMeta, SpecReader, Task,
};
use pu_plugin_sdk::{self as sdk, MockSpecs, Specs};

/// A spec that exists, with one word that no other has.
pub(crate) const SPEC: &str = "specs/ledger";

/// What all assemblers together get on the clock.
pub(crate) const CHAIN: Duration = Duration::from_secs(5);

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) host: PluginHost,
    pub(crate) reader: Arc<dyn SpecReader>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(CompilerCommand::engine(env!("CARGO_BIN_EXE_pu-engine")), limits())
    }

    pub(crate) fn with(compiler: CompilerCommand, limits: HostLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = PluginHost::new(&folder.path().join("cache"), compiler, limits).unwrap();
        Self { folder, host, reader: Arc::new(MockReader(specs())) }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// A plugin's file with these bytes.
    #[allow(clippy::disallowed_methods, reason = "a test's own file, which nobody else reads")]
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PluginSource {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        PluginSource::named(&path)
    }

    pub(crate) fn keyword(&self) -> Result<Arc<Plugin>, PluginFailure> {
        self.host.load(&PluginSource::Bundled("keyword".into()))
    }

    pub(crate) fn call(&self, plugin: &Plugin, prompt: &str) -> CallReport {
        self.call_with(plugin, prompt, "{}")
    }

    pub(crate) fn call_with(&self, plugin: &Plugin, prompt: &str, config: &str) -> CallReport {
        self.call_task(plugin, &Task { prompt: prompt.into(), ..Task::default() }, config)
    }

    pub(crate) fn call_task(&self, plugin: &Plugin, task: &Task, config: &str) -> CallReport {
        plugin.assemble(task, &self.reader, config, plugin.deadline(), Instant::now() + CHAIN)
    }
}

/// A loaded machine is no reason for a sound plugin to miss its deadline here.
pub(crate) fn limits() -> HostLimits {
    HostLimits { deadline: Duration::from_millis(500), deadline_max: Duration::from_secs(1), ..HostLimits::default() }
}

pub(crate) fn specs() -> MockSpecs {
    MockSpecs::default()
        .with("specs/auth.md", "---\ntags: [security]\n---\n# Sign-in tokens\nA token is valid for an hour.\n")
        .with("specs/ledger.md", "---\ntags: [billing]\n---\n# Ledger invariants\nEvery entry has two sides.\n")
        .with("specs/lease_table.md", "# Leases\n`LeaseTable` holds who owns what.\n")
}

/// Files of the cache with this ending.
pub(crate) fn entries(cache: &Path, ending: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
}

/// The SDK's mock, as the host sees specs.
struct MockReader(MockSpecs);

impl SpecReader for MockReader {
    fn search(&self, query: &Query) -> Result<Vec<Hit>, ReadFailure> {
        let mut asked = sdk::Query::new(query.text.clone()).limit(query.limit);
        for field in &query.fields {
            asked = asked.field(field.field.clone(), field.weight);
        }
        let hits = self.0.search(&asked).map_err(failure)?;
        Ok(hits
            .into_iter()
            .map(|hit| Hit {
                spec: meta(hit.spec),
                section: hit.section,
                score: hit.score,
                extra: hit.extra.into_iter().map(|attr| Attr { key: attr.key, value: attr.value }).collect(),
            })
            .collect())
    }

    fn list(&self, listing: &Listing) -> Result<Page, ReadFailure> {
        let mut asked = sdk::Listing { cursor: listing.cursor.clone(), ..sdk::Listing::first(listing.limit) };
        for filter in &listing.filter {
            asked = asked.filter(filter.key.clone(), filter.value.clone());
        }
        let page = self.0.list(&asked).map_err(failure)?;
        Ok(Page { specs: page.specs.into_iter().map(meta).collect(), next: page.next })
    }

    fn get(&self, id: &str) -> Result<SpecMeta, ReadFailure> {
        self.0.get(id).map(meta).map_err(failure)
    }

    fn read(&self, id: &str, section: Option<&str>) -> Result<String, ReadFailure> {
        self.0.read(id, section).map_err(failure)
    }

    fn read_range(&self, id: &str, offset: u64, length: u32) -> Result<Chunk, ReadFailure> {
        let chunk = self.0.read_range(id, offset, length).map_err(failure)?;
        Ok(Chunk { text: chunk.text, offset: chunk.offset, next: chunk.next })
    }
}

fn meta(spec: sdk::SpecMeta) -> SpecMeta {
    let sdk::SpecMeta { id, path, title, tags, revision, tokens, extra } = spec;
    let extra = extra.into_iter().map(|attr| Attr { key: attr.key, value: attr.value }).collect();
    SpecMeta { id, path, title, tags, revision, tokens, extra }
}

fn failure(failure: sdk::Failure) -> ReadFailure {
    ReadFailure::new(failure.code, failure.message)
}
