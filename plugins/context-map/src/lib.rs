//! The bundled assembler `context-map`: picks the specs that a team mapped to what a task says.
//!
//! `config` is the map, `when` says which entries hold for a task, `choose` finds their specs. What is mapped is a team's
//! word: it is picked as surely as the map says, whatever the words of the spec. It looks at no file: the host hands it
//! the maps of `.pu/context/` as a part of its config.

mod choose;
mod config;
mod when;

use pu_plugin_sdk::{Assembler, Assembly, Failure, Specs, Task};

pub use config::{Config, Entry, Texts, When};
use when::Rule;

/// See the crate.
pub struct ContextMap {
    config: Config,
}

impl Assembler for ContextMap {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Failure> {
        config.check()?;
        Ok(Self { config })
    }

    fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
        let mut assembly = Assembly::default();
        for (at, entry) in self.config.map.iter().enumerate() {
            let rule = Rule::new(&entry.when).map_err(|why| Failure::config(format!("{}: {why}", entry.place(at))))?;
            if let Some(matched) = rule.matched(task, self.config.min_confidence) {
                let reason = entry.told(&matched);
                let missing = choose::add(entry, &reason, specs, &mut assembly.picks)?;
                assembly.notes.extend(missing.into_iter().map(|why| format!("{}: {why}", entry.place(at))));
            }
        }
        // Stable, so that equal ones stay in the order of the map.
        assembly.picks.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(assembly)
    }
}

pu_plugin_sdk::export_assembler!(ContextMap);
