//! What the latest commits said and touched.

use super::scratch::Scratch;
use crate::agents::{CommitLog, read_commits};

fn told(log: &CommitLog) -> Vec<(&str, Vec<&str>)> {
    let commits = log.commits.iter();
    commits.map(|commit| (commit.message.as_str(), commit.touched.iter().map(String::as_str).collect())).collect()
}

#[test]
fn commits_are_told_the_newest_first_with_what_they_touched() {
    let scratch = Scratch::new();
    scratch.write("specs/a.md", "one\n");
    scratch.commit("Add a\n\nas [DAEMON-006] says");
    scratch.write("new folder/näw.rs", "one\n");
    scratch.write("specs/a.md", "two\n");
    scratch.commit("Change both");
    let log = read_commits(&scratch.root(), None).unwrap().unwrap();
    let told = told(&log);
    assert_eq!(told[0], ("Change both", vec!["new folder/näw.rs", "specs/a.md"]));
    assert_eq!(told[1], ("Add a\n\nas [DAEMON-006] says", vec!["specs/a.md"]));
    assert_eq!(log.commits[0].id, log.head);
    assert_eq!(read_commits(&scratch.root(), Some(&log.head)).unwrap(), None, "nothing new is nothing read");
}

#[test]
fn of_a_project_in_a_subfolder_only_its_own_files_and_commits_are_told() {
    let scratch = Scratch::new();
    scratch.write("apps/shop/main.rs", "");
    scratch.write("README.md", "two\n");
    scratch.commit("Begin the shop");
    scratch.write("README.md", "of somebody else\n");
    scratch.commit("Somebody else's");
    let log = read_commits(&scratch.root().join("apps/shop"), None).unwrap().unwrap();
    assert_eq!(told(&log), [("Begin the shop", vec!["main.rs"])]);
}

#[test]
fn a_commit_of_very_many_files_says_nothing_of_them() {
    let scratch = Scratch::new();
    for n in 0..101 {
        scratch.write(&format!("docs/{n}.md"), "one\n");
    }
    scratch.commit("Import it all");
    let log = read_commits(&scratch.root(), None).unwrap().unwrap();
    assert_eq!(told(&log)[0], ("Import it all", vec![]));
}

#[test]
fn where_no_repository_is_there_are_no_commits() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_commits(folder.path(), None).unwrap(), Some(CommitLog::default()));
    assert_eq!(read_commits(folder.path(), Some("")).unwrap(), None);
}
