//! `plugin_remove`: takes a plugin out of the project: its file, its pin and what the configuration says of it.
//!
//! Plugins of the user's home and bundled ones are not removed; `plugin_switch` keeps them out of a chain.

use super::changes::Changes;
use super::{Engine, Failure, chain_file, not_found, write_chain};
use crate::plugins::is_plugin_name;
use crate::projects::Project;
use crate::store::PluginsLock;
use pu_protocol::Answer;
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn plugin_remove(&self, cwd: PathBuf, name: String) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        self.within(&cwd, move || {
            let project = engine.projects.trusted(&folder)?;
            engine.change_plugins(&project, &name, |changes| engine.take_out(&project, changes, &name))
        })
        .await?
    }

    fn take_out(&self, project: &Project, changes: &mut Changes, name: &str) -> Result<(), Failure> {
        let lock_file = project.layout.plugins_lock();
        let mut lock = PluginsLock::read(&lock_file)?;
        let mut chain = chain_file(project)?;
        let pinned = lock.find(name).map(|pin| project.layout.root().join(&pin.path));
        let usual = is_plugin_name(name).then(|| project.layout.plugins().join(format!("{name}.wasm")));
        let mut found = false;
        if let Some(file) = pinned.or(usual) {
            found |= changes.remove(&file)?;
        }
        if lock.remove(name) {
            changes.write(&lock_file, lock.text().as_bytes())?;
            found = true;
        }
        let mut is_configured = chain.remove(name);
        // One that is added later under this name is not to have what was granted to this one, nor to be kept from running by
        // what was said of it.
        is_configured |= chain.revoke(name);
        if chain.disabled().is_some_and(|disabled| disabled.iter().any(|known| known == name)) {
            self.relist(&mut chain, |disabled| disabled.retain(|known| known != name))?;
            is_configured = true;
        }
        if is_configured {
            write_chain(project, changes, &chain)?;
            found = true;
        }
        if found { Ok(()) } else { Err(not_found(project, name)) }
    }
}
