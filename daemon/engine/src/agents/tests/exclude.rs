//! `info/exclude`: what is added, and when nothing is.

use super::scratch::{Scratch, write_in};
use std::path::PathBuf;

fn exclude_file(scratch: &Scratch) -> PathBuf {
    scratch.root().join(".git/info/exclude")
}

fn text(scratch: &Scratch) -> String {
    std::fs::read_to_string(exclude_file(scratch)).unwrap()
}

/// A repository with PurePoint's files in it, as after a spawn.
fn in_use() -> Scratch {
    let scratch = Scratch::new();
    scratch.write(".pu/config.toml", "");
    scratch.write(".pu/run/a1/context.md", "x");
    scratch.write(".pu/manifest.json", "{}");
    scratch.write(".pu/history.jsonl", "");
    scratch.write(".pu/state/ledger.json", "{}");
    scratch
}

#[test]
fn what_is_local_is_hidden_once_in_the_root_and_in_worktrees() {
    let scratch = in_use();
    let before = text(&scratch);
    let repository = scratch.repository();
    assert!(repository.exclude_local_files().unwrap());
    let after = text(&scratch);
    assert!(after.starts_with(&before), "what was there stays");
    assert_eq!(
        &after[before.len()..],
        "\
# PurePoint (pu): what belongs to this machine only
/.pu/run/
/.pu/worktrees/
/.pu/state/
/.pu/manifest.json
/.pu/history.jsonl
/.pu/history.1.jsonl
"
    );
    assert!(!repository.exclude_local_files().unwrap());
    assert_eq!(text(&scratch), after);

    let created = repository.create_worktree("x", &repository.resolve_base(None).unwrap()).unwrap();
    write_in(&created.workdir, ".pu/run/a2/context.md", "x");
    assert_eq!(scratch.git_in(&created.path, &["status", "--porcelain"]), "");
    assert_eq!(scratch.git(&["status", "--porcelain", "-uall"]), "?? .pu/config.toml");
}

#[test]
fn a_project_in_a_subfolder_hides_its_own() {
    let scratch = in_use();
    scratch.write("a [b]/x", "");
    scratch.commit("x");
    let repository = scratch.open(&scratch.root().join("a [b]")).unwrap();
    assert!(repository.exclude_local_files().unwrap());
    scratch.write("a [b]/.pu/run/a1/context.md", "x");
    scratch.write("a b/.pu/run/a1/context.md", "x");
    assert_eq!(scratch.git(&["status", "--porcelain", "-uall"]), "?? \"a b/.pu/run/a1/context.md\"");
}

#[test]
fn nothing_is_written_where_git_ignores_it_already() {
    let scratch = in_use();
    let before = text(&scratch);
    scratch.write(".gitignore", ".pu/\n");
    assert!(!scratch.repository().exclude_local_files().unwrap());
    std::fs::remove_file(scratch.root().join(".gitignore")).unwrap();

    write_in(&scratch.outside(), ".config/git/ignore", "/.pu/\n");
    assert!(!scratch.repository().exclude_local_files().unwrap());
    assert_eq!(text(&scratch), before);
}

#[test]
fn a_gitignore_that_worktrees_may_not_have_does_not_count() {
    let scratch = in_use();
    scratch.write(".pu/.gitignore", "run/\nworktrees/\n*.json*\n");
    assert!(scratch.repository().exclude_local_files().unwrap());
    assert!(text(&scratch).contains("/.pu/run/\n"));
}

#[test]
fn a_path_that_is_taken_back_into_sight_is_not_ignored() {
    let scratch = in_use();
    scratch.write(".gitignore", ".pu/*\n!.pu/run/\n");
    assert!(scratch.repository().exclude_local_files().unwrap());
    let text = text(&scratch);
    assert!(text.contains("/.pu/run/\n") && !text.contains("/.pu/worktrees/"), "{text}");
}

#[test]
fn the_file_keeps_its_mode_its_bytes_and_its_link() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = in_use();
    let elsewhere = scratch.outside().join("my-excludes");
    write_in(&scratch.outside(), "my-excludes", "*.bak");
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::remove_file(exclude_file(&scratch)).unwrap();
    std::os::unix::fs::symlink(&elsewhere, exclude_file(&scratch)).unwrap();

    assert!(scratch.repository().exclude_local_files().unwrap());
    assert!(exclude_file(&scratch).is_symlink());
    assert!(std::fs::read_to_string(&elsewhere).unwrap().starts_with("*.bak\n# PurePoint"));
    assert_eq!(std::fs::metadata(&elsewhere).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_repository_without_an_info_folder_gets_one() {
    let scratch = in_use();
    std::fs::remove_dir_all(scratch.root().join(".git/info")).unwrap();
    assert!(scratch.repository().exclude_local_files().unwrap());
    assert!(text(&scratch).ends_with("/.pu/history.1.jsonl\n"));
}

#[test]
fn spawns_at_the_same_time_add_each_line_once() {
    let scratch = in_use();
    let repository = scratch.repository();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| repository.exclude_local_files().unwrap());
        }
    });
    assert_eq!(text(&scratch).matches("/.pu/run/\n").count(), 1);
}
