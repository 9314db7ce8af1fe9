//! The contract as it was released, version by version: no file of it was edited since, and a component that was built
//! against it runs on this host.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pu_engine::plugins::{Pick, inspect, sha256};

use crate::world::World;

fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk")
}

/// Each released version, and its folder.
fn released() -> Vec<(String, PathBuf)> {
    let folders = std::fs::read_dir(sdk().join("released")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = folders.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path)).collect();
    all.sort();
    assert!(all.iter().any(|(version, _)| version == "0.1.0"), "{all:?}");
    all
}

fn package(version: &str) -> String {
    format!("\npackage purepoint:context@{version};\n")
}

#[test]
fn no_released_file_was_edited() {
    for (version, folder) in released() {
        let noted = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        let files: Vec<(&str, &str)> = noted.lines().map(|line| line.split_once("  ").unwrap()).collect();
        for (digest, name) in &files {
            assert_eq!(sha256(&std::fs::read(folder.join(name)).unwrap()), *digest, "{version}/{name} is frozen");
        }
        let there = std::fs::read_dir(&folder).unwrap().count();
        assert!(
            files.iter().any(|(_, name)| *name == "context.wit") && there == files.len() + 1,
            "{version}: {files:?}"
        );
        assert!(std::fs::read_to_string(folder.join("context.wit")).unwrap().contains(&package(&version)), "{version}");
    }
}

/// Whoever changes the contract after a release gives it another version.
#[test]
fn the_contract_of_today_is_a_released_one_word_for_word_or_has_a_version_of_its_own() {
    let today = std::fs::read_to_string(sdk().join("wit/context.wit")).unwrap();
    for (version, folder) in released() {
        if today.contains(&package(&version)) {
            assert_eq!(today, std::fs::read_to_string(folder.join("context.wit")).unwrap(), "{version} is released");
        }
    }
}

/// Scores and reasons may be others by now; which specs a task gets is not.
#[test]
fn a_component_of_each_released_version_runs_and_picks_what_the_bundled_one_picks() {
    let world = World::new();
    let bundled = world.keyword().unwrap();
    for (version, folder) in released() {
        let bytes = std::fs::read(folder.join("keyword.wasm")).unwrap();
        let inspection = inspect(&bytes).unwrap();
        assert_eq!(inspection.manifest.contract, version);
        let of_version = |import: &String| import.ends_with(&format!("@{version}"));
        assert!(inspection.imports.iter().all(of_version), "{:?}", inspection.imports);
        let plugin = world.host.prepare(bytes).unwrap();
        for prompt in ["the ledger's invariants", "how long is a sign-in token valid", "rename LeaseTable", "zebra"] {
            let picks = |picks: Vec<Pick>| picks.into_iter().map(|pick| pick.spec).collect::<BTreeSet<_>>();
            let old = world.call(&plugin, prompt);
            let new = world.call(&bundled, prompt);
            assert_eq!((picks(old.outcome.unwrap().picks), old.dropped), (picks(new.outcome.unwrap().picks), vec![]));
        }
        let failure = world.call_with(&plugin, "the ledger", r#"{"limt": 3}"#).outcome.unwrap_err();
        assert_eq!(failure.code.as_str(), "config_invalid", "{version}");
    }
}
