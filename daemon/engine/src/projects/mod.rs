//! Projects: which there are, whether the user trusts them, what they configure, and each one's spec index.
//!
//! A project that is known but not trusted is counted and listed; nothing in it runs and nothing of it reaches a prompt.

mod chain_file;
mod config;
pub mod discovery;
mod error;
mod folder;
mod found;
mod linked;
mod listed;
mod moved;
mod project;
mod registry;
mod root;
mod trust;
mod trusting;

pub use chain_file::ChainFile;
pub use config::{Config, ConfigKeyError, TerminalConfig, config_key};
pub use error::ProjectError;
pub use found::Found;
pub use listed::{ListedProject, ProjectState};
pub use project::Project;
pub use registry::{Initialised, Projects};
pub use trust::Part;
pub use trusting::Standing;
