//! The daemon's requests: one function each, and the dispatch that finds it.
//!
//! Nothing here parses a line or writes to a socket (`ipc`), and nothing below calls back up here.

mod agent_explain;
mod attach;
mod choice;
mod clean;
mod condition;
mod config_show;
mod context_explain;
mod context_learned;
mod context_show;
mod dispatch;
mod doctor;
mod failure;
mod glances;
mod health;
mod hello;
mod history;
mod init;
mod input;
mod keep;
mod kill;
mod logs;
mod looks;
mod older_trust;
mod plugin;
mod project;
mod recover;
mod resize;
mod resume;
mod retention;
mod scratch;
mod shutdown;
mod site;
mod spawn;
mod spec;
mod state;
mod status;
mod stopped;
mod subscribe;
mod trust;
mod undo;
mod untrust;

pub use dispatch::Reply;
pub use state::{Engine, EngineOptions};
pub use subscribe::EventFilter;
