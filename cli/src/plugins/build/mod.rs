//! Builds a plugin with its language's own tools, as far as they go: to a core module (Rust, C) or a component
//! (JavaScript, Python).
//!
//! Installs nothing: a tool that is missing is a failure that says how to get it. What makes a plugin of the outcome, and
//! checks it, is the daemon.

mod c;
mod javascript;
mod python;
mod rust;
mod tools;

use super::folder::PluginFolder;
use super::language::Language;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
pub(crate) use tools::Tools;

/// Gives the file that was built. `work` is a folder for whatever is made on the way.
pub(crate) fn build(language: Language, folder: &PluginFolder, work: &Path, tools: &Tools) -> Result<PathBuf, Failure> {
    match language {
        Language::Rust => rust::build(folder, tools),
        Language::Js => javascript::build(folder, work, tools),
        Language::Python => python::build(folder, work, tools),
        Language::C => c::build(folder, work, tools),
    }
}
