//! Plugins that misbehave, one for each way to, as bytes: for the tests of the host and for those of the whole product.
//!
//! Each is a core module in text, with the contract's own types from `plugin-sdk/wit`, so that a change of the contract
//! changes these too. Nothing here is built for wasm, and nothing of it ships.

mod module;

use std::fmt::Display;
use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

/// A way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hostile {
    /// Never answers.
    EndlessLoop,
    /// Calls the host without end.
    HostCallFlood,
    /// Logs without end.
    LogFlood,
    /// Takes memory until it gets none, then traps, as an allocator does.
    MemoryBomb,
    /// Grows a table until it may not, then traps.
    TableBomb,
    /// Calls itself without end.
    DeepRecursion,
    /// Executes `unreachable`.
    Trap,
    /// Says `panic` to the log, then traps, as the SDK does.
    Panic,
    /// Imports a clock of WASI.
    WasiImport,
    /// Answers with a million picks.
    MillionPicks,
    /// Answers with 64 picks, each with the same 32 MiB as its reason.
    HugeReasons,
    /// Answers with picks whose scores are NaN, infinite and 7, of specs that exist and do not.
    BadPicks,
    /// Answers with its own failure.
    Refusal,
    /// Answers with nothing, soundly.
    Empty,
}

impl Hostile {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::EndlessLoop,
        Self::HostCallFlood,
        Self::LogFlood,
        Self::MemoryBomb,
        Self::TableBomb,
        Self::DeepRecursion,
        Self::Trap,
        Self::Panic,
        Self::WasiImport,
        Self::MillionPicks,
        Self::HugeReasons,
        Self::BadPicks,
        Self::Refusal,
        Self::Empty,
    ];

    /// The plugin's name in its manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::EndlessLoop => "endless-loop",
            Self::HostCallFlood => "host-call-flood",
            Self::LogFlood => "log-flood",
            Self::MemoryBomb => "memory-bomb",
            Self::TableBomb => "table-bomb",
            Self::DeepRecursion => "deep-recursion",
            Self::Trap => "trap",
            Self::Panic => "panic",
            Self::WasiImport => "wasi-import",
            Self::MillionPicks => "million-picks",
            Self::HugeReasons => "huge-reasons",
            Self::BadPicks => "bad-picks",
            Self::Refusal => "refusal",
            Self::Empty => "empty",
        }
    }

    /// The code with which the host skips it, if it does.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::EndlessLoop => Some("deadline"),
            Self::HostCallFlood | Self::LogFlood => Some("host_call_limit"),
            Self::MemoryBomb | Self::TableBomb => Some("memory_limit"),
            Self::DeepRecursion | Self::Trap => Some("trap"),
            Self::Panic => Some("panic"),
            Self::WasiImport => Some("wasi_import"),
            Self::MillionPicks | Self::HugeReasons => Some("output_limit"),
            Self::Refusal => Some("failed"),
            Self::BadPicks | Self::Empty => None,
        }
    }

    /// The plugin. The name of a spec that exists is what [`Hostile::BadPicks`] picks soundly, once.
    pub fn component(self, existing_spec: &str) -> Result<Vec<u8>, BuildError> {
        let text = module::text(self, existing_spec);
        let mut core = wat::parse_str(text)?;
        let mut resolve = Resolve::default();
        let world = self.world(&mut resolve).map_err(BuildError::contract)?;
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).map_err(BuildError::contract)?;
        let encoder = ComponentEncoder::default().module(&core).map_err(BuildError::contract)?;
        let mut bytes = encoder.validate(true).encode().map_err(BuildError::contract)?;
        append_manifest(&mut bytes, self.name());
        Ok(bytes)
    }

    fn world(self, resolve: &mut Resolve) -> Result<WorldId, BuildError> {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk/wit");
        let (contract, _) = resolve.push_dir(wit).map_err(BuildError::contract)?;
        if self != Self::WasiImport {
            return resolve.select_world(&[contract], Some("assembler")).map_err(BuildError::contract);
        }
        let clocks = "package wasi:clocks@0.2.0; interface monotonic-clock { now: func() -> u64; }";
        resolve.push_str("wasi.wit", clocks).map_err(BuildError::contract)?;
        let world = "package test:wasi; world assembler { include purepoint:context/assembler@0.1.0; \
                     import wasi:clocks/monotonic-clock@0.2.0; }";
        let package = resolve.push_str("world.wit", world).map_err(BuildError::contract)?;
        resolve.select_world(&[package], Some("assembler")).map_err(BuildError::contract)
    }
}

/// Why a hostile plugin could not even be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("its text is no module: {0}")]
    Text(#[from] wat::Error),
    #[error("it does not fit the contract: {0}")]
    Contract(String),
}

impl BuildError {
    fn contract(error: impl Display) -> Self {
        Self::Contract(format!("{error:#}"))
    }
}

fn append_manifest(bytes: &mut Vec<u8>, name: &str) {
    const SECTION: &str = "purepoint:manifest";
    let json = format!(r#"{{"name":"{name}","version":"0.0.0","contract":"0.1.0"}}"#);
    let size = 1 + SECTION.len() + json.len();
    // Two bytes of LEB128 hold any size from 128 to 16383, and one the section's name.
    bytes.extend([0, (size & 0x7f) as u8 | 0x80, (size >> 7) as u8, SECTION.len() as u8]);
    bytes.extend(SECTION.as_bytes());
    bytes.extend(json.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_built() {
        for hostile in Hostile::ALL {
            let bytes = hostile.component("specs/a.md").unwrap_or_else(|error| panic!("{}: {error}", hostile.name()));
            assert!(bytes.starts_with(b"\0asm"));
        }
    }
}
