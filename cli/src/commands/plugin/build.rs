//! `pu plugin build`: from sources to a plugin.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::plugins::build::{self, Tools};
use crate::plugins::folder::PluginFolder;
use crate::plugins::language::Language;
use crate::render;
use pu_protocol::{Answer, ErrorBody, ErrorCode, Request};
use std::path::PathBuf;
use std::time::Instant;

/// Build a plugin with its language's tools, into dist/NAME.wasm
///
/// The language is told by what is there: Cargo.toml, package.json, plugin.py or plugin.c. A tool that is missing is
/// named, with how to install it; nothing is installed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pu plugin build\n  pu plugin build ./ledger && pu plugin test ./ledger")]
pub(crate) struct Args {
    /// The folder that the plugin is written in.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        let begun = Instant::now();
        let folder = PluginFolder::open(&invocation.path(&self.dir))?;
        let language = Language::of(&folder.root).ok_or_else(|| no_language(&folder))?;
        let work = tempfile::tempdir().map_err(|e| Failure::io("make a folder in", std::env::temp_dir(), e))?;
        let tools = Tools::of_path(std::env::var_os("PATH")).quiet(invocation.json);
        let core = build::build(language, &folder, work.path(), &tools)?;

        let dist = folder.dist();
        std::fs::create_dir_all(&dist).map_err(|e| Failure::io("create", dist, e))?;
        let out = folder.component();
        let request = Request::PluginEncode { core, manifest: folder.manifest(), out: out.clone() };
        let reply = invocation.ask(&request)?;
        let Answer::PluginInspection(inspection) = &reply.answer else {
            return Err(invocation.mismatch("plugin_encode", &reply.answer));
        };
        let took = begun.elapsed();
        invocation.show(&reply, || render::plugin::built(inspection, language, &out, took, invocation.style))?;
        Ok(Outcome::DONE)
    }
}

fn no_language(folder: &PluginFolder) -> Failure {
    let marks: Vec<String> =
        Language::MARKS.iter().map(|(language, mark)| format!("{mark} ({})", language.name())).collect();
    let message = format!("{} is written in no language that is known here", folder.root.display());
    ErrorBody::new(ErrorCode::PluginNotFound, message).with_hint(format!("one of {}", marks.join(", "))).into()
}
