//! A plugin in Python: componentize-py, from the plugin's `.venv` or the PATH, makes a component of it.

use super::tools::{Tools, missing};
use crate::failure::Failure;
use crate::plugins::folder::PluginFolder;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) fn build(folder: &PluginFolder, work: &Path, tools: &Tools) -> Result<PathBuf, Failure> {
    let Some(componentize) = tools.find_in_venv(&folder.root, "componentize-py") else {
        return Err(missing(
            "componentize-py, which makes components of Python,",
            format!("in {}: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt", folder.root.display()),
        ));
    };
    let out = work.join("plugin.wasm");
    let mut command = Command::new(componentize);
    // Without `--stub-wasi` the component would import WASI.
    command.args(["-d", "wit", "-w", "assembler", "componentize", "--stub-wasi", "plugin", "-o"]).arg(&out);
    tools.run(command.current_dir(&folder.root))?;
    Ok(out)
}
