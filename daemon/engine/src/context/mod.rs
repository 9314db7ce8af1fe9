//! From a task to the specs that its agent should know, within a budget of tokens, and why each is there.
//!
//! In the order in which a task passes through: `task` (with `mention`) prepares what plugins see, `explicit` takes what
//! the user named, `lineup` and `loader` find the plugins (and `maps` the maps of one), `pins`, `grants` and `tally` say which
//! of them are not run, `past` has what they may remember, `chain` asks them, `merge` (with `hard_rule`) makes one ranking of
//! their answers, `learned` lets earlier tasks count in it, `threshold` and `budget` (with `passage` and `repeats`) choose
//! what goes in, `render` writes it, `report` says what was done, and `rules` what became of each rule file.
//! `talk` bounds what of a plugin's chatter goes on. `reader` and `index_library` are the two views of the spec index, for
//! plugins and for the budget. `inventory` lists the plugins of a project and `trial` runs one alone, for those who write
//! and keep plugins.
//!
//! This room starts nothing and no plugin can make it fail unless the configuration says so. It writes nothing but what
//! `learned` keeps of commits, in the user's home and while no context is assembled; that is also where it runs git.
//!
//! Invariant: the same task over the same specs and plugins gives the same bytes, as long as what was learnt is the same,
//! and what plugins that were granted a state or the past find there.

mod budget;
mod chain;
mod config;
mod config_place;
mod engine;
mod error;
mod explicit;
mod grants;
mod hard_rule;
mod index_library;
mod inventory;
mod learned;
mod library;
mod lineup;
mod loader;
mod maps;
mod mention;
mod merge;
mod passage;
mod past;
mod piece;
mod pins;
mod reader;
mod render;
mod repeats;
mod report;
mod rules;
mod talk;
mod tally;
mod task;
#[cfg(test)]
mod test_library;
#[cfg(test)]
mod tests;
mod texts;
mod threshold;
mod trial;

pub use chain::Changed;
pub use config::{AssemblerConfig, ContextConfig};
pub use engine::{Assembled, ContextEngine, ProjectSpecs};
pub use error::ContextError;
pub use task::ProjectFacts;
pub use trial::{ReadyPlugin, TASKS_MAX};
