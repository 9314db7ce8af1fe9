//! `plugin_encode`: the last step of a plugin's build, from a core module and a manifest to a component.

use super::{Engine, Failure, check_absolute, described};
use crate::context::ContextError;
use crate::plugins::{PluginSource, encode_plugin, sha256};
use pu_protocol::Answer;
use pu_record::atomic;
use std::path::PathBuf;

/// What a build makes is its user's to share.
const COMPONENT_MODE: u32 = 0o644;

impl Engine {
    pub(in crate::engine) async fn plugin_encode(
        &self,
        core: PathBuf,
        manifest: PathBuf,
        out: PathBuf,
    ) -> Result<Answer, Failure> {
        let engine = self.clone();
        // The encoder validates as it goes, which takes a while where a language brings its engine along.
        self.slowly(move || {
            for (path, what) in [(&core, "the core module"), (&manifest, "the manifest"), (&out, "the component")] {
                check_absolute(path, what)?;
            }
            let read = |path: &PathBuf| {
                let refused = |failure| ContextError::refused(path.display().to_string(), &failure);
                PluginSource::named(path).read().map_err(refused)
            };
            let (core_bytes, manifest_bytes) = (read(&core)?, read(&manifest)?);
            let (bytes, inspection) = encode_plugin(&core_bytes, &manifest_bytes)
                .map_err(|failure| ContextError::refused(core.display().to_string(), &failure))?;
            atomic::write_atomic(&out, &bytes, COMPONENT_MODE)?;
            let inspection = described(engine.context.host(), inspection, sha256(&bytes));
            Ok(Answer::PluginInspection(Box::new(inspection)))
        })
        .await?
    }
}
