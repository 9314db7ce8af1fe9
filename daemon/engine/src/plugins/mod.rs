//! The plugin host: runs WASM assemblers of the contract `plugin-sdk/wit`, each call walled in by time, memory, output
//! and host-call limits, so that no plugin can do more harm than to be skipped.
//!
//! In the order in which a plugin passes through them: `component` reads what a file claims to be, `compile` turns it
//! into machine code in a child process, `cache` keeps that, `workshop` does both once, `pin` holds it against what was
//! accepted, `host` loads it, `schema` looks at its config, `call` runs it, `check` looks at what it answered. `encode` is
//! the way from a core module to a plugin.
//!
//! This room never compiles in its own process, never decides which plugins run for which task, and never reads a spec
//! itself: `context` hands it a [`SpecReader`].

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
mod host;
mod limits;
mod manifest;
mod pin;
mod read;
mod schema;
mod schema_bounds;
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
    Assembly, Attr, ChangedFile, Chunk, FieldWeight, Hit, Label, Listing, Page, Pick, Query, ReadFailure, SpecMeta,
    SpecReader, Task,
};
pub use encode::encode_plugin;
pub use failure::{FailureCode, PluginFailure};
pub use host::{BundledPlugin, CallReport, Patience, Plugin, PluginHost, PluginSource, bundled};
pub use limits::{CompileLimits, HostLimits};
pub use manifest::{Manifest, is_plugin_name};
pub use pin::PinnedAs;
pub use schema::Misfit;
pub use subcommand::run_subcommand;
