//! `plugin_list`: the plugins of a project, with what is pinned and what each did. Runs none.

use super::{Engine, Failure};
use crate::projects::Project;
use crate::store::PluginsLock;
use pu_protocol::Answer;
use pu_protocol::context::AssemblerError;
use pu_protocol::plugin::{PluginInfo, PluginOrigin};
use std::path::PathBuf;

const LOCK_DAMAGED: &str = "lock_damaged";

impl Engine {
    pub(in crate::engine) async fn plugin_list(&self, cwd: PathBuf) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        self.within(&cwd, move || {
            let project = engine.projects.known(&folder)?;
            Ok(Answer::PluginListReport { plugins: engine.plugins_of(&project)? })
        })
        .await?
    }

    /// The plugins of a project as they stand now. Blocking.
    pub(in crate::engine) fn plugins_of(&self, project: &Project) -> Result<Vec<PluginInfo>, Failure> {
        let config = project.config()?;
        let mut plugins = self.context.plugins(&project.root, &config.context)?;
        // A damaged lock is told with each plugin that it keeps from running; where there is none, by a row of its own.
        let lock = project.layout.plugins_lock();
        if !plugins.iter().any(is_kept_by_lock)
            && let Err(error) = PluginsLock::read(&lock)
        {
            plugins.push(damaged(lock, error.to_string()));
        }
        Ok(plugins)
    }
}

fn is_kept_by_lock(plugin: &PluginInfo) -> bool {
    plugin.error.as_ref().is_some_and(|error| error.code == LOCK_DAMAGED)
}

fn damaged(lock: PathBuf, message: String) -> PluginInfo {
    PluginInfo {
        name: "plugins.lock".to_owned(),
        origin: PluginOrigin::Project,
        path: Some(lock),
        error: Some(AssemblerError { code: LOCK_DAMAGED.to_owned(), message }),
        ..PluginInfo::default()
    }
}
