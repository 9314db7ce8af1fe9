//! A folder that a plugin is written in: what lies where.
//!
//! Reads of the manifest what the command line needs; whether the manifest is sound is the daemon's to say.

use super::name;
use crate::failure::Failure;
use pu_protocol::{ErrorBody, ErrorCode};
use serde_json::Value;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const GOLDEN: &str = "golden.toml";
const DIST: &str = "dist";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PluginFolder {
    /// Absolute.
    pub(crate) root: PathBuf,
    /// The manifest's.
    pub(crate) name: String,
}

impl PluginFolder {
    /// Whether a plugin is written there.
    pub(crate) fn is_one(path: &Path) -> bool {
        path.join(MANIFEST).is_file()
    }

    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let root = path.canonicalize().map_err(|e| Failure::io("find", path, e))?;
        if !root.is_dir() {
            return Err(no_plugin(&root, "is no folder"));
        }
        let manifest = root.join(MANIFEST);
        if !manifest.is_file() {
            return Err(no_plugin(&root, "holds no manifest.json"));
        }
        let text = std::fs::read_to_string(&manifest).map_err(|e| Failure::io("read", &manifest, e))?;
        let name = manifest_name(&text).map_err(|why| {
            ErrorBody::new(ErrorCode::InvalidConfig, format!("{}: {why}", manifest.display()))
                .with_hint("`pu plugin new` writes one to start from")
        })?;
        Ok(Self { root, name })
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join(MANIFEST)
    }

    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join(DIST)
    }

    /// Where `pu plugin build` leaves the component.
    pub(crate) fn component(&self) -> PathBuf {
        self.dist().join(format!("{}.wasm", self.name))
    }

    /// The component, if it was built.
    pub(crate) fn built(&self) -> Result<PathBuf, Failure> {
        let component = self.component();
        if component.is_file() {
            return Ok(component);
        }
        let message = format!("{} is not built: there is no {}", self.name, component.display());
        Err(ErrorBody::new(ErrorCode::PluginNotFound, message)
            .with_hint(format!("pu plugin build {}", shell_words::quote(&self.root.to_string_lossy())))
            .into())
    }

    pub(crate) fn golden(&self) -> PathBuf {
        self.root.join(GOLDEN)
    }
}

fn manifest_name(text: &str) -> Result<String, String> {
    let manifest: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let name = manifest.get("name").and_then(Value::as_str).ok_or("it has no `name`")?;
    // The name is part of a path.
    if name::is_one(name) { Ok(name.to_owned()) } else { Err(format!("{name:?} is no name for a plugin")) }
}

fn no_plugin(path: &Path, why: &str) -> Failure {
    ErrorBody::new(ErrorCode::PluginNotFound, format!("{} {why}, so no plugin is written there", path.display()))
        .with_hint("`pu plugin new NAME` starts one")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    fn folder(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        File::create(folder.path().join(MANIFEST)).unwrap().write_all(manifest.as_bytes()).unwrap();
        folder
    }

    #[test]
    fn the_manifest_names_the_component() {
        let home = folder(r#"{"name": "ledger", "version": "1"}"#);
        let plugin = PluginFolder::open(home.path()).unwrap();
        assert_eq!(plugin.component(), plugin.root.join("dist/ledger.wasm"));
        let body = plugin.built().unwrap_err().body();
        assert_eq!(body.code, ErrorCode::PluginNotFound);
        assert!(body.hint.is_some_and(|hint| hint.starts_with("pu plugin build /")), "{}", body.message);
    }

    #[test]
    fn what_is_no_plugin_is_said_with_the_reason() {
        let (empty, file) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        for (path, reason) in [(empty.path(), "holds no manifest.json"), (file.path(), "is no folder")] {
            let body = PluginFolder::open(path).unwrap_err().body();
            assert!(body.code == ErrorCode::PluginNotFound && body.message.contains(reason), "{}", body.message);
        }
        for (manifest, code, reason) in [
            ("{", ErrorCode::InvalidConfig, "EOF"),
            (r#"{"version": "1"}"#, ErrorCode::InvalidConfig, "no `name`"),
            (r#"{"name": "../../etc"}"#, ErrorCode::InvalidConfig, "../../etc"),
        ] {
            let body = PluginFolder::open(folder(manifest).path()).unwrap_err().body();
            assert!(body.code == code && body.message.contains(reason), "{manifest}: {}", body.message);
        }
    }
}
