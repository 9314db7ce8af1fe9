//! How a plugin is named on the command line: by its name in the project, or by where it lies.

use crate::failure::Failure;
use crate::invocation::Invocation;
use crate::plugins::folder::PluginFolder;
use crate::progress::Progress;
use crate::render;
use crate::text::printable;
use std::path::{Path, PathBuf};

/// A plugin as the daemon takes it: a name, or the absolute path of a component.
pub(super) fn resolve(invocation: &Invocation, typed: &str) -> Result<String, Failure> {
    if !is_path(typed) {
        return Ok(typed.to_owned());
    }
    Ok(component(&invocation.path(Path::new(typed)))?.to_string_lossy().into_owned())
}

/// The component at a path: the file, or what was built in the folder that a plugin is written in.
pub(super) fn component(path: &Path) -> Result<PathBuf, Failure> {
    let found = path.canonicalize().map_err(|e| Failure::io("find", path, e))?;
    if found.is_dir() { PluginFolder::open(&found)?.built() } else { Ok(found) }
}

/// Tells, as long as it lives, that something is done with a component which may have to be compiled for that.
pub(super) fn waiting(invocation: &Invocation, doing: &str, name: Option<&str>, component: &Path) -> Progress {
    let stem = component.file_stem().unwrap_or_default().to_string_lossy();
    let size = std::fs::metadata(component).map(|found| format!(" ({})", render::plugin::size(found.len())));
    let what = format!("{doing} {}{}", printable(name.unwrap_or(&stem)), size.unwrap_or_default());
    Progress::start(what, invocation.json)
}

/// No plugin has a name with a `/` or a `.` in it.
pub(super) fn is_path(typed: &str) -> bool {
    typed.contains(['/', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_told_apart() {
        for (typed, path) in [
            ("ledger", false),
            ("my-ledger-2", false),
            (".", true),
            ("..", true),
            ("./ledger", true),
            ("ledger/", true),
            ("ledger.wasm", true),
            ("/work/ledger", true),
        ] {
            assert_eq!(is_path(typed), path, "{typed}");
        }
    }

    #[test]
    fn a_folder_that_is_not_built_says_what_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("manifest.json");
        std::io::Write::write_all(&mut std::fs::File::create(manifest).unwrap(), br#"{"name": "ledger"}"#).unwrap();
        let body = component(folder.path()).unwrap_err().body();
        assert!(body.hint.is_some_and(|hint| hint.starts_with("pu plugin build")));
    }
}
