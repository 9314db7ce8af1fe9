//! Plugins that misbehave, one for each way to, as bytes: for the tests of the host and for those of the whole product.
//!
//! Each is a core module in text, with the contract's own types from `plugin-sdk/wit`, so that a change of the contract
//! changes these too. Nothing here is built for wasm, and nothing of it ships.

mod damage;
mod module;
mod remembering;
mod section;

use std::fmt::Display;
use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve, WorldId};

pub use damage::flipped;
pub use remembering::Remembering;

/// Three times as much as a plugin may have.
const HUGE: usize = 100 << 20;
/// As much as there is room for beside the rest of the plugin.
const LARGE: usize = 31 << 20;

/// A way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hostile {
    /// Never answers.
    EndlessLoop,
    /// Loops before it is even called: while it is made.
    StartLoop,
    /// Answers, and then loops where it should tidy up.
    EndLoop,
    /// Calls the host, which asks it for room for the answer: there it loops.
    LoopInHostCall,
    /// Searches without end, each time for as much text as a query may have, of words that there are.
    SearchLoop,
    /// Reads a spec without end.
    ReadLoop,
    /// Asks without end for specs with names of 3 MiB.
    LongNames,
    /// Calls the host without end.
    HostCallFlood,
    /// Logs without end.
    LogFlood,
    /// Logs lines of 3 MiB without end.
    GibibyteOfLog,
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
    /// Imports another version of the contract.
    WrongContract,
    /// Is a core module, and no component.
    CoreModule,
    /// Is the first half of a plugin.
    Truncated,
    /// Has 100 MiB that mean nothing.
    Padded,
    /// Has 100 MiB of data.
    HugeData,
    /// Has as much data as a plugin may have, and is sound.
    LargeData,
    /// Answers with a million picks.
    MillionPicks,
    /// Answers with 40,000 picks, which is what there is room for, of a spec that does not exist.
    MostPicks,
    /// Answers with 64 picks, each with the same 32 MiB as its reason.
    HugeReasons,
    /// Answers with 65,536 notes of 16 KiB: 1 GiB.
    GibibyteOfNotes,
    /// Answers with picks whose scores are NaN, infinite and 7, of specs that exist and do not.
    BadPicks,
    /// Answers with picks of `../../etc/passwd`, and with NULs in specs, sections and reasons.
    StrangeNames,
    /// Answers with its own failure.
    Refusal,
    /// Works for some tens of milliseconds, for which it asks, and answers soundly.
    Busy,
    /// Answers with nothing, soundly.
    Empty,
}

