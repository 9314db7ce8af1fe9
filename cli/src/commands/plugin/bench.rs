//! `pu plugin bench`: how long a plugin takes.

use super::named;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::prompt;
use crate::render;
use pu_protocol::context::TaskDescription;
use pu_protocol::{Answer, Request};

/// A task like many, for whoever names none.
const TASK: &str = "Fix the race between two logins and add a test";

/// Measure how long a plugin takes for a task, on this project's specs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu plugin bench keyword
  pu plugin bench ./ledger --rounds 1000 \"Fix the rounding in the billing run\"")]
pub(crate) struct Args {
    /// Its name in this project, or the path of a component or of a folder that it was built in.
    plugin: String,
    /// The task; `-` reads it from standard input [default: one like many].
    task: Option<String>,
    /// How often it is called; at most 10000.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let reply = invocation.ask(&Request::PluginBench {
            cwd: invocation.cwd.clone(),
            plugin: named::resolve(invocation, &self.plugin)?,
            task: TaskDescription {
                prompt: prompt::gather(Some(self.task.as_deref().unwrap_or(TASK)), None, &invocation.cwd)?,
                ..Default::default()
            },
            rounds: self.rounds,
        })?;
        let Answer::PluginBenchReport { plugin, times } = &reply.answer else {
            return Err(invocation.mismatch("plugin_bench", &reply.answer));
        };
        invocation.show(&reply, || render::plugin::times(plugin, times, invocation.style))?;
        Ok(Outcome::DONE)
    }
}
