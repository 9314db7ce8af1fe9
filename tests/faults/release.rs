//! Fault points are for tests: nobody but the end-to-end tests asks for them, and programs built for release have none.

use e2e::{World, read};
use std::path::{Path, PathBuf};

/// What stands in a program that has fault points and in no other: the variable that arms them, and a point.
const MARKS: [&str; 2] = ["PU_FAULT_TRACE", "spawn.worktree"];

fn has(program: &Path, mark: &str) -> bool {
    let bytes = std::fs::read(program).unwrap_or_else(|e| panic!("cannot read {}: {e}", program.display()));
    bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
}

/// Were it not so, the search below would prove nothing.
#[test]
fn the_programs_under_test_have_fault_points() {
    let world = World::new();
    for program in ["pu-engine", "pu-shim"] {
        let path = PathBuf::from(world.command(program).get_program());
        assert!(has(&path, MARKS[0]), "{} has no fault points: run `make faults`", path.display());
    }
    assert!(has(Path::new(world.command("pu-engine").get_program()), MARKS[1]));
}

/// `make faults` builds them first; without that, whatever was built for release is looked at.
#[test]
fn programs_built_for_release_have_none() {
    let world = World::new();
    let debug = PathBuf::from(world.command("pu").get_program());
    let release = debug.parent().unwrap().with_file_name("release");
    let mut looked_at = 0;
    for program in ["pu", "pu-engine", "pu-shim"].map(|name| release.join(name)).iter().filter(|path| path.is_file()) {
        for mark in MARKS {
            assert!(!has(program, mark), "{} has fault points", program.display());
        }
        looked_at += 1;
    }
    if looked_at == 0 {
        eprintln!("SKIPPED: nothing was built for release in {}; `make faults` does", release.display());
    }
}

/// The feature is a dependency's; asked for it by a crate that is shipped, a release build would still have none, and
/// everybody's debug build would.
#[test]
fn nobody_but_the_tests_asks_for_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut asking: Vec<String> = Vec::new();
    for manifest in [
        "Cargo.toml",
        "daemon/protocol/Cargo.toml",
        "daemon/record/Cargo.toml",
        "daemon/shim/Cargo.toml",
        "daemon/engine/Cargo.toml",
        "cli/Cargo.toml",
        "plugin-sdk/Cargo.toml",
        "tests/Cargo.toml",
    ] {
        if read(root.join(manifest)).contains("fault-points") {
            asking.push(manifest.to_owned());
        }
    }
    assert_eq!(asking, ["daemon/record/Cargo.toml", "tests/Cargo.toml"]);
    let seam = read(root.join("daemon/record/src/fault/mod.rs"));
    let conditions = seam.matches("cfg(all(feature = \"fault-points\", debug_assertions))").count();
    assert_eq!(conditions, seam.matches("cfg(").count() - 1, "every condition but the opposite one is this");
    assert!(seam.contains("cfg(not(all(feature = \"fault-points\", debug_assertions)))"));
}
