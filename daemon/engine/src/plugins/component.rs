//! Reads what a file claims to be before anything of it is compiled or run: a component, its imports, its manifest.
//!
//! The list of imports is the declaration of capabilities. This looks at names only; whether the component is valid is
//! for the compiler to say, and whether the shapes fit for the linker.

use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload, TypeBounds};

use super::failure::{FailureCode, PluginFailure};
use super::manifest::{Manifest, SECTION};

/// No plugin is larger. A JavaScript one with its engine is 12 MB, a Python one 18 MB.
pub(super) const COMPONENT_MAX: usize = 32 * 1024 * 1024;
const PACKAGE: &str = "purepoint:context/";
const EXPORT: &str = "assemble";
/// The interfaces that this host offers, in the versions 0.1.x: the last two to those that were granted them.
const OFFERED: [&str; 6] = ["types", "specs", "log", "config", "state", "history"];
const CONTRACT: (u64, u64) = (0, 1);

/// What a plugin's file says without running it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    pub manifest: Manifest,
    /// Everything that it imports, as it names it: what it can reach.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    /// In bytes.
    pub size: usize,
}

/// Inspects a plugin, or says why these bytes are none that this host runs.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, PluginFailure> {
    check_size(bytes.len() as u64)?;
    let outline = outline(bytes)?;
    for import in &outline.imports {
        check_import(import)?;
    }
    if !outline.exports.iter().any(|name| name == EXPORT) {
        return Err(wrong_contract(format!("it does not export `{EXPORT}`, so it is not an assembler")));
    }
    let manifest = outline.manifest.ok_or_else(|| {
        PluginFailure::new(FailureCode::NoManifest, format!("it has no manifest (custom section `{SECTION}`)"))
    })?;
    let manifest = Manifest::parse(manifest)?;
    if !runs(&manifest.contract) {
        return Err(wrong_contract(format!(
            "its manifest asks for contract {}, this host runs 0.1.x",
            manifest.contract
        )));
    }
    Ok(Inspection { manifest, imports: outline.imports, exports: outline.exports, size: bytes.len() })
}

/// Fails where a plugin has more bytes than any may have.
pub(super) fn check_size(bytes: u64) -> Result<(), PluginFailure> {
    if bytes <= COMPONENT_MAX as u64 {
        return Ok(());
    }
    let message = format!("it has {bytes} bytes, a plugin at most {COMPONENT_MAX} ({} MiB)", COMPONENT_MAX >> 20);
    Err(PluginFailure::new(FailureCode::TooLarge, message))
}

#[derive(Debug, Default)]
struct Outline<'a> {
    imports: Vec<String>,
    exports: Vec<String>,
    manifest: Option<&'a [u8]>,
}

/// The sections of the outermost component.
fn outline(bytes: &[u8]) -> Result<Outline<'_>, PluginFailure> {
    check_header(bytes)?;
    let mut outline = Outline::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let import = import.map_err(damaged)?;
                    // The world's own names for types of the contract: nothing can be reached through them.
                    if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                        outline.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    outline.exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                outline.manifest = Some(section.data());
            }
            _ => {}
        }
    }
    Ok(outline)
}

fn check_header(bytes: &[u8]) -> Result<(), PluginFailure> {
    if !bytes.starts_with(b"\0asm") {
        return Err(PluginFailure::new(FailureCode::NotAComponent, "it is no WebAssembly"));
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding: Encoding::Component, .. })) => Ok(()),
        Some(Ok(Payload::Version { encoding: Encoding::Module, .. })) => Err(PluginFailure::new(
            FailureCode::CoreModule,
            "it is a core module: `pu plugin build` makes a component of it",
        )),
        Some(Err(error)) => Err(damaged(error)),
        _ => Err(PluginFailure::new(FailureCode::NotAComponent, "it is no component")),
    }
}

fn check_import(import: &str) -> Result<(), PluginFailure> {
    if import.starts_with("wasi:") {
        return Err(PluginFailure::new(
            FailureCode::WasiImport,
            format!(
                "it imports {import}, and a plugin gets no WASI: build for wasm32-unknown-unknown (Rust), with every \
                 feature disabled (componentize-js), or with --stub-wasi (componentize-py)"
            ),
        ));
    }
    let Some((interface, version)) = split(import) else {
        return Err(unknown_import(import));
    };
    if !runs(version) {
        return Err(wrong_contract(format!("it imports {import}, this host runs purepoint:context 0.1.x")));
    }
    if OFFERED.contains(&interface) { Ok(()) } else { Err(unknown_import(import)) }
}

