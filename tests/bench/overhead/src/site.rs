//! Where the plugins of a run lie, compiled and not, and the host over them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use pu_engine::plugins::{CompilerCommand, HostLimits, Plugin, PluginFailure, PluginHost, PluginSource};

/// How many plugins a chain has, and a daemon that starts.
pub(crate) const CHAIN: usize = 20;

/// The sorts of plugins of which there are many; no two have the same digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A core module in text that answers with nothing.
    Small,
    /// The bundled `keyword`, each with another custom section behind it.
    Bundled,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Small, Self::Bundled];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Bundled => "bundled",
        }
    }

    /// How many there are.
    pub(crate) fn count(self) -> usize {
        match self {
            Self::Small => 100,
            Self::Bundled => CHAIN,
        }
    }
}

pub(crate) struct Site {
    engine: PathBuf,
    folder: PathBuf,
}

impl Site {
    pub(crate) fn new(engine: PathBuf, folder: PathBuf) -> Self {
        Self { engine, folder }
    }

    /// A new host over the compiled plugins, with the limits that the daemon has.
    pub(crate) fn host(&self) -> Result<PluginHost, PluginFailure> {
        let compiler = CompilerCommand::engine(&self.engine);
        PluginHost::new(&self.folder.join("cache"), compiler, HostLimits::default())
    }

    /// The root of a project whose plugin folder has all of them.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// For what is neither a plugin nor compiled.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn plugins(&self) -> PathBuf {
        pu_protocol::layout::ProjectLayout::new(self.project()).plugins()
    }

    pub(crate) fn plugin(&self, kind: Kind, number: usize) -> PathBuf {
        self.plugins().join(format!("{}.wasm", plugin_name(kind, number)))
    }

    /// The plugin that searches.
    pub(crate) fn searching(&self) -> PathBuf {
        self.plugins().join("searching.wasm")
    }

    /// The first plugins of a kind.
    pub(crate) fn load(&self, host: &PluginHost, kind: Kind, count: usize) -> Result<Vec<Arc<Plugin>>, PluginFailure> {
        (0..count).map(|number| host.load(&PluginSource::File(self.plugin(kind, number)))).collect()
    }
}

/// The bundled plugin, as it comes with the program.
pub(crate) fn keyword() -> PluginSource {
    PluginSource::Bundled("keyword".to_owned())
}

pub(crate) fn plugin_name(kind: Kind, number: usize) -> String {
    format!("{}-{number:03}", kind.name())
}
