//! What `pu plugin` does on the author's machine: new projects, builds with the language's own tools, golden tasks.
//!
//! Runs no plugin and reads no component: that is the daemon's part, by request.

pub(crate) mod build;
pub(crate) mod folder;
pub(crate) mod golden;
pub(crate) mod language;
pub(crate) mod name;
pub(crate) mod oci;
pub(crate) mod template;
