//! The plugin host: runs WASM assemblers of the contract `plugin-sdk/wit`, each call walled in by time, memory, output
//! and host-call limits, so that no plugin can do more harm than to be skipped.
//!
//! In the order in which a plugin passes through them: `component` reads what a file claims to be, `compile` turns it
//! into machine code in a child process, `cache` keeps that under a `seal`, `workshop` does both once, `pin` holds it
//! against what was accepted, `host` loads it, `schema` looks at its config, `call` runs it (`state` and `granted` answer
//! it, `memory` and `past` hold what it was granted), `check` looks at what it answered. `encode` is the way from a core
//! module to a plugin.
//!
//! This room never compiles in its own process, never decides which plugins run for which task, and never reads a spec
//! itself, nor a plugin's state or the project's past: `context` hands it a [`SpecReader`] and what was [`Granted`].

mod bindings;
mod cache;
mod call;
mod check;
mod compile;
mod component;
mod contract;
mod deadline;
mod encode;
mod failure;
mod gate;
mod grant;
mod granted;
mod host;
mod limits;
mod manifest;
mod memory;
mod past;
mod pin;
mod read;
mod schema;
mod schema_bounds;
mod seal;
mod state;
mod subcommand;
mod ticker;
mod workshop;

pub use cache::sha256;
pub(crate) use check::one_line;
pub use check::{Checked, Dropped, check};
pub use compile::CompilerCommand;
pub use component::{Inspection, inspect};
pub use contract::{
    Assembly, Attr, ChangedFile, Chunk, FieldWeight, Granted, Hit, Label, Listing, Page, PastTask, Pick, Query,
    ReadFailure, SpecMeta, SpecReader, StateEntries, Task,
};
pub use encode::encode_plugin;
pub use failure::{FailureCode, PluginFailure};
pub use grant::Grant;
pub use host::{BundledPlugin, CallReport, Patience, Plugin, PluginHost, PluginSource, bundled};
pub use limits::{CompileLimits, HostLimits};
pub use manifest::{Manifest, is_plugin_name};
pub use memory::StateChanges;
pub use pin::PinnedAs;
pub use schema::{Misfit, config_misfit};
pub use subcommand::run_subcommand;
