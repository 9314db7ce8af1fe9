//! `plugin_bench`: how long a plugin takes to load and to answer one task.

use super::super::context_explain::specs_of;
use super::{Engine, Failure};
use pu_protocol::context::TaskDescription;
use pu_protocol::{Answer, ErrorCode};
use std::path::PathBuf;

const ROUNDS_MAX: u32 = 10_000;

impl Engine {
    pub(in crate::engine) async fn plugin_bench(
        &self,
        cwd: PathBuf,
        plugin: String,
        task: TaskDescription,
        rounds: u32,
    ) -> Result<Answer, Failure> {
        if !(1..=ROUNDS_MAX).contains(&rounds) {
            let message = format!("{rounds} rounds cannot be run: it takes 1 to {ROUNDS_MAX}");
            return Err(Failure::new(ErrorCode::InvalidRequest, message));
        }
        let (engine, folder) = (self.clone(), cwd.clone());
        self.slowly_within(&cwd, move || {
            let project = engine.projects.trusted(&folder)?;
            let config = engine.projects.allowed_config(&project)?;
            let ready = engine.context.ready_plugin(&project.root, &config.context, &plugin)?;
            let times = engine.context.time_plugin(&specs_of(&project, &config)?, &ready, &task, rounds)?;
            Ok(Answer::PluginBenchReport { plugin: ready.name, times })
        })
        .await?
    }
}
