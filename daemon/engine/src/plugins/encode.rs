//! From a core module and a manifest to a plugin: the last step of a plugin's build.

use std::path::Path;
use std::process::ExitCode;

use wasmparser::Parser;

use super::failure::{FailureCode, PluginFailure};
use super::manifest::{Manifest, SECTION};
use super::schema::ConfigSchema;
use super::{Inspection, inspect};

/// Makes a component of a core module that carries the contract's types (as the SDK's macro and `wit-bindgen` leave
/// them there), adds the manifest, and inspects the outcome as the host will. What is a component already (as the tools of
/// other languages make it) only gets the manifest.
pub fn encode_plugin(core: &[u8], manifest: &[u8]) -> Result<(Vec<u8>, Inspection), PluginFailure> {
    let parsed = Manifest::parse(manifest)?;
    ConfigSchema::new(parsed.config.as_ref())?;
    let mut bytes = if Parser::is_component(core) { without_manifest(core)? } else { component_of(core)? };
    append_section(&mut bytes, SECTION, manifest);
    let inspection = inspect(&bytes)?;
    Ok((bytes, inspection))
}

fn component_of(core: &[u8]) -> Result<Vec<u8>, PluginFailure> {
    if !core.starts_with(b"\0asm") {
        return Err(PluginFailure::new(FailureCode::NotAComponent, "it is no WebAssembly"));
    }
    let failed = |error: String| PluginFailure::new(FailureCode::WrongContract, error);
    let encoder = wit_component::ComponentEncoder::default().validate(true);
    let encoder = encoder.module(core).map_err(|error| failed(format!("no core module of the contract: {error:#}")))?;
    let mut encoder = encoder;
    encoder.encode().map_err(|error| failed(format!("cannot be made a component: {error:#}")))
}

/// The component as it is; one that has a manifest keeps it, so it cannot get another.
fn without_manifest(component: &[u8]) -> Result<Vec<u8>, PluginFailure> {
    match inspect(component) {
        Err(failure) if failure.code == FailureCode::NoManifest => Ok(component.to_vec()),
        Err(failure) if failure.code != FailureCode::ManifestInvalid => Err(failure),
        Ok(_) | Err(_) => {
            let message = "it carries a manifest already: give the component that has none";
            Err(PluginFailure::new(FailureCode::ManifestInvalid, message))
        }
    }
}

/// The hidden subcommand `encode-plugin CORE.wasm MANIFEST.json OUT.wasm`.
pub(super) fn run_encode_plugin(core: &Path, manifest: &Path, out: &Path) -> ExitCode {
    match encode_files(core, manifest, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            tell(&message);
            ExitCode::FAILURE
        }
    }
}

fn encode_files(core: &Path, manifest: &Path, out: &Path) -> Result<(), String> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()));
    let (plugin, inspection) =
        encode_plugin(&read(core)?, &read(manifest)?).map_err(|failure| format!("{}: {failure}", core.display()))?;
    pu_record::atomic::write_volatile(out, &plugin, 0o644).map_err(|error| error.to_string())?;
    tell(&format!("{}: {} bytes, imports {}", out.display(), inspection.size, inspection.imports.join(", ")));
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a subcommand's outcome belongs to the build that ran it")]
fn tell(message: &str) {
    eprintln!("{message}");
}

/// Appends a custom section: id 0, size, length of the name, name, data.
fn append_section(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::with_capacity(name.len() + data.len() + 5);
    leb128(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    bytes.push(0);
    leb128(bytes, content.len());
    bytes.extend_from_slice(&content);
}

fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}
