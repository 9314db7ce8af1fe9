//! `plugin_list`: the plugins of a project, with what is pinned and what each did. Runs none.

use super::{Engine, Failure};
use pu_protocol::Answer;
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn plugin_list(&self, cwd: PathBuf) -> Result<Answer, Failure> {
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            let project = engine.projects.known(&cwd)?;
            let config = project.config()?;
            let plugins = engine.context.plugins(&project.root, &config.context)?;
            Ok(Answer::PluginListReport { plugins })
        })
        .await?
    }
}
