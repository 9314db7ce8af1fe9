//! The core modules, in text. All have the same frame: memory, an allocator that only moves on, the export `assemble`.
//!
//! Memory: 16 the result area, 512 what host calls answer, 1024 texts, 4096 picks, 65536 on the allocator.
//! `result<assembly, failure>` lies flat: 0 the tag, 4 labels, 12 picks, 20 notes; or 4 code, 12 message.
//! A pick has 40 bytes: 0 spec, 8 section (tag, text), 20 score, 24 reason, 32 extra.

use crate::Hostile;

const PICK: usize = 40;
/// As much text as the contract lets a query have.
const QUERY: u32 = 16 << 10;
/// Where the allocator goes on for what calls of the host answer.
const ANSWERS: u32 = 8 << 20;
/// Some tens of milliseconds of work: less than the 250 that it asks for, on a slow machine too.
const ROUNDS: u32 = 25_000_000;
/// About as many as the host takes for the room that they need, without any text.
const MOST_PICKS: usize = 40_000;

/// Texts: where they lie, and how many bytes they have. The spec that exists lies at 1200.
const REASON: (usize, usize) = (1040, 39);
const UPWARDS: (usize, usize) = (2000, 16);
const ABSOLUTE_WITH_NUL: (usize, usize) = (2040, 15);
const NUL: (usize, usize) = (2080, 1);
const STRANGE_REASON: (usize, usize) = (2100, 22);
/// NULs, almost as many as one call may hand over.
const MUCH: (usize, usize) = (131_072, 3 << 20);

/// The module's text, for the contract of this version.
pub(crate) fn text(hostile: Hostile, existing_spec: &str, version: &str) -> String {
    let spec = existing_spec.len();
    format!(
        r#"(module
  (import "purepoint:context/log@{version}" "write" (func $log (param i32 i32 i32 i32)))
  (import "purepoint:context/config@{version}" "get" (func $config (param i32)))
  {imports}
  (memory (export "memory") 2)
  (table $table 1 funcref)
  (global $free (mut i32) (i32.const 65536))
  (global $stuck (mut i32) (i32.const 0))
  (data (i32.const 1024) "panic")
  (data (i32.const 1040) "panicked at hostile.wat:1:1: on purpose")
  (data (i32.const 1100) "no_idea")
  (data (i32.const 1200) "{existing_spec}")
  (data (i32.const 2000) "../../etc/passwd")
  (data (i32.const 2040) "/etc/passwd\00.md")
  (data (i32.const 2100) "\00../..\1b[2J\0d\0aon purpose")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (loop $again (br_if $again (global.get $stuck)))
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
  (func $forever (loop $again (br $again)))
  {start}
  (func (export "assemble") {params} (result i32)
    (local $n i32) (local $m i32) (local $sum i64)
    {body})
  (func (export "cabi_post_assemble") (param i32)
    {end}))"#,
        imports = imports(hostile, version),
        start = if hostile == Hostile::StartLoop { "(start $forever)" } else { "" },
        end = if hostile == Hostile::EndLoop { "(call $forever)" } else { "" },
        params = params(hostile),
        body = body(hostile, spec),
    )
}

fn imports(hostile: Hostile, version: &str) -> String {
    match hostile {
        Hostile::WasiImport => {
            r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))"#.to_owned()
        }
        Hostile::SearchLoop | Hostile::ReadLoop | Hostile::LongNames => format!(
            r#"(import "purepoint:context/specs@{version}" "read" (func $read (param i32 i32 i32 i32 i32 i32)))
  (import "purepoint:context/specs@{version}" "search" (func $search (param i32 i32 i32 i32 i32 i32 i32 i32)))"#
        ),
        _ => String::new(),
    }
}

/// A task has more fields than a function may have parameters, so it comes as one pointer.
fn params(_: Hostile) -> &'static str {
    "(param i32)"
}

