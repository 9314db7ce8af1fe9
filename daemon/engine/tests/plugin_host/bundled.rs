//! The plugins that come with the program: built from the sources at hand, without WASI, and the same in wasm as native.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use pu_engine::plugins::{FailureCode, PluginSource, Task, bundled, inspect};
use pu_plugin_classify::Classify;
use pu_plugin_context_map::ContextMap;
use pu_plugin_keyword::Keyword;
use pu_plugin_tags::Tags;

use crate::world::{World, specs};

#[test]
fn each_is_built_from_the_sources_at_hand() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let output = Command::new(plugins.join("build")).arg("--digest").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        let noted = std::fs::read_to_string(plugins.join(format!("dist/{name}.sources.sha256"))).unwrap();
        assert_eq!(noted.trim(), digest, "plugins/dist/{name}.wasm is stale: run `make plugins`");
    }
}

#[test]
fn each_imports_the_contract_and_nothing_else() {
    for plugin in bundled() {
        let inspection = inspect(plugin.bytes).unwrap();
        assert_eq!(inspection.manifest.name, plugin.name);
        assert!(inspection.imports.iter().all(|import| import.starts_with("purepoint:context/")), "{inspection:?}");
    }
}

/// Native and in wasm a plugin gives the same answer to the same task: so its own tests hold for what is shipped.
fn agrees<A: pu_plugin_sdk::Assembler>(name: &str, config: &str) {
    let world = World::new();
    let plugin = world.host.load(&PluginSource::Bundled(name.into())).unwrap();
    let prompts = ["the ledger", "Fix sign-in tokens of billing\n\nand rename leaseTable", "docs: zebra", ""];
    for (prompt, tags) in prompts.into_iter().zip([&["billing"][..], &[], &["specs/auth", "none"], &[]]) {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let files = vec!["src/lease_table.rs".to_owned()];
        let native = pu_plugin_sdk::Task::new(prompt);
        let native = pu_plugin_sdk::Task { tags: tags.clone(), mentioned_files: files.clone(), ..native };
        let native = pu_plugin_sdk::run::<A>(config, &native, &specs()).unwrap();
        let task = Task { prompt: prompt.into(), tags, mentioned_files: files, ..Task::default() };
        let report = world.call_task(&plugin, &task, config);
        let wasm = report.outcome.unwrap();
        let picks: Vec<_> = wasm.picks.into_iter().map(|p| (p.spec, p.section, p.score, p.reason)).collect();
        let expected: Vec<_> = native.picks.into_iter().map(|p| (p.spec, p.section, p.score, p.reason)).collect();
        assert_eq!(picks, expected, "{name}: {prompt}");
        let labels: Vec<_> = wasm.labels.into_iter().map(|l| (l.name, l.confidence)).collect();
        let expected: Vec<_> = native.labels.into_iter().map(|l| (l.name, l.confidence)).collect();
        assert_eq!((labels, wasm.notes), (expected, native.notes), "{name}: {prompt}");
        assert_eq!(report.dropped, []);
    }
}

#[test]
fn each_gives_the_same_answer_in_wasm_as_natively() {
    agrees::<Keyword>("keyword", "{}");
    agrees::<Tags>("tags", "{}");
    agrees::<Classify>("classify", "{}");
    let map = r#"{"map": [{"when": {"words": "ledger", "pattern": "led.*r"}, "specs": "specs/*.md"}]}"#;
    agrees::<ContextMap>("context-map", map);
}

/// What reads labels waits for those before it, so only one that needs them says so.
#[test]
fn only_the_map_reads_labels() {
    let readers = bundled().iter().filter(|plugin| inspect(plugin.bytes).unwrap().manifest.reads_labels);
    assert_eq!(readers.map(|plugin| plugin.name).collect::<Vec<_>>(), ["context-map"]);
}

#[test]
fn a_config_that_does_not_fit_is_told_as_such() {
    let world = World::new();
    let plugin = world.keyword().unwrap();
    for (config, word) in [(r#"{"limt": 3}"#, "limt"), (r#"{"limit": 900}"#, "900"), ("[", "EOF")] {
        let failure = world.call_with(&plugin, "the ledger", config).outcome.unwrap_err();
        assert_eq!(failure.code, FailureCode::ConfigInvalid);
        assert!(failure.message.contains(word), "{failure}");
    }
}

/// `cargo nextest run -p pu-engine --run-ignored only --no-capture figures`
#[test]
#[ignore = "prints figures"]
fn figures() {
    let world = World::new();
    let started = Instant::now();
    world.keyword().unwrap();
    let cold = started.elapsed();
    let again = World::new();
    for entry in std::fs::read_dir(world.cache()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, again.cache().join(path.file_name().unwrap())).unwrap();
    }
    let started = Instant::now();
    let plugin = again.keyword().unwrap();
    let cached = started.elapsed();
    let mut calls: Vec<_> =
        (0..500).map(|_| again.call(&plugin, "Let sign-in tokens of the ledger live").elapsed).collect();
    calls.sort();
    println!("compile {cold:?}, cached load {cached:?}, call p50 {:?} p99 {:?}", calls[250], calls[495]);
}
