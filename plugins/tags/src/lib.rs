//! The bundled assembler `tags`: picks what a task names, and the rules that hold for it.
//!
//! `named` finds the specs that tags, ids and paths of the task mean, `rules` those that say themselves when they apply
//! (always, for files that a glob means, or when named), `links` what the former lead on to. It ranks nothing by words:
//! that is `keyword`'s to do, and a weak pick of this plugin never stands above a strong one of that.

mod choices;
mod config;
mod links;
mod named;
mod rules;
mod seen;

use pu_plugin_sdk::{Assembler, Assembly, Failure, Specs, Task};

use choices::Choices;
pub use config::Config;
use seen::Seen;

/// See the crate.
pub struct Tags {
    config: Config,
}

impl Assembler for Tags {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Failure> {
        config.check()?;
        Ok(Self { config })
    }

    fn assemble(&self, task: &Task, specs: &dyn Specs) -> Result<Assembly, Failure> {
        let mut choices = Choices::default();
        let mut notes = named::choose(task, specs, &mut choices)?;
        notes.extend(rules::choose(&Seen::of(task), specs, &mut choices)?);
        links::choose(&self.config, specs, &mut choices)?;
        notes.extend(choices.leave_out_native(&task.agent));
        notes.extend(choices.cut(self.config.limit));
        Ok(Assembly { picks: choices.into_picks(), notes, ..Assembly::default() })
    }
}

pu_plugin_sdk::export_assembler!(Tags);
