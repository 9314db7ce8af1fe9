//! `pu plugin add`: a component becomes a plugin of the project.

use super::named;
use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::plugins::oci::{self, Blob};
use crate::render;
use pu_protocol::plugin::PluginInfo;
use pu_protocol::{Answer, ErrorBody, ErrorCode, Request};
use std::path::{Path, PathBuf};

/// Add a plugin to the project, and pin it in plugins.lock
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu plugin add ./ledger.wasm
  pu plugin add ../ledger
  pu plugin add ../ledger --grant history
  pu plugin add ./image --name billing-ledger")]
pub(crate) struct Args {
    /// A component, a folder that a plugin was built in, or an OCI image layout on disk.
    path: PathBuf,
    /// What it is called here [default: the name in its manifest].
    #[arg(long)]
    name: Option<String>,
    /// Let it use more than the project's specs: what it keeps from one task to the next (`state`), past tasks (`history`).
    #[arg(long = "grant", value_name = "WORD", value_parser = ["state", "history"], value_delimiter = ',')]
    grants: Vec<String>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let path = invocation.path(&self.path);
        let blob = if oci::is_layout(&path) { Some(oci::component(&path)?) } else { None };
        let component = match &blob {
            Some(blob) => named::component(&blob.path)?,
            None => named::component(&path)?,
        };
        // A blob is called by its digest; what it holds has a name.
        let inside = blob.as_ref().map(|blob| check_before(invocation, blob, &component)).transpose()?;
        let name = self.name.as_deref().or(inside.as_deref());
        let compiling = named::waiting(invocation, "compiling", name, &component);
        let reply = invocation.ask(&Request::PluginAdd {
            cwd: invocation.cwd.clone(),
            component,
            name: self.name.clone(),
            source: self.path.to_string_lossy().into_owned(),
            grants: self.grants.clone(),
        })?;
        drop(compiling);
        let Answer::PluginChanged { plugin, changed } = &reply.answer else {
            return Err(invocation.mismatch("plugin_add", &reply.answer));
        };
        if let Some(blob) = &blob {
            check_after(invocation, blob, plugin)?;
        }
        invocation.show(&reply, || render::plugin::changed("added", plugin, changed, invocation.style))?;
        Ok(Outcome::DONE)
    }
}

/// Nothing is added, and no plugin of this name replaced, for a blob that is not what its layout promises. Answers the
/// plugin's own name.
fn check_before(invocation: &Invocation, blob: &Blob, component: &Path) -> Result<String, Failure> {
    let plugin = component.to_string_lossy().into_owned();
    let reply = invocation.ask(&Request::PluginInspect { cwd: invocation.cwd.clone(), plugin })?;
    let Answer::PluginInspection(inspection) = &reply.answer else {
        return Err(invocation.mismatch("plugin_inspect", &reply.answer));
    };
    if inspection.digest == blob.digest {
        return Ok(inspection.name.clone());
    }
    Err(differs(blob, &inspection.digest))
}

/// What was added is what was looked at, or it goes again.
fn check_after(invocation: &Invocation, blob: &Blob, plugin: &PluginInfo) -> Result<(), Failure> {
    if plugin.digest == blob.digest {
        return Ok(());
    }
    // It is removed by the name of its file, whatever the chain calls it.
    let stem = plugin.path.as_deref().and_then(Path::file_stem);
    let name = stem.map_or_else(|| plugin.name.clone(), |stem| stem.to_string_lossy().into_owned());
    invocation.ask(&Request::PluginRemove { cwd: invocation.cwd.clone(), name })?;
    Err(differs(blob, &plugin.digest))
}

fn differs(blob: &Blob, digest: &str) -> Failure {
    let message = format!("{} is damaged: its digest is {digest}, not its name", blob.path.display());
    ErrorBody::new(ErrorCode::PluginRefused, message).with_hint("pull the image again; nothing was added").into()
}
