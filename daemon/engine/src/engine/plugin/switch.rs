//! `plugin_switch`: a plugin of the chain is switched on or off in the project's configuration.
//!
//! Where the project configures no chain, the one in force is written out first: switching one off changes nothing else.

use super::changes::Changes;
use super::{Engine, Failure, chain_file, not_found, write_chain};
use crate::context::AssemblerConfig;
use crate::projects::{Project, ProjectError};
use pu_protocol::Answer;
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn plugin_switch(
        &self,
        cwd: PathBuf,
        name: String,
        enabled: bool,
    ) -> Result<Answer, Failure> {
        let engine = self.clone();
        tokio::task::spawn_blocking(move || {
            let project = engine.projects.trusted(&cwd)?;
            let change = |changes: &mut Changes| engine.set_enabled(&project, changes, &name, enabled);
            engine.change_plugins(&project, &name, change)
        })
        .await?
    }

    fn set_enabled(&self, project: &Project, changes: &mut Changes, name: &str, enabled: bool) -> Result<(), Failure> {
        let config = project.config()?;
        let mut chain = self.context.chain(&project.root, &config.context)?;
        if !chain.iter().any(|assembler| assembler.name == name) {
            self.check_lies_ready(project, name, enabled)?;
        }
        self.projects.settle(project)?;
        let mut file = chain_file(project)?;
        if file.is_configured() {
            if !file.switch(name, enabled) {
                file.append(name);
            }
            return write_chain(project, changes, &file);
        }
        match chain.iter_mut().find(|assembler| assembler.name == name) {
            Some(assembler) if assembler.enabled == enabled => return Ok(()),
            Some(assembler) => assembler.enabled = enabled,
            None => chain.push(AssemblerConfig::plain(name)),
        }
        file.write_chain(&chain).map_err(|error| ProjectError::Config {
            path: project.layout.config(),
            message: format!("the chain cannot be written: {error}"),
        })?;
        write_chain(project, changes, &file)
    }

    /// Only what is there can be switched on.
    fn check_lies_ready(&self, project: &Project, name: &str, enabled: bool) -> Result<(), Failure> {
        let config = project.config()?;
        let is_ready = self.context.plugin_source(&project.root, &config.context, name).is_ok();
        if enabled && is_ready { Ok(()) } else { Err(not_found(project, name)) }
    }
}
