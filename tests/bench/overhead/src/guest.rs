//! The plugins that are called, ours and Extism's, as core modules in text: nothing is needed to build them, and
//! neither side is slowed down by what a compiler of some language puts in.
//!
//! Both do the same two jobs. `empty`: answer with nothing. `search`: one search with the task's prompt, and what it
//! finds as picks.

use std::path::Path;

use anyhow::Result;
use pu_engine::plugins::encode_plugin;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{PackageName, Resolve};

/// How many hits the second job asks for.
pub(crate) const HITS: u32 = 20;
/// Why each of them is picked.
pub(crate) const REASON: &str = "found";

/// A plugin of this name that answers with nothing.
pub(crate) fn empty(name: &str) -> Result<Vec<u8>> {
    component(name, "(i32.const 16)")
}

/// A plugin of this name that searches and answers with a pick for each hit.
pub(crate) fn searching(name: &str) -> Result<Vec<u8>> {
    component(name, &search_body())
}

/// Imports what every plugin that was built with the SDK imports.
fn component(name: &str, body: &str) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugin-sdk/wit");
    let (contract, _) = resolve.push_dir(wit)?;
    let world = resolve.select_world(&[contract], Some("assembler"))?;
    let mut core = wat::parse_str(frame(&resolve.packages[contract].name, body))?;
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)?;
    let manifest = format!(r#"{{"name":"{name}","version":"0.0.0","contract":"0.1.0"}}"#);
    let (component, _) = encode_plugin(&core, manifest.as_bytes())?;
    Ok(component)
}

/// Memory: 16 the answer, 48 what the search gave, 1024 the reason, 8192 on the allocator, which only moves on.
/// `result<assembly, failure>` lies flat: 0 the tag, 4 labels, 12 picks, 20 notes.
fn frame(contract: &PackageName, body: &str) -> String {
    let [specs, log, config] = ["specs", "log", "config"].map(|interface| contract.interface_id(interface));
    format!(
        r#"(module
  (import "{specs}" "search" (func $search (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "{log}" "write" (func (param i32 i32 i32 i32)))
  (import "{config}" "get" (func (param i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 8192))
  (data (i32.const 1024) "{REASON}")
  (func $allocate (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $allocate (local.get 3)))
  (func (export "assemble") (param $task i32) (result i32)
    (local $n i32) (local $count i32) (local $hit i32) (local $pick i32) (local $best f32)
    {body})
  (func (export "cabi_post_assemble") (param i32)))"#
    )
}

/// A task: 8 the prompt. A hit has 76 bytes: 0 the spec's id, 52 section (tag, text), 64 score. A pick has 40: 0 spec,
/// 8 section, 20 score, 24 reason, 32 extra.
fn search_body() -> String {
    let reason = REASON.len();
    format!(
        r"(call $search (i32.load offset=8 (local.get $task)) (i32.load offset=12 (local.get $task))
      (i32.const 0) (i32.const 0) (i32.const {HITS}) (i32.const 0) (i32.const 0) (i32.const 48))
    (if (i32.load8_u (i32.const 48)) (then (unreachable)))
    (local.set $hit (i32.load (i32.const 52)))
    (local.set $count (i32.load (i32.const 56)))
    (if (i32.eqz (local.get $count)) (then (return (i32.const 16))))
    (local.set $best (f32.load offset=64 (local.get $hit)))
    (local.set $pick (call $allocate (i32.mul (local.get $count) (i32.const 40))))
    (i32.store (i32.const 28) (local.get $pick))
    (i32.store (i32.const 32) (local.get $count))
    (loop $next
      (i64.store align=4 (local.get $pick) (i64.load align=4 (local.get $hit)))
      (i64.store offset=8 align=4 (local.get $pick) (i64.load offset=52 align=4 (local.get $hit)))
      (i32.store offset=16 (local.get $pick) (i32.load offset=60 (local.get $hit)))
      (f32.store offset=20 (local.get $pick) (f32.div (f32.load offset=64 (local.get $hit)) (local.get $best)))
      (i32.store offset=24 (local.get $pick) (i32.const 1024))
      (i32.store offset=28 (local.get $pick) (i32.const {reason}))
      (i64.store offset=32 align=4 (local.get $pick) (i64.const 0))
      (local.set $hit (i32.add (local.get $hit) (i32.const 76)))
      (local.set $pick (i32.add (local.get $pick) (i32.const 40)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $n) (local.get $count))))
    (i32.const 16)"
    )
}

/// Extism's plugin, with an export for each job. What the search gives, JSON, is the answer as it is: a real plugin
/// would have to take it apart, which this one is spared.
pub(crate) const EXTISM: &str = r#"(module
  (import "extism:host/env" "input_offset" (func $input (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $answer (param i64 i64)))
  (import "extism:host/user" "search" (func $search (param i64) (result i64)))
  (func (export "empty") (result i32)
    (i32.const 0))
  (func (export "search") (result i32)
    (local $hits i64)
    (local.set $hits (call $search (call $input)))
    (call $answer (local.get $hits) (call $length (local.get $hits)))
    (i32.const 0)))"#;

#[cfg(test)]
mod tests {
    use super::*;
    use pu_engine::plugins::inspect;

    #[test]
    fn ours_are_plugins_of_the_contract() {
        for bytes in [empty("a-name").unwrap(), searching("a-name").unwrap()] {
            let inspection = inspect(&bytes).unwrap();
            assert_eq!(inspection.manifest.name, "a-name");
            assert!(inspection.imports.iter().any(|import| import.starts_with("purepoint:context/specs@")));
        }
    }

    #[test]
    fn two_names_make_two_plugins() {
        assert_ne!(empty("a").unwrap(), empty("b").unwrap());
    }

    #[test]
    fn extism_s_is_a_module() {
        assert!(wat::parse_str(EXTISM).is_ok());
    }
}
