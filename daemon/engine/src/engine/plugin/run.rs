//! `plugin_run`: one plugin, alone, on tasks, over the project's specs or those of a folder: what a plugin's tests are
//! made of. Starts no agent and counts nowhere.

use super::super::context_explain::specs_of;
use super::{Engine, Failure};
use crate::context::TASKS_MAX;
use pu_protocol::plugin::PluginTask;
use pu_protocol::{Answer, ErrorCode};
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn plugin_run(
        &self,
        cwd: PathBuf,
        plugin: String,
        specs: Option<PathBuf>,
        tasks: Vec<PluginTask>,
    ) -> Result<Answer, Failure> {
        if tasks.len() > TASKS_MAX {
            let message = format!("{} tasks are too many for one request, which takes {TASKS_MAX}", tasks.len());
            return Err(Failure::new(ErrorCode::InvalidRequest, message));
        }
        let (engine, folder) = (self.clone(), cwd.clone());
        self.slowly_within(&cwd, move || {
            let project = engine.projects.trusted(&folder)?;
            let config = engine.projects.allowed_config(&project)?;
            let ready = engine.context.ready_plugin(&project.root, &config.context, &plugin)?;
            let runs = match specs {
                None => engine.context.run_plugin(&specs_of(&project, &config)?, &ready, &tasks)?,
                Some(folder) => {
                    let (_held, specs) = engine.specs_in(&folder, &project, &config)?;
                    engine.context.run_plugin(&specs, &ready, &tasks)?
                }
            };
            // It may have been another one by the time that it was loaded.
            engine.projects.check_unchanged(&project.root)?;
            Ok(Answer::PluginRunReport { plugin: ready.name, runs })
        })
        .await?
    }
}
