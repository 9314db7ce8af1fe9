//! A plugin in JavaScript: componentize-js, in the plugin's own `node_modules`, makes a component of it.

use super::tools::{Tools, missing};
use crate::failure::Failure;
use crate::plugins::folder::PluginFolder;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = include_str!("../../../templates/plugin/js/componentize.mjs");
const PACKAGE: &str = "node_modules/@bytecodealliance/componentize-js";

pub(super) fn build(folder: &PluginFolder, work: &Path, tools: &Tools) -> Result<PathBuf, Failure> {
    let Some(node) = tools.find("node") else {
        return Err(missing("node", "install Node.js 20 or newer: https://nodejs.org, or `apt install nodejs npm`"));
    };
    // As node looks for it: here, or in a folder above.
    if !folder.root.ancestors().any(|place| place.join(PACKAGE).is_dir()) {
        let place = shell_words::join(["npm", "install", "--prefix", &folder.root.to_string_lossy()]);
        return Err(missing("componentize-js, which makes components of JavaScript,", place));
    }
    let out = work.join("plugin.wasm");
    let mut command = Command::new(node);
    command.args(["--input-type=module", "--eval", SCRIPT, "--"]).arg(&out).current_dir(&folder.root);
    tools.run(&mut command)?;
    Ok(out)
}
