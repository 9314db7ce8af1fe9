//! Plugins that use what has to be granted: one that counts, one that takes all the room there is, one that looks back.
//!
//! They keep to the contract; it is the host that is tried with them.
//!
//! Memory: 16 the result area, 600 what host calls answer, 1024 texts, 4096 a pick, 65536 on the allocator. How results and
//! records lie: 0 the tag of a result, 4 what it holds; of an assembly then 4 labels, 12 picks, 20 notes. A past task has 96
//! bytes: 8 the prompt, 68 the touched files, which have 16 bytes each: 0 the path.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{BuildError, section};

/// A plugin that needs a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembering {
    /// Needs `state`. Counts its calls, and picks the spec that exists with the reason `call N`, up to 9.
    Counter,
    /// Needs `state`. Writes values of 64 KiB until one is refused, and fails with that refusal as its own.
    StateFlood,
    /// Needs `history`. Picks the spec that exists with the prompt of the newest past task as the reason, and with the path
    /// of the first file that was touched for it as a note; picks nothing where there is no past.
    Chronicler,
}

impl Remembering {
    pub const ALL: [Self; 3] = [Self::Counter, Self::StateFlood, Self::Chronicler];

    /// The plugin's name in its manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::StateFlood => "state-flood",
            Self::Chronicler => "chronicler",
        }
    }

    /// What it has to be granted.
    pub fn needs(self) -> &'static str {
        match self {
            Self::Counter | Self::StateFlood => "state",
            Self::Chronicler => "history",
        }
    }

    /// The plugin. The name of a spec that exists has no quotes in it.
    pub fn component(self, existing_spec: &str) -> Result<Vec<u8>, BuildError> {
        let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk/wit");
        let mut resolve = Resolve::default();
        let (contract, _) = resolve.push_dir(wit).map_err(BuildError::contract)?;
        let version = resolve.packages[contract].name.version.as_ref().map(ToString::to_string).unwrap_or_default();
        let world = resolve.select_world(&[contract], Some("assembler-with-memory")).map_err(BuildError::contract)?;
        let mut core = wat::parse_str(self.text(existing_spec, &version))?;
        embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).map_err(BuildError::contract)?;
        let encoder = ComponentEncoder::default().module(&core).map_err(BuildError::contract)?;
        let mut bytes = encoder.validate(true).encode().map_err(BuildError::contract)?;
        let manifest = format!(r#"{{"name":"{}","version":"0.0.0","contract":"{version}"}}"#, self.name());
        bytes.extend(section::custom("purepoint:manifest", manifest.as_bytes()));
        Ok(bytes)
    }

    fn text(self, existing_spec: &str, version: &str) -> String {
        let imports = self.imports().replace("{version}", version);
        let body = self.body();
        FRAME
            .replace("{imports}", &imports)
            .replace("{body}", body)
            .replace("{spec-length}", &existing_spec.len().to_string())
            .replace("{spec}", existing_spec)
    }

    fn imports(self) -> &'static str {
        match self {
            Self::Counter | Self::StateFlood => {
                r#"(import "purepoint:context/state@{version}" "get" (func $get (param i32 i32 i32)))
  (import "purepoint:context/state@{version}" "set" (func $set (param i32 i32 i32 i32 i32)))"#
            }
            Self::Chronicler => {
                r#"(import "purepoint:context/history@{version}" "recent" (func $recent (param i32 i32 i32 i32 i32 i32 i32)))"#
            }
        }
    }

    fn body(self) -> &'static str {
        match self {
            Self::Counter => COUNT,
            Self::StateFlood => FLOOD,
            Self::Chronicler => LOOK_BACK,
        }
    }
}

const FRAME: &str = r#"(module
  {imports}
  (memory (export "memory") 4)
  (global $free (mut i32) (i32.const 65536))
  (data (i32.const 1024) "call 0")
  (data (i32.const 1040) "n")
  (data (i32.const 1100) "{spec}")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $free) (i32.const 262144)) (then unreachable))
    (local.get $at))
  (func $failed (result i32) (i32.load8_u (i32.const 600)))
  ;; Answers with one pick, of the spec that exists, with this reason.
  (func $pick (param $reason i32) (param $length i32) (result i32)
    (i32.store (i32.const 4096) (i32.const 1100))
    (i32.store (i32.const 4100) (i32.const {spec-length}))
    (f32.store (i32.const 4116) (f32.const 0.9))
    (i32.store (i32.const 4120) (local.get $reason))
    (i32.store (i32.const 4124) (local.get $length))
    (i32.store (i32.const 28) (i32.const 4096))
    (i32.store (i32.const 32) (i32.const 1))
    (i32.const 16))
  (func (export "assemble") (param i32) (result i32)
    (local $n i32) (local $task i32)
    {body})
  (func (export "cabi_post_assemble") (param i32)))"#;

/// The count is one byte, a digit.
const COUNT: &str = "
    (call $get (i32.const 1040) (i32.const 1) (i32.const 600))
    (if (call $failed) (then unreachable))
    (local.set $n (i32.const 48))
    (if (i32.load8_u (i32.const 604)) (then (local.set $n (i32.load8_u (i32.load (i32.const 608))))))
    (i32.store8 (i32.const 1029) (i32.add (local.get $n) (i32.const 1)))
    (call $set (i32.const 1040) (i32.const 1) (i32.const 1029) (i32.const 1) (i32.const 600))
    (if (call $failed) (then unreachable))
    (call $pick (i32.const 1024) (i32.const 6))";

/// Keys are two letters at 1024; the value is whatever lies in the first 64 KiB.
const FLOOD: &str = "
    (loop $again
      (i32.store8 (i32.const 1024) (i32.add (i32.const 65) (i32.rem_u (local.get $n) (i32.const 26))))
      (i32.store8 (i32.const 1025) (i32.add (i32.const 65) (i32.div_u (local.get $n) (i32.const 26))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (call $set (i32.const 1024) (i32.const 2) (i32.const 0) (i32.const 65536) (i32.const 600))
      (br_if $again (i32.eqz (call $failed))))
    (i32.store8 (i32.const 16) (i32.const 1))
    (i32.store (i32.const 20) (i32.load (i32.const 604)))
    (i32.store (i32.const 24) (i32.load (i32.const 608)))
    (i32.store (i32.const 28) (i32.load (i32.const 612)))
    (i32.store (i32.const 32) (i32.load (i32.const 616)))
    (i32.const 16)";

const LOOK_BACK: &str = "
    (call $recent (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 600))
    (if (call $failed) (then unreachable))
    (if (i32.eqz (i32.load (i32.const 608))) (then (return (i32.const 16))))
    (local.set $task (i32.load (i32.const 604)))
    (if (i32.load offset=72 (local.get $task))
      (then
        (i32.store (i32.const 36) (i32.load offset=68 (local.get $task)))
        (i32.store (i32.const 40) (i32.const 1))))
    (call $pick (i32.load offset=8 (local.get $task)) (i32.load offset=12 (local.get $task)))";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_built_and_imports_what_it_needs_alone() {
        for plugin in Remembering::ALL {
            let bytes = plugin.component("specs/a.md").unwrap_or_else(|error| panic!("{}: {error}", plugin.name()));
            let text = String::from_utf8_lossy(&bytes);
            for interface in ["state", "history", "specs", "log", "config"] {
                let imported = text.contains(&format!("purepoint:context/{interface}@"));
                assert_eq!(imported, interface == plugin.needs(), "{} imports {interface}", plugin.name());
            }
        }
    }
}