/// The contract's interface that an import names, if it names one.
pub(super) fn interface_of(import: &str) -> Option<&str> {
    split(import).map(|(interface, _)| interface)
}

/// An import of the contract as interface and version.
fn split(import: &str) -> Option<(&str, &str)> {
    import.strip_prefix(PACKAGE)?.split_once('@')
}

fn unknown_import(import: &str) -> PluginFailure {
    PluginFailure::new(
        FailureCode::UnknownImport,
        format!("it imports {import:?}, which this host does not offer: rebuild it against purepoint:context 0.1"),
    )
}

fn runs(version: &str) -> bool {
    let mut parts = version.splitn(3, '.');
    let mut part = || parts.next().and_then(|part| part.parse::<u64>().ok());
    (part(), part()) == (Some(CONTRACT.0), Some(CONTRACT.1))
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn damaged(error: wasmparser::BinaryReaderError) -> PluginFailure {
    PluginFailure::new(FailureCode::Truncated, format!("it is damaged or cut off: {error}"))
}

fn wrong_contract(message: String) -> PluginFailure {
    PluginFailure::new(FailureCode::WrongContract, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with this import of an empty instance (if any), an export `assemble`, and this manifest (if any).
    fn component(import: Option<&str>, export: &str, manifest: Option<&str>) -> Vec<u8> {
        let import = import.map_or(String::new(), |name| format!("(import \"{name}\" (instance))"));
        let manifest = manifest.map_or(String::new(), |json| format!("(@custom \"{SECTION}\" {json:?})"));
        wat::parse_str(format!("(component {import} (component $c) (export \"{export}\" (component $c)) {manifest})"))
            .unwrap()
    }

    const MANIFEST: &str = r#"{"name":"x","version":"1","contract":"0.1.7"}"#;

    #[test]
    fn each_way_to_be_no_plugin_has_its_own_code() {
        let good = component(None, "assemble", Some(MANIFEST));
        let with_import = |name: &str| component(Some(name), "assemble", Some(MANIFEST));
        let old = MANIFEST.replace("0.1.7", "0.2.0");
        let cases = [
            (vec![], FailureCode::NotAComponent),
            (b"#!/bin/sh\n".to_vec(), FailureCode::NotAComponent),
            (b"\0asm".to_vec(), FailureCode::Truncated),
            (wat::parse_str("(module)").unwrap(), FailureCode::CoreModule),
            (good[..good.len() - 3].to_vec(), FailureCode::Truncated),
            (vec![0; COMPONENT_MAX + 1], FailureCode::TooLarge),
            (with_import("wasi:clocks/wall-clock@0.2.0"), FailureCode::WasiImport),
            (with_import("acme:net/http@1.0.0"), FailureCode::UnknownImport),
            (with_import("purepoint:context/network@0.1.0"), FailureCode::UnknownImport),
            (with_import("purepoint:context/specs@0.2.0"), FailureCode::WrongContract),
            (component(None, "run", Some(MANIFEST)), FailureCode::WrongContract),
            (component(None, "assemble", Some(&old)), FailureCode::WrongContract),
            (component(None, "assemble", None), FailureCode::NoManifest),
            (component(None, "assemble", Some("{")), FailureCode::ManifestInvalid),
        ];
        for (n, (bytes, code)) in cases.into_iter().enumerate() {
            assert_eq!(inspect(&bytes).unwrap_err().code, code, "case {n}");
        }
    }

    #[test]
    fn a_plugin_shows_its_manifest_and_what_it_can_reach() {
        let inspection = inspect(&component(Some("purepoint:context/log@0.1.9"), "assemble", Some(MANIFEST))).unwrap();
        assert_eq!(inspection.manifest.name, "x");
        assert_eq!(inspection.imports, ["purepoint:context/log@0.1.9"]);
        assert_eq!(inspection.exports, ["assemble"]);
    }

    #[test]
    fn a_manifest_inside_a_nested_module_is_not_the_plugin_s() {
        let bytes = wat::parse_str(format!(
            "(component (core module (@custom \"{SECTION}\" {MANIFEST:?})) (component $c) (export \"assemble\" (component $c)))"
        ))
        .unwrap();
        assert_eq!(inspect(&bytes).unwrap_err().code, FailureCode::NoManifest);
    }
}
