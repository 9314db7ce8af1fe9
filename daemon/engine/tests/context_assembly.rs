//! The context of a task through the whole way: real files, the real index, the bundled plugin in its sandbox, and
//! beside it plugins that are broken.

#![allow(clippy::unwrap_used, reason = "a test's set-up may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pu_engine::context::{Assembled, ContextEngine, ContextError, ProjectFacts, ProjectSpecs};
use pu_engine::plugins::{CompilerCommand, HostLimits, PluginHost};
use pu_engine::specs::{SourceConfig, SpecIndex};
use pu_protocol::context::TaskDescription;
use pu_protocol::layout::HomeLayout;

const SPECS: [(&str, &str); 6] = [
    (
        "specs/daemon.md",
        "---\nid: DAEMON\n---\n# Daemon engine\n\nOne daemon a user, held by an exclusive lock on daemon.lock.\n",
    ),
    (
        "specs/ipc.md",
        "---\nid: IPC\n---\n# Protocol\n\nNewline-delimited JSON over a local socket; a line has at most 1 MiB.\n",
    ),
    ("specs/storage.md", "---\nid: STORE\n---\n# Storage\n\nEvery write is atomic: temporary file, fsync, rename.\n"),
    (
        "specs/agents.md",
        "---\nid: AGENT\n---\n# Agents\n\nEach agent works in a git worktree on a branch of its own.\n",
    ),
    (
        "docs/adr/0007-ledger.md",
        "# Ledger invariants\n\nAn invoice balances to zero; refunds are bookings, never edits.\n",
    ),
    ("docs/style.md", "# Style\n\nSmall files, exact names, comments that say why.\n"),
];

struct World {
    folder: tempfile::TempDir,
    engine: ContextEngine,
    project: ProjectSpecs,
}

impl World {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, home) = (folder.path().join("project"), HomeLayout::new(folder.path().join("home")));
        for (path, text) in SPECS {
            write(&root.join(path), text.as_bytes());
        }
        std::fs::create_dir_all(home.root()).unwrap();
        let compiler = CompilerCommand::engine(env!("CARGO_BIN_EXE_pu-engine"));
        // What is tested here is not how fast the machine is.
        let (deadline, compile_wait) = (Duration::from_secs(5), Duration::from_secs(60));
        let limits = HostLimits { deadline, deadline_max: deadline, compile_wait, ..HostLimits::default() };
        let host = PluginHost::new(&home.cache(), compiler, limits).unwrap();
        let index = SpecIndex::open(&root, &home.index(), SourceConfig::default()).unwrap();
        let plugins = root.join(".pu/plugins");
        let config = toml::from_str(&format!("deadline_ms = 5000\n{config}")).unwrap();
        let project = ProjectSpecs { root, index: Arc::new(index), plugins, config };
        Self { folder, engine: ContextEngine::new(Arc::new(host), home), project }
    }

    fn assemble(&self, prompt: &str) -> Result<Assembled, ContextError> {
        let task = TaskDescription { prompt: prompt.into(), ..TaskDescription::default() };
        self.engine.assemble(&self.project, &task, &ProjectFacts::default())
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    pu_record::atomic::write_atomic(path, bytes, 0o600).unwrap();
}

#[test]
fn the_right_spec_is_in_and_the_broken_plugin_is_reported() {
    let world = World::new("");
    write(&world.project.plugins.join("broken.wasm"), b"this is no component");
    let task = "a refund edits the invoice in the ledger";
    let first = world.assemble(task).unwrap();
    assert_eq!(first.report.picks[0].path, "docs/adr/0007-ledger.md", "{:#?}", first.report);
    assert!(first.text.as_ref().is_some_and(|text| text.contains("refunds are bookings, never edits")));
    assert!(!first.text.as_ref().unwrap().contains(world.folder.path().to_str().unwrap()));
    let seen: Vec<(&str, Option<&str>)> =
        first.report.assemblers.iter().map(|a| (a.name.as_str(), a.error.as_ref().map(|e| e.code.as_str()))).collect();
    let bundled = ["classify", "tags", "keyword", "context-map"].map(|name| (name, None));
    assert_eq!(seen, [&bundled[..], &[("broken", Some("not_a_component"))]].concat());

    let second = world.assemble(task).unwrap();
    assert_eq!(first.text, second.text);
    assert_eq!((first.report.picks, first.report.candidates), (second.report.picks, second.report.candidates));
}

#[test]
fn a_plugin_that_is_replaced_is_live_in_the_next_call() {
    let world = World::new("");
    let file = world.project.plugins.join("mine.wasm");
    write(&file, b"this is no component");
    let error = |assembled: Assembled| {
        let mine = assembled.report.assemblers.iter().find(|part| part.name == "mine").unwrap();
        mine.error.clone().map(|e| e.code)
    };
    assert_eq!(error(world.assemble("ledger").unwrap()).as_deref(), Some("not_a_component"));
    let keyword = pu_engine::plugins::bundled().iter().find(|plugin| plugin.name == "keyword").unwrap();
    write(&file, keyword.bytes);
    let assembled = world.assemble("ledger invariants of an invoice").unwrap();
    assert!(assembled.report.picks[0].assembler.contains("mine"), "{:#?}", assembled.report);
    assert_eq!(error(assembled), None);
    std::fs::remove_file(&file).unwrap();
    let report = world.assemble("ledger").unwrap().report;
    assert!(report.assemblers.iter().all(|part| part.name != "mine"), "{report:#?}");
}

#[test]
fn a_required_plugin_that_fails_refuses_the_task_and_a_missing_one_is_reported() {
    let config = |required: bool| {
        format!("[[assembler]]\nname = \"ledger\"\nplugin = \"plugins/ledger.wasm\"\nrequired = {required}\n")
    };
    let error = World::new(&config(true)).assemble("x").unwrap_err().body();
    assert_eq!(error.code, pu_protocol::ErrorCode::RequiredAssemblerFailed);
    let report = World::new(&config(false)).assemble("x").unwrap().report;
    assert_eq!(report.assemblers[0].error.as_ref().unwrap().code, "not_found");
}
