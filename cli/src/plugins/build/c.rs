//! A plugin in C: wit-bindgen writes the bindings, zig or wasi-sdk's clang compiles both to a core module.

use super::tools::{Tools, can_run, missing};
use crate::failure::Failure;
use crate::plugins::folder::PluginFolder;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const BINDGEN: &str = "cargo install --locked wit-bindgen-cli@0.61.0";

pub(super) fn build(folder: &PluginFolder, work: &Path, tools: &Tools) -> Result<PathBuf, Failure> {
    let bindgen =
        tools.find("wit-bindgen").ok_or_else(|| missing("wit-bindgen, which writes the bindings,", BINDGEN))?;
    let mut compiler = compiler(folder, tools, std::env::var_os("WASI_SDK_PATH"))?;

    let bindings = work.join("bindings");
    let mut command = Command::new(bindgen);
    command.args(["c", "wit", "--world", "assembler", "--out-dir"]).arg(&bindings).current_dir(&folder.root);
    tools.run(&mut command)?;

    let out = work.join("plugin.wasm");
    // The target has a C library; nothing of WASI is left in the module as long as the plugin opens and prints nothing.
    compiler.args(["-target", "wasm32-wasi", "-Oz", "-mexec-model=reactor", "-s", "-Wall", "-I"]).arg(&bindings);
    compiler.arg("-o").arg(&out).arg("plugin.c");
    compiler.args(["assembler.c", "assembler_component_type.o"].map(|file| bindings.join(file)));
    tools.run(compiler.current_dir(&folder.root))?;
    Ok(out)
}

/// A C compiler that brings a C library for wasm along.
fn compiler(folder: &PluginFolder, tools: &Tools, wasi_sdk: Option<OsString>) -> Result<Command, Failure> {
    let zig = tools.find_in_venv(&folder.root, "python-zig").or_else(|| tools.find("zig"));
    if let Some(zig) = zig {
        let mut command = Command::new(zig);
        command.arg("cc");
        return Ok(command);
    }
    let clang = wasi_sdk.map(|sdk| Path::new(&sdk).join("bin/clang")).filter(|clang| can_run(clang));
    clang.map(Command::new).ok_or_else(|| {
        let venv = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt";
        missing(
            "a C compiler for wasm",
            format!("in {}: {venv} (zig, from PyPI); or set WASI_SDK_PATH to a wasi-sdk", folder.root.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_compiler_the_ways_to_one_are_told() {
        let folder = PluginFolder { root: "/work/ledger".into(), name: "ledger".into() };
        let failure = compiler(&folder, &Tools::of_path(None), Some("/no/wasi-sdk".into())).unwrap_err();
        let hint = failure.body().hint.unwrap();
        assert!(
            hint.contains("/work/ledger") && hint.contains("pip install") && hint.contains("WASI_SDK_PATH"),
            "{hint}"
        );
    }
}
