//! `plugin_add`: a component becomes one of the project's plugins: copied, pinned and, where the chain is configured, in it.
//!
//! A component that could not run is refused before anything is changed. It is compiled for that, however long it takes,
//! and so ready for the next task.

use super::changes::Changes;
use super::{Engine, Failure, chain_file, check_absolute, grant, grant_words, write_chain};
use crate::context::ContextError;
use crate::plugins::{PluginFailure, PluginSource, inspect, is_plugin_name};
use crate::projects::Project;
use crate::store::{PluginPin, PluginsLock};
use pu_protocol::{Answer, ErrorBody, ErrorCode};
use std::path::{Path, PathBuf};

impl Engine {
    pub(in crate::engine) async fn plugin_add(
        &self,
        cwd: PathBuf,
        component: PathBuf,
        name: Option<String>,
        source: String,
        grants: Vec<String>,
    ) -> Result<Answer, Failure> {
        let grants = grant_words(&grants)?;
        let (engine, folder) = (self.clone(), cwd.clone());
        self.slowly_within(&cwd, move || {
            let project = engine.projects.trusted(&folder)?;
            check_absolute(&component, "the component")?;
            let name = name.or_else(|| name_of_own(&project, &component));
            let (bytes, pin) = engine.accepted(&component, name, source)?;
            let (name, digest) = (pin.name.clone(), pin.sha256.clone());
            engine.change_plugins(&project, &name, |changes| {
                engine.put(&project, changes, &bytes, pin, &grants)?;
                engine.context.ask_again(&project.root, &digest);
                Ok(())
            })
        })
        .await?
    }

    /// The component's bytes and its pin, once it is known that it can run.
    fn accepted(
        &self,
        component: &Path,
        name: Option<String>,
        source: String,
    ) -> Result<(Vec<u8>, PluginPin), Failure> {
        let refused = |failure: PluginFailure| ContextError::refused(component.display().to_string(), &failure);
        let bytes = PluginSource::named(component).read().map_err(refused)?;
        let inspection = inspect(&bytes).map_err(refused)?;
        let name = name.unwrap_or_else(|| inspection.manifest.name.clone());
        if !is_plugin_name(&name) {
            let message = format!("{name:?} is no name for a plugin: 1 to 64 lower-case letters, digits and '-'");
            return Err(Failure::new(ErrorCode::InvalidName, message));
        }
        let plugin = self.context.host().prepare(bytes.clone()).map_err(refused)?;
        // Whether any config fits is of no interest here, only that the schema is one.
        plugin.misfit(&serde_json::Value::Null).map_err(refused)?;
        let pin = PluginPin {
            path: format!("plugins/{name}.wasm"),
            name,
            source,
            version: inspection.manifest.version,
            sha256: plugin.digest().to_owned(),
            imports: inspection.imports,
        };
        Ok((bytes, pin))
    }

    fn put(
        &self,
        project: &Project,
        changes: &mut Changes,
        bytes: &[u8],
        pin: PluginPin,
        grants: &[&str],
    ) -> Result<(), Failure> {
        // Read first: what is damaged is told before anything is written.
        let mut lock = PluginsLock::read(&project.layout.plugins_lock())?;
        check_free(project, &pin)?;
        self.projects.settle(project)?;
        let mut chain = chain_file(project)?;
        let name = pin.name.clone();
        changes.replace(&project.layout.root().join(&pin.path), bytes)?;
        lock.put(pin);
        changes.write(&project.layout.plugins_lock(), lock.text().as_bytes())?;
        let is_new = chain.is_configured() && !chain.has(&name);
        if is_new {
            chain.append(&name);
        }
        // What a new version needs and the last one did not is granted only where that is said here.
        grant(project, &mut chain, &name, grants)?;
        if is_new || !grants.is_empty() {
            write_chain(project, changes, &chain)?;
        }
        Ok(())
    }
}

/// An assembler of this name that runs another file would keep the plugin out of the chain unseen.
fn check_free(project: &Project, pin: &PluginPin) -> Result<(), Failure> {
    let config = project.config()?;
    let folder = project.layout.root();
    let runs_it = |plugin: &str| plugin == pin.name || folder.join(plugin) == folder.join(&pin.path);
    let mut chain = config.context.assemblers.iter().flatten();
    let Some(other) = chain.find(|assembler| assembler.name == pin.name && !runs_it(assembler.plugin())) else {
        return Ok(());
    };
    let message = format!("the chain has an assembler `{}` already, which runs {}", pin.name, other.plugin());
    Err(ErrorBody::new(ErrorCode::NameTaken, message)
        .with_hint("`pu plugin add PATH --name NAME` adds it under another name")
        .into())
}

/// A component that lies among the project's plugins already keeps the name of its file: what runs is accepted as it is.
fn name_of_own(project: &Project, component: &Path) -> Option<String> {
    let (plugins, real) = (project.layout.plugins().canonicalize().ok()?, component.canonicalize().ok()?);
    let name = real.strip_prefix(plugins).ok()?.to_str()?.strip_suffix(".wasm")?;
    is_plugin_name(name).then(|| name.to_owned())
}
