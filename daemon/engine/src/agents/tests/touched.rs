//! What an agent touched in its worktree.

use super::scratch::{Scratch, write_in};
use crate::agents::touched::{touched_by, touched_files};
use pu_record::launch::LaunchRecord;
use serde_json::json;

/// A repository with three files, and a worktree in which one of each kind of change was made.
fn touched_worktree() -> (Scratch, crate::agents::CreatedWorktree) {
    let scratch = Scratch::new();
    for path in ["src/kept.rs", "src/edited.rs", "src/gone.rs"] {
        scratch.write(path, "one\n");
    }
    scratch.write(".gitignore", "*.log\n");
    scratch.commit("files");
    let repository = scratch.repository();
    let created = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    write_in(&created.path, "src/edited.rs", "two\n");
    write_in(&created.path, "src/committed.rs", "new\n");
    scratch.commit_in(&created.path, "some of it");
    std::fs::remove_file(created.path.join("src/gone.rs")).unwrap();
    for path in ["new folder/näw.rs", "run.log", ".pu/run/a/context.md"] {
        write_in(&created.path, path, "untracked\n");
    }
    (scratch, created)
}

#[test]
fn what_differs_from_the_base_is_told_committed_or_not() {
    let (scratch, created) = touched_worktree();
    let files = touched_files(&scratch.repository(), &created.path, &created.base).unwrap();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.path.as_str(), file.status)).collect();
    let expected = [
        ("new folder/näw.rs", "added"),
        ("src/committed.rs", "added"),
        ("src/edited.rs", "modified"),
        ("src/gone.rs", "deleted"),
    ];
    assert_eq!(files, expected);
    for base in ["", "-p", "main"] {
        assert_eq!(touched_files(&scratch.repository(), &created.path, base).unwrap(), [], "{base:?}");
    }
    let unknown = "0".repeat(40);
    assert!(touched_files(&scratch.repository(), &created.path, &unknown).is_err());
}

#[test]
fn of_a_project_in_a_subfolder_only_its_own_files_are_told() {
    let scratch = Scratch::new();
    scratch.write("apps/shop/main.rs", "");
    scratch.commit("shop");
    let project = scratch.root().join("apps/shop");
    let repository = scratch.open(&project).unwrap();
    let created = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    write_in(&created.workdir, "main.rs", "fn main() {}\n");
    write_in(&created.path, "README.md", "of somebody else\n");
    let files = touched_files(&repository, &created.path, &created.base).unwrap();
    assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["main.rs"]);
}

#[test]
fn an_agent_without_a_worktree_of_its_own_touched_nothing_that_is_surely_its_work() {
    let (scratch, created) = touched_worktree();
    let touched = |commit: serde_json::Value| {
        touched_by(&LaunchRecord { project_root: scratch.root(), commit, ..LaunchRecord::default() })
    };
    let row = json!({ "name": created.name, "branch": created.branch, "base": created.base });
    assert_eq!(touched(json!({ "prompt": "p", "worktree": row })).len(), 4);
    assert_eq!(touched(json!({ "worktree": null })), []);
    assert_eq!(touched(json!(null)), []);
    std::fs::remove_file(created.path.join(".git")).unwrap();
    assert_eq!(touched(json!({ "worktree": row })), [], "a worktree that is none any more");
}

/// Git runs programs that a configuration names, and an agent can write any `.git` into its own folder.
#[test]
fn a_git_folder_that_the_agent_made_is_not_believed() {
    let (scratch, created) = touched_worktree();
    let told = created.path.join("told");
    write_in(&created.path, "spy.sh", &format!("#!/bin/sh\ntouch {}\n", told.display()));
    let spy = created.path.join("spy.sh");
    std::fs::set_permissions(&spy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    scratch.git(&["clone", "--quiet", "--bare", ".", created.path.join("evil").to_str().unwrap()]);
    let config = format!("[core]\n\tbare = false\n\tworktree = ..\n\tfsmonitor = {}\n", spy.display());
    write_in(&created.path, "evil/config", &config);
    write_in(&created.path, ".git", "gitdir: ./evil\n");
    let files = touched_files(&scratch.repository(), &created.path, &created.base).unwrap();
    assert!(files.iter().any(|file| file.path == "src/edited.rs"), "{files:?}");
    assert!(!told.exists(), "git ran what the agent's own folder names");
}
