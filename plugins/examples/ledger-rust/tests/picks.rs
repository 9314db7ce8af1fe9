//! Plain Rust, without wasm: what the plugin picks from the specs of a folder.
//!
//! The golden tasks say what it answers to prompts and tags; what no golden task can have is here.

use ledger_rust::Plugin;
use pu_plugin_sdk::{Assembly, ChangedFile, MockSpecs, Task, run};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ledger/project");

fn answer(task: &Task) -> Assembly {
    let specs = MockSpecs::from_dir(PROJECT).unwrap();
    run::<Plugin>("{}", task, &specs).unwrap()
}

fn changing(path: &str) -> Task {
    let file = ChangedFile { path: path.into(), status: "modified".into() };
    Task { changed_files: vec![file], ..Task::new("Round half to even") }
}

#[test]
fn a_branch_that_changes_the_ledger_gets_its_invariants() {
    let assembly = answer(&changing("src/ledger/round.py"));
    assert_eq!((assembly.picks[0].spec.as_str(), assembly.labels[0].name.as_str()), ("LEDGER", "billing"));
    assert_eq!(assembly.picks[0].reason, "the branch changes src/ledger/round.py");
}

#[test]
fn a_folder_whose_name_begins_alike_is_another_one() {
    for path in ["src/ledger", "src/ledgers/round.py", "web/src/ledger/round.py"] {
        assert_eq!(answer(&changing(path)), Assembly::default(), "{path}");
    }
}

#[test]
fn what_is_surer_is_the_reason() {
    let task = Task { tags: vec!["BILLING".into()], prompt: "Fix billing".into(), ..changing("src/billing/run.py") };
    let pick = &answer(&task).picks[0];
    assert_eq!((pick.score, pick.reason.as_str()), (1.0, "the task is tagged BILLING"));
}