fn body(hostile: Hostile, spec: usize) -> String {
    match hostile {
        Hostile::EndlessLoop => "(call $forever) unreachable".to_owned(),
        Hostile::LoopInHostCall => {
            "(global.set $stuck (i32.const 1)) (call $config (i32.const 512)) unreachable".to_owned()
        }
        Hostile::SearchLoop => search_loop(spec),
        Hostile::ReadLoop => grow(512) + &endless(&(free(ANSWERS) + &read((1200, spec)))),
        Hostile::LongNames => grow(512) + &endless(&(free(ANSWERS) + &read(MUCH))),
        Hostile::HostCallFlood => endless(&(free(65_536) + "(call $config (i32.const 512))")),
        Hostile::LogFlood => endless(&log("1100", "7", REASON)),
        Hostile::GibibyteOfLog => grow(512) + &endless(&log("1100", "7", MUCH)),
        Hostile::MemoryBomb => "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable".to_owned(),
        Hostile::TableBomb => {
            "(loop $again (br_if $again (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable".to_owned()
        }
        Hostile::DeepRecursion => "(call $recurse (i32.const 0))".to_owned(),
        Hostile::Trap => "unreachable".to_owned(),
        Hostile::Panic => format!("{} unreachable", log("1024", "5", REASON)),
        Hostile::WasiImport => "(drop (call $now)) (i32.const 16)".to_owned(),
        Hostile::MillionPicks => zeros(1_000_000),
        Hostile::MostPicks => zeros(MOST_PICKS),
        Hostile::HugeReasons => huge_reasons(spec),
        Hostile::GibibyteOfNotes => gibibyte_of_notes(),
        Hostile::BadPicks => bad_picks(spec),
        Hostile::StrangeNames => strange_names(spec),
        Hostile::Refusal => "(i32.store8 (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 1100)) \
             (i32.store (i32.const 24) (i32.const 7)) (i32.store (i32.const 28) (i32.const 1040)) \
             (i32.store (i32.const 32) (i32.const 39)) (i32.const 16)"
            .to_owned(),
        Hostile::Busy => busy(spec),
        Hostile::StartLoop
        | Hostile::EndLoop
        | Hostile::WrongContract
        | Hostile::CoreModule
        | Hostile::Truncated
        | Hostile::Padded
        | Hostile::HugeData
        | Hostile::LargeData
        | Hostile::Empty => "(i32.const 16)".to_owned(),
    }
}

fn endless(what: &str) -> String {
    format!("(loop $again {what} (br $again)) unreachable")
}

/// Takes so many pages of 64 KiB more.
fn grow(pages: usize) -> String {
    format!("(drop (memory.grow (i32.const {pages}))) ")
}

/// Lets the allocator begin anew there.
fn free(at: u32) -> String {
    format!("(global.set $free (i32.const {at})) ")
}

fn log(level: &str, length: &str, (at, bytes): (usize, usize)) -> String {
    format!("(call $log (i32.const {level}) (i32.const {length}) (i32.const {at}) (i32.const {bytes}))")
}

/// Asks for the whole text of a spec: at 512 the tag, at 516 the text, at 520 its length.
fn read((at, bytes): (usize, usize)) -> String {
    format!(
        "(call $read (i32.const {at}) (i32.const {bytes}) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 512))"
    )
}

/// Searches for the text of a spec, as often repeated as a query has room for: so all of its words are in the index.
fn search_loop(spec: usize) -> String {
    let search = "(call $search (i32.const 65536) (i32.const 16384) (i32.const 0) (i32.const 0) (i32.const 200) \
                    (i32.const 0) (i32.const 0) (i32.const 512))";
    format!(
        "{grow} {free} {read} \
         (if (i32.or (i32.load8_u (i32.const 512)) (i32.eqz (i32.load (i32.const 520)))) (then unreachable)) \
         (loop $fill \
           (local.set $m (i32.sub (i32.const {QUERY}) (local.get $n))) \
           (if (i32.gt_u (local.get $m) (i32.load (i32.const 520))) \
             (then (local.set $m (i32.load (i32.const 520))))) \
           (memory.copy (i32.add (i32.const 65536) (local.get $n)) (i32.load (i32.const 516)) (local.get $m)) \
           (local.set $n (i32.add (local.get $n) (local.get $m))) \
           (br_if $fill (i32.lt_u (local.get $n) (i32.const {QUERY})))) \
         {searches}",
        grow = grow(512),
        free = free(131_072),
        read = read((1200, spec)),
        searches = endless(&(free(ANSWERS) + search)),
    )
}

/// So many picks that are all zeros, of a spec without a name: to write as many would take long.
fn zeros(count: usize) -> String {
    grow(count * PICK / 65_536 + 1) + &format!("(call $picks (i32.const 131072) (i32.const {count}))")
}

