//! The bundled assembler `classify`: says what kind of task it is, and which part of the project it touches.
//!
//! `kinds` goes by words that tell, `domains` by what the project's own specs call its parts: tags, folders, titles. Both
//! give labels, for the assemblers that follow. `wants` picks the specs that say themselves which labels they are for.
//! There is no model in it: every label can be followed to the words that gave it.

mod config;
mod domains;
mod kinds;
mod wants;
mod words;

use pu_plugin_sdk::{Assembler, Assembly, Failure, Label, Specs, Task};

pub use config::Config;

/// Kinds and parts that a task gets at most, of each.
const LABELS: usize = 2;

/// See the crate.
pub struct Classify {
    config: Config,
}

impl Assembler for Classify {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Failure> {
        config.check()?;
        Ok(Self { config })
    }

    fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
        let least = self.config.min_confidence;
        let kinds = kinds::of(&task.prompt, least).into_iter().take(LABELS);
        let mut labels: Vec<Label> =
            kinds.map(|(name, confidence)| Label { name: name.to_owned(), confidence }).collect();
        let domains = domains::of(task, specs, self.config.domain_specs)?;
        labels.extend(domains.into_iter().filter(|label| label.confidence >= least).take(LABELS));
        let picks = wants::picks(&labels, &task.agent, specs)?;
        Ok(Assembly { labels, picks, ..Assembly::default() })
    }
}

pu_plugin_sdk::export_assembler!(Classify);
