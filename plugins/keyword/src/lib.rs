//! The bundled assembler `keyword`: picks the specs whose words match the task's.
//!
//! The index ranks, this plugin asks and explains: `asks` turns the task into a few searches, `rank` joins their
//! answers, `reason` says which of the `wanted` words matched where. It knows nothing of the project but what `specs`
//! tells it.

mod asks;
mod config;
mod rank;
mod reason;
mod wanted;
mod words;

use pu_plugin_sdk::{Assembler, Assembly, Failure, Pick, Specs, Task};

pub use config::Config;
use rank::Ranked;
use wanted::Wanted;

/// See the crate.
pub struct Keyword {
    config: Config,
}

impl Assembler for Keyword {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Failure> {
        config.check()?;
        Ok(Self { config })
    }

    fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
        let asks = asks::of(task, &self.config);
        let mut answers = Vec::with_capacity(asks.len());
        for ask in &asks {
            answers.push((ask.weight, specs.search(&ask.query)?));
        }
        let wanted = Wanted::of(&asks);
        let found: Vec<Ranked> = rank::join(answers).into_iter().take(self.config.limit).collect();
        // The surest of the hits that only words found bounds what all of that kind can be: where none is about the task,
        // the best of them is the best of nothing.
        let mut surety = found.iter().filter(|ranked| !ranked.named).filter_map(|ranked| ranked.about).reduce(f32::max);
        let mut assembly = Assembly::default();
        for ranked in found {
            let matched = reason::find(&ranked, &wanted);
            let sure = || matched.surety();
            let surety = if ranked.named { sure() } else { *surety.get_or_insert_with(sure) };
            let score = ranked.relative * surety;
            if score < self.config.min_score {
                break;
            }
            assembly.picks.push(Pick::of(&ranked.hit, score, matched.to_string()));
        }
        Ok(assembly)
    }
}

pu_plugin_sdk::export_assembler!(Keyword);