impl Hostile {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::EndlessLoop,
        Self::StartLoop,
        Self::EndLoop,
        Self::LoopInHostCall,
        Self::SearchLoop,
        Self::ReadLoop,
        Self::LongNames,
        Self::HostCallFlood,
        Self::LogFlood,
        Self::GibibyteOfLog,
        Self::MemoryBomb,
        Self::TableBomb,
        Self::DeepRecursion,
        Self::Trap,
        Self::Panic,
        Self::WasiImport,
        Self::WrongContract,
        Self::CoreModule,
        Self::Truncated,
        Self::Padded,
        Self::HugeData,
        Self::LargeData,
        Self::MillionPicks,
        Self::MostPicks,
        Self::HugeReasons,
        Self::GibibyteOfNotes,
        Self::BadPicks,
        Self::StrangeNames,
        Self::Refusal,
        Self::Busy,
        Self::Empty,
    ];

    /// The plugin's name in its manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::EndlessLoop => "endless-loop",
            Self::StartLoop => "start-loop",
            Self::EndLoop => "end-loop",
            Self::LoopInHostCall => "loop-in-host-call",
            Self::SearchLoop => "search-loop",
            Self::ReadLoop => "read-loop",
            Self::LongNames => "long-names",
            Self::HostCallFlood => "host-call-flood",
            Self::LogFlood => "log-flood",
            Self::GibibyteOfLog => "gibibyte-of-log",
            Self::MemoryBomb => "memory-bomb",
            Self::TableBomb => "table-bomb",
            Self::DeepRecursion => "deep-recursion",
            Self::Trap => "trap",
            Self::Panic => "panic",
            Self::WasiImport => "wasi-import",
            Self::WrongContract => "wrong-contract",
            Self::CoreModule => "core-module",
            Self::Truncated => "truncated",
            Self::Padded => "padded",
            Self::HugeData => "huge-data",
            Self::LargeData => "large-data",
            Self::MillionPicks => "million-picks",
            Self::MostPicks => "most-picks",
            Self::HugeReasons => "huge-reasons",
            Self::GibibyteOfNotes => "gibibyte-of-notes",
            Self::BadPicks => "bad-picks",
            Self::StrangeNames => "strange-names",
            Self::Refusal => "refusal",
            Self::Busy => "busy",
            Self::Empty => "empty",
        }
    }

    /// The code with which the host skips it, if it does.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::EndlessLoop
            | Self::StartLoop
            | Self::EndLoop
            | Self::LoopInHostCall
            | Self::SearchLoop
            | Self::LongNames
            | Self::GibibyteOfLog => Some("deadline"),
            Self::ReadLoop | Self::HostCallFlood | Self::LogFlood => Some("host_call_limit"),
            Self::MemoryBomb | Self::TableBomb => Some("memory_limit"),
            Self::DeepRecursion | Self::Trap => Some("trap"),
            Self::Panic => Some("panic"),
            Self::WasiImport => Some("wasi_import"),
            Self::WrongContract => Some("wrong_contract"),
            Self::CoreModule => Some("core_module"),
            Self::Truncated => Some("truncated"),
            Self::Padded | Self::HugeData => Some("too_large"),
            Self::MillionPicks | Self::HugeReasons | Self::GibibyteOfNotes => Some("output_limit"),
            Self::Refusal => Some("failed"),
            Self::LargeData | Self::MostPicks | Self::BadPicks | Self::StrangeNames | Self::Busy | Self::Empty => None,
        }
    }

    /// The plugin. The name of a spec that exists, which has no quotes in it, is for those that pick or read one.
    pub fn component(self, existing_spec: &str) -> Result<Vec<u8>, BuildError> {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk/wit");
        let mut resolve = Resolve::default();
        let (contract, _) = resolve.push_dir(wit).map_err(BuildError::contract)?;
        let version = resolve.packages[contract].name.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let world = self.world(&mut resolve, contract, &version)?;
        let mut core = wat::parse_str(module::text(self, existing_spec, &version))?;
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).map_err(BuildError::contract)?;
        let mut bytes = if self == Self::CoreModule {
            core
        } else {
            let encoder = ComponentEncoder::default().module(&core).map_err(BuildError::contract)?;
            encoder.validate(true).encode().map_err(BuildError::contract)?
        };
        bytes.extend(section::custom("purepoint:manifest", self.manifest(&version).as_bytes()));
        self.spoil(&mut bytes);
        Ok(bytes)
    }

    fn world(self, resolve: &mut Resolve, contract: PackageId, version: &str) -> Result<WorldId, BuildError> {
        if self != Self::WasiImport {
            return resolve.select_world(&[contract], Some("assembler")).map_err(BuildError::contract);
        }
        let clocks = "package wasi:clocks@0.2.0; interface monotonic-clock { now: func() -> u64; }";
        resolve.push_str("wasi.wit", clocks).map_err(BuildError::contract)?;
        let world = format!(
            "package test:wasi; world assembler {{ include purepoint:context/assembler@{version}; \
             import wasi:clocks/monotonic-clock@0.2.0; }}"
        );
        let package = resolve.push_str("world.wit", &world).map_err(BuildError::contract)?;
        resolve.select_world(&[package], Some("assembler")).map_err(BuildError::contract)
    }

    fn manifest(self, version: &str) -> String {
        let limits = if self == Self::Busy { r#","limits":{"deadline_ms":250}"# } else { "" };
        format!(r#"{{"name":"{}","version":"0.0.0","contract":"{version}"{limits}}}"#, self.name())
    }

    /// What is done to a finished component of those that are wrong before anything of them runs.
    fn spoil(self, bytes: &mut Vec<u8>) {
        match self {
            Self::WrongContract => damage::of_another_contract(bytes),
            Self::Truncated => damage::cut_off(bytes),
            Self::Padded => bytes.extend(section::custom("padding", &vec![0; HUGE])),
            Self::HugeData => bytes.extend(section::module_with_data(HUGE)),
            Self::LargeData => bytes.extend(section::module_with_data(LARGE)),
            _ => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_can_be_built() {
        for hostile in Hostile::ALL {
            let bytes = hostile.component("specs/a.md").unwrap_or_else(|error| panic!("{}: {error}", hostile.name()));
            assert!(bytes.starts_with(b"\0asm"));
            assert_eq!(bytes.len() > 32 << 20, hostile.code() == Some("too_large"), "{}", hostile.name());
        }
    }

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Hostile::ALL.iter().map(|hostile| hostile.name()).collect();
        assert_eq!(names.len(), Hostile::ALL.len());
    }
}