/// 64 picks, each with all of 32 MiB as its reason.
fn huge_reasons(spec: usize) -> String {
    format!(
        "{grow} \
         (loop $again \
           (call $pick (i32.add (i32.const 4096) (i32.mul (local.get $n) (i32.const {PICK}))) \
             (i32.const 1200) (i32.const {spec}) (f32.const 0.5) (i32.const {bytes})) \
           (local.set $n (i32.add (local.get $n) (i32.const 1))) \
           (br_if $again (i32.lt_u (local.get $n) (i32.const 64)))) \
         (call $picks (i32.const 4096) (i32.const 64))",
        grow = grow(513),
        bytes = 32 << 20,
    )
}

/// 65,536 notes, each with the same 16 KiB: neither the list nor any note of it is too large.
fn gibibyte_of_notes() -> String {
    let (list, count, text, bytes) = (131_072, 65_536, 131_072 + 65_536 * 8, 16_384);
    format!(
        "{grow} \
         (loop $again \
           (local.set $m (i32.add (i32.const {list}) (i32.mul (local.get $n) (i32.const 8)))) \
           (i32.store (local.get $m) (i32.const {text})) \
           (i32.store offset=4 (local.get $m) (i32.const {bytes})) \
           (local.set $n (i32.add (local.get $n) (i32.const 1))) \
           (br_if $again (i32.lt_u (local.get $n) (i32.const {count})))) \
         (i32.store (i32.const 36) (i32.const {list})) (i32.store (i32.const 40) (i32.const {count})) (i32.const 16)",
        grow = grow(10),
    )
}

/// Picks of what lies above the project and of names with NUL in them, as spec and as section; then a sound one whose
/// reason is none to show to people.
fn strange_names(spec: usize) -> String {
    let known = (1200, spec);
    let picks = [
        (UPWARDS, None, REASON),
        (ABSOLUTE_WITH_NUL, None, REASON),
        (NUL, None, REASON),
        // What follows the name of the spec that exists is NUL.
        ((1200, spec + 1), None, REASON),
        (known, Some(UPWARDS), REASON),
        (known, Some(NUL), REASON),
        (known, None, STRANGE_REASON),
    ];
    let mut body = String::new();
    for (n, ((at, length), section, (reason, bytes))) in picks.into_iter().enumerate() {
        let address = 4096 + n * PICK;
        body += &format!(
            "(call $pick (i32.const {address}) (i32.const {at}) (i32.const {length}) (f32.const 0.5) \
               (i32.const {bytes})) \
             (i32.store offset=24 (i32.const {address}) (i32.const {reason})) "
        );
        if let Some((at, length)) = section {
            body += &format!(
                "(i32.store8 offset=8 (i32.const {address}) (i32.const 1)) \
                 (i32.store offset=12 (i32.const {address}) (i32.const {at})) \
                 (i32.store offset=16 (i32.const {address}) (i32.const {length})) "
            );
        }
    }
    body + &format!("(call $picks (i32.const 4096) (i32.const {}))", picks.len())
}

/// Calculates for a while, then picks the spec that exists.
fn busy(spec: usize) -> String {
    format!(
        "(loop $again \
           (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 6364136223846793005)) (i64.const 1))) \
           (local.set $n (i32.add (local.get $n) (i32.const 1))) \
           (br_if $again (i32.lt_u (local.get $n) (i32.const {ROUNDS})))) \
         (i64.store (i32.const 512) (local.get $sum)) \
         (call $pick (i32.const 4096) (i32.const 1200) (i32.const {spec}) (f32.const 0.5) (i32.const 39)) \
         (call $picks (i32.const 4096) (i32.const 1))"
    )
}

fn bad_picks(spec: usize) -> String {
    let picks = [(1200, spec, "nan"), (1200, spec, "inf"), (2000, 16, "0.5"), (1200, spec, "7"), (1200, spec, "0.5")];
    let mut body = String::new();
    for (n, (at, length, score)) in picks.into_iter().enumerate() {
        let address = 4096 + n * PICK;
        body += &format!(
            "(call $pick (i32.const {address}) (i32.const {at}) (i32.const {length}) (f32.const {score}) (i32.const 39)) "
        );
    }
    body + &format!("(call $picks (i32.const 4096) (i32.const {}))", picks.len())
}
