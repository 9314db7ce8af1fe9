//! `plugin_switch`: a plugin of the chain is switched on or off in the project's configuration.
//!
//! What is switched on is compiled first, so that the next task has it. Only what is said of this plugin is written: a
//! chain that the user configured for all projects, or that nobody configured, is not copied into the project.

use super::changes::Changes;
use super::{Engine, Failure, chain_file, grant, grant_words, not_found, write_chain};
use crate::projects::Project;
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::{Path, PathBuf};

impl Engine {
    pub(in crate::engine) async fn plugin_switch(
        &self,
        cwd: PathBuf,
        name: String,
        enabled: bool,
        grants: Vec<String>,
    ) -> Result<Answer, Failure> {
        let grants = grant_words(&grants)?;
        let (engine, folder) = (self.clone(), cwd.clone());
        // A compiler may be waited for.
        self.slowly_within(&cwd, move || {
            let project = engine.projects.trusted(&folder)?;
            let digest = if enabled { Some(engine.digest_of_ready(&project, &name)?) } else { None };
            engine.change_plugins(&project, &name, |changes| {
                engine.set_enabled(&project, changes, &name, enabled, &grants)?;
                if let Some(digest) = &digest {
                    engine.context.ask_again(&project.root, digest);
                }
                Ok(())
            })
        })
        .await?
    }

    /// Fails for a plugin that could not run.
    fn digest_of_ready(&self, project: &Project, name: &str) -> Result<String, Failure> {
        let config = project.config()?;
        Ok(self.context.ready_plugin(&project.root, &config.context, name)?.digest().to_owned())
    }

    fn set_enabled(
        &self,
        project: &Project,
        changes: &mut Changes,
        name: &str,
        enabled: bool,
        grants: &[&str],
    ) -> Result<(), Failure> {
        let config = project.config()?;
        let chain = self.context.chain(&project.root, &config.context)?;
        let in_chain = chain.iter().find(|assembler| assembler.name == name);
        match in_chain {
            Some(assembler) if assembler.enabled == enabled && grants.is_empty() => return Ok(()),
            Some(_) => {}
            None => self.check_lies_ready(project, name, enabled)?,
        }
        self.projects.settle(project)?;
        let mut file = chain_file(project)?;
        let own_chain = file.is_configured();
        let configured_off =
            config.context.assemblers.iter().flatten().any(|known| known.name == name && !known.enabled);
        match (in_chain.is_some(), enabled) {
            (false, _) if own_chain => file.append(name),
            (true, true) if configured_off && own_chain => {
                file.switch(name, true);
            }
            (false, _) => return Err(self.not_in_the_users_chain(name)),
            (true, true) if configured_off => return Err(self.off_in_the_users_chain(name)),
            (true, true) => {}
            (true, false) if own_chain => {
                file.switch(name, false);
            }
            (true, false) => self.relist(&mut file, |disabled| disabled.push(name.to_owned()))?,
        }
        if enabled && config.context.disabled.iter().any(|known| known == name) {
            self.relist(&mut file, |disabled| disabled.retain(|known| known != name))?;
        }
        grant(project, &mut file, name, grants)?;
        write_chain(project, changes, &file)
    }

    /// Only what is there can be switched on.
    fn check_lies_ready(&self, project: &Project, name: &str, enabled: bool) -> Result<(), Failure> {
        let config = project.config()?;
        let is_ready = self.context.plugin_source(&project.root, &config.context, name).is_ok();
        if enabled && is_ready { Ok(()) } else { Err(not_found(project, name)) }
    }

    fn not_in_the_users_chain(&self, name: &str) -> Failure {
        let message =
            format!("the chain is the one that you configured for all projects, and it does not have `{name}`");
        foreign(&self.options.home.config(), message, "give the project a chain of its own, with this one in it")
    }

    fn off_in_the_users_chain(&self, name: &str) -> Failure {
        let message = format!("`{name}` is switched off in the chain that you configured for all projects");
        foreign(&self.options.home.config(), message, "give the project a chain of its own, in which it is on")
    }
}

/// What a project alone cannot say of a chain that is not its own.
fn foreign(config: &Path, message: String, or: &str) -> Failure {
    let hint = format!("change it in {}; or {or}: `[[context.assembler]]` in .pu/config.toml", config.display());
    ErrorBody::new(ErrorCode::PluginNotFound, message).with_hint(hint).into()
}
