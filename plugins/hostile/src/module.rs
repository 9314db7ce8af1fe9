//! The core modules, in text. All have the same frame: memory, an allocator that only moves on, the export `assemble`.
//!
//! Memory: 16 the result area, 1024 texts, 4096 picks, 65536 on the allocator.
//! `result<assembly, failure>` lies flat: 0 the tag, 4 labels, 12 picks, 20 notes; or 4 code, 12 message.
//! A pick has 40 bytes: 0 spec, 8 section (tag, text), 20 score, 24 reason, 32 extra.

use crate::Hostile;

const PICK: u32 = 40;

pub(crate) fn text(hostile: Hostile, existing_spec: &str) -> String {
    let import = match hostile {
        Hostile::WasiImport => r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))"#,
        _ => "",
    };
    let spec = existing_spec.len();
    format!(
        r#"(module
  (import "purepoint:context/log@0.1.0" "write" (func $log (param i32 i32 i32 i32)))
  (import "purepoint:context/config@0.1.0" "get" (func $config (param i32)))
  {import}
  (memory (export "memory") 2)
  (table $table 1 funcref)
  (global $free (mut i32) (i32.const 65536))
  (data (i32.const 1024) "panic")
  (data (i32.const 1040) "panicked at hostile.wat:1:1: on purpose")
  (data (i32.const 1100) "no_idea")
  (data (i32.const 1200) "{existing_spec}")
  (data (i32.const 2000) "../../etc/passwd")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $pick (param $at i32) (param $spec i32) (param $length i32) (param $score f32) (param $reason i32)
    (i32.store (local.get $at) (local.get $spec))
    (i32.store offset=4 (local.get $at) (local.get $length))
    (f32.store offset=20 (local.get $at) (local.get $score))
    (i32.store offset=24 (local.get $at) (i32.const 1040))
    (i32.store offset=28 (local.get $at) (local.get $reason)))
  (func $picks (param $at i32) (param $count i32) (result i32)
    (i32.store (i32.const 28) (local.get $at))
    (i32.store (i32.const 32) (local.get $count))
    (i32.const 16))
  (func $recurse (param i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "assemble") {params} (result i32)
    (local $n i32)
    {body})
  (func (export "cabi_post_assemble") (param i32)))"#,
        params = params(hostile),
        body = body(hostile, spec),
    )
}

/// A task has more fields than a function may have parameters, so it comes as one pointer.
fn params(_: Hostile) -> &'static str {
    "(param i32)"
}

fn body(hostile: Hostile, spec: usize) -> String {
    let trap = "unreachable".to_owned();
    match hostile {
        Hostile::EndlessLoop => "(loop $again (br $again)) unreachable".to_owned(),
        Hostile::HostCallFlood => "(loop $again (global.set $free (i32.const 65536)) (call $config (i32.const 512)) (br $again)) unreachable".to_owned(),
        Hostile::LogFlood => format!("(loop $again {} (br $again)) unreachable", log("1100", "7")),
        Hostile::MemoryBomb => "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable".to_owned(),
        Hostile::TableBomb => {
            "(loop $again (br_if $again (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable".to_owned()
        }
        Hostile::DeepRecursion => "(call $recurse (i32.const 0))".to_owned(),
        Hostile::Trap => trap,
        Hostile::Panic => format!("{} unreachable", log("1024", "5")),
        Hostile::WasiImport => "(drop (call $now)) (i32.const 16)".to_owned(),
        Hostile::MillionPicks => many(1_000_000, spec, 10),
        Hostile::HugeReasons => many(64, spec, 32 << 20),
        Hostile::BadPicks => bad_picks(spec),
        Hostile::Refusal => "(i32.store8 (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 1100)) \
             (i32.store (i32.const 24) (i32.const 7)) (i32.store (i32.const 28) (i32.const 1040)) \
             (i32.store (i32.const 32) (i32.const 39)) (i32.const 16)"
            .to_owned(),
        Hostile::Empty => "(i32.const 16)".to_owned(),
    }
}

fn log(level: &str, length: &str) -> String {
    format!("(call $log (i32.const {level}) (i32.const {length}) (i32.const 1040) (i32.const 39))")
}

/// So many sound picks, each with a reason of so many bytes.
fn many(count: u32, spec: usize, reason: u32) -> String {
    let pages = (4096 + count * PICK).max(4096 + reason) / 65536 + 1;
    format!(
        "(drop (memory.grow (i32.const {pages}))) \
         (loop $again \
           (call $pick (i32.add (i32.const 4096) (i32.mul (local.get $n) (i32.const {PICK}))) \
             (i32.const 1200) (i32.const {spec}) (f32.const 0.5) (i32.const {reason})) \
           (local.set $n (i32.add (local.get $n) (i32.const 1))) \
           (br_if $again (i32.lt_u (local.get $n) (i32.const {count})))) \
         (call $picks (i32.const 4096) (i32.const {count}))"
    )
}

fn bad_picks(spec: usize) -> String {
    let picks = [(1200, spec, "nan"), (1200, spec, "inf"), (2000, 16, "0.5"), (1200, spec, "7"), (1200, spec, "0.5")];
    let mut body = String::new();
    for (n, (at, length, score)) in picks.into_iter().enumerate() {
        let address = 4096 + n * PICK as usize;
        body += &format!(
            "(call $pick (i32.const {address}) (i32.const {at}) (i32.const {length}) (f32.const {score}) (i32.const 39)) "
        );
    }
    body + &format!("(call $picks (i32.const 4096) (i32.const {}))", picks.len())
}
