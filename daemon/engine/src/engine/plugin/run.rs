//! `plugin_run`: one plugin, alone, on tasks, over the project's specs or those of a folder: what a plugin's tests are
//! made of. Starts no agent and counts nowhere.

use super::super::context_explain::specs_of;
use super::{Engine, Failure, check_absolute};
use crate::context::{ContextError, ProjectSpecs, TASKS_MAX};
use crate::projects::Project;
use crate::specs::{SourceConfig, SpecIndex};
use pu_protocol::plugin::PluginTask;
use pu_protocol::{Answer, ErrorCode};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
        let engine = self.clone();
        self.slowly(move || {
            let project = engine.projects.trusted(&cwd)?;
            let config = project.config()?;
            let ready = engine.context.ready_plugin(&project.root, &config.context, &plugin)?;
            let runs = match specs {
                None => engine.context.run_plugin(&specs_of(&project)?, &ready, &tasks)?,
                Some(folder) => {
                    // Declared first, so that it is removed when the index is closed.
                    let scratch = engine.scratch_index();
                    let specs = specs_in(&folder, &scratch, &project)?;
                    engine.context.run_plugin(&specs, &ready, &tasks)?
                }
            };
            Ok(Answer::PluginRunReport { plugin: ready.name, runs })
        })
        .await?
    }

    fn scratch_index(&self) -> ScratchIndex {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = self.options.home.index().join(format!("run-{}-{number}", std::process::id()));
        // A daemon of an earlier boot may have had this number and died.
        let _ = std::fs::remove_dir_all(&folder);
        ScratchIndex { folder }
    }
}

/// A spec index that lives as long as one request.
struct ScratchIndex {
    folder: PathBuf,
}

impl Drop for ScratchIndex {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::debug!(path = %self.folder.display(), %error, "an index that was needed once is left");
        }
    }
}

/// A folder's specs as if it were a project of its own, all of it specs.
fn specs_in(folder: &Path, scratch: &ScratchIndex, project: &Project) -> Result<ProjectSpecs, Failure> {
    check_absolute(folder, "the folder of specs")?;
    if !folder.is_dir() {
        let message = format!("there is no folder of specs at {}", folder.display());
        return Err(Failure::new(ErrorCode::InvalidRequest, message));
    }
    let sources = SourceConfig { folders: vec![".".to_owned()], ..SourceConfig::default() };
    let index = SpecIndex::open(folder, &scratch.folder, sources)
        .map_err(|source| ContextError::Specs { root: folder.to_owned(), source })?;
    let config = project.config()?.context.clone();
    Ok(ProjectSpecs { root: folder.to_owned(), index: Arc::new(index), plugins: project.layout.plugins(), config })
}
