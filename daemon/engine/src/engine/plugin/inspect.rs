//! `plugin_inspect`: what a component says of itself. Runs nothing of it, and compiles nothing.

use super::{Engine, Failure, described};
use crate::context::ContextError;
use crate::plugins::{PluginSource, inspect, sha256};
use pu_protocol::Answer;
use std::path::{Path, PathBuf};

impl Engine {
    pub(in crate::engine) async fn plugin_inspect(&self, cwd: PathBuf, plugin: String) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        self.within(&cwd, move || {
            let source = engine.source_to_inspect(&folder, &plugin)?;
            let refused = |failure| ContextError::refused(plugin.as_str(), &failure);
            let bytes = source.read().map_err(refused)?;
            let inspection = inspect(&bytes).map_err(refused)?;
            let inspection = described(engine.context.host(), inspection, sha256(&bytes));
            Ok(Answer::PluginInspection(Box::new(inspection)))
        })
        .await?
    }

    /// A path needs no project.
    fn source_to_inspect(&self, cwd: &Path, plugin: &str) -> Result<PluginSource, Failure> {
        if Path::new(plugin).is_absolute() {
            return Ok(PluginSource::named(Path::new(plugin)));
        }
        let project = self.projects.known(cwd)?;
        let config = project.config()?;
        Ok(self.context.plugin_source(&project.root, &config.context, plugin)?)
    }
}
