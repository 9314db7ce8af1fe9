//! A change made before a request is seen by it.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::build::LONG;
use super::super::{BuildTurns, SpecIndex};
use super::{Project, SourceConfig, found, paths};

#[test]
fn an_edit_is_found_by_the_search_right_after_it() {
    let project = Project::new(&[("specs/a.md", "# Alpha\n\nfirst words")]);
    let index = project.open();
    for round in 0..20 {
        project.write("specs/a.md", &format!("# Alpha\n\nwordnumber{round} here"));
        index.fresh().unwrap();
        assert_eq!(found(&index, &format!("wordnumber{round}")), ["specs/a.md"]);
    }
    assert!(found(&index, "first").is_empty());
}

#[test]
fn new_renamed_and_deleted_files_and_folders_are_seen_at_once() {
    let project = Project::new(&[("specs/a.md", "# Alpha")]);
    let index = project.open();
    project.write("specs/deep/er/b.md", "# Beta");
    index.fresh().unwrap();
    assert_eq!(paths(&index), ["specs/a.md", "specs/deep/er/b.md"]);
    fs::rename(project.path("specs/deep"), project.path("specs/moved")).unwrap();
    index.fresh().unwrap();
    assert_eq!(paths(&index), ["specs/a.md", "specs/moved/er/b.md"]);
    project.write("specs/moved/er/b.md", "# Gamma");
    index.fresh().unwrap();
    assert_eq!(found(&index, "gamma"), ["specs/moved/er/b.md"]);
    fs::remove_dir_all(project.path("specs/moved")).unwrap();
    project.write("specs/moved/er/b.md", "# Delta");
    index.fresh().unwrap();
    project.write("specs/moved/er/b.md", "# Epsilon");
    index.fresh().unwrap();
    assert_eq!(found(&index, "epsilon"), ["specs/moved/er/b.md"]);
    fs::remove_dir_all(project.path("specs")).unwrap();
    index.fresh().unwrap();
    assert!(paths(&index).is_empty());
}

#[test]
fn a_spec_folder_that_appears_later_is_seen() {
    let project = Project::new(&[("src/main.rs", "")]);
    let index = project.open();
    project.write("docs/a.md", "# Alpha");
    index.fresh().unwrap();
    assert_eq!(paths(&index), ["docs/a.md"]);
}

#[test]
fn a_spec_behind_a_link_is_followed_where_it_lies() {
    let project = Project::new(&[
        ("README.md", "# Readme"),
        ("src/parts/design.md", "# Design"),
        ("lib/notes/n.md", "# Note"),
        ("docs/a.md", "# Alpha"),
    ]);
    for (link, target) in [
        ("docs/readme.md", "../README.md"),
        ("docs/design.md", "../current.md"),
        ("current.md", "src/parts/design.md"),
        ("docs/notes", "../lib/notes"),
        ("docs/later.md", "../src/later.md"),
    ] {
        symlink(target, project.path(link)).unwrap();
    }
    let index = project.open();
    for (n, (file, spec)) in [
        ("README.md", "docs/readme.md"),
        ("src/parts/design.md", "docs/design.md"),
        ("lib/notes/n.md", "docs/notes/n.md"),
        ("src/later.md", "docs/later.md"),
    ]
    .into_iter()
    .enumerate()
    {
        project.write(file, &format!("# wordnumber{n}"));
        index.fresh().unwrap();
        assert_eq!(found(&index, &format!("wordnumber{n}")), [spec]);
    }
    // What stands on the way there can change the target too.
    project.write("src/parts/other.md", "# Turned");
    fs::remove_file(project.path("current.md")).unwrap();
    symlink("src/parts/other.md", project.path("current.md")).unwrap();
    index.fresh().unwrap();
    assert_eq!(found(&index, "turned"), ["docs/design.md"]);
    fs::rename(project.path("src"), project.path("source")).unwrap();
    index.fresh().unwrap();
    assert_eq!(paths(&index), ["docs/a.md", "docs/notes/n.md", "docs/readme.md"]);
}

#[test]
fn what_stands_beside_the_target_of_a_link_is_no_change() {
    let project = Project::new(&[("src/design.md", "# Design"), ("docs/a.md", "# Alpha")]);
    symlink("../src/design.md", project.path("docs/design.md")).unwrap();
    let index = project.open();
    let until = Instant::now() + Duration::from_secs(20);
    while index.fresh().unwrap().looked {
        assert!(Instant::now() < until, "never quiet: {:?}", index.warnings());
    }
    let heard = index.shared.signal.heard();
    project.write("src/main.rs", "fn main() {}");
    while !index.shared.watch.hear_all() {
        assert!(Instant::now() < until, "not heard of: {:?}", index.warnings());
    }
    assert_eq!(index.shared.signal.heard(), heard);
}

#[test]
fn a_configured_folder_is_followed_however_it_is_spelled() {
    let config = |folder: &str| SourceConfig { folders: vec![folder.into()], ..SourceConfig::default() };
    let project = Project::new(&[("README.md", "# Readme")]);
    let index = project.open_with(config("./design"));
    project.write("design/a.md", "# Alpha");
    index.fresh().unwrap();
    assert_eq!(paths(&index), ["design/a.md"]);
    drop(index);
    let index = project.open_with(config("."));
    assert_eq!(paths(&index), ["README.md", "design/a.md"]);
    project.write("README.md", "# Changed");
    index.fresh().unwrap();
    assert_eq!(found(&index, "changed"), ["README.md"]);
}

#[test]
fn nothing_is_looked_at_when_nothing_changed() {
    let project = Project::new(&[("specs/a.md", "# Alpha")]);
    let index = project.open();
    // The first edit of the index may still be on its way through the follower: until then a look is right.
    let quiet = (0..100).any(|_| !index.fresh().unwrap().looked);
    assert!(quiet, "warnings: {:?}", index.warnings());
    let heard = index.shared.signal.heard();
    project.write("notes.txt", "not a spec");
    // On a loaded machine one marker may be too late; the next one comes behind the same events.
    let until = Instant::now() + Duration::from_secs(20);
    while !index.shared.watch.hear_all() {
        assert!(Instant::now() < until, "not heard of: {:?}", index.warnings());
    }
    assert_eq!(index.shared.signal.heard(), heard, "what is no spec is no change");
    assert!(index.shared.signal.current(), "and nothing is to be looked at");
}

#[test]
fn a_change_is_taken_in_without_being_asked_for() {
    let project = Project::new(&[("specs/a.md", "# Alpha")]);
    let index = project.open();
    let before = index.revision();
    project.write("specs/b.md", "# Beta");
    let until = Instant::now() + Duration::from_secs(20);
    while index.revision() == before {
        assert!(Instant::now() < until, "not taken in: {:?}", index.warnings());
        std::thread::park_timeout(Duration::from_millis(5));
    }
    assert_eq!(paths(&index), ["specs/a.md", "specs/b.md"]);
}

#[test]
fn without_a_watcher_the_files_are_looked_at_each_time() {
    let project = Project::new(&[("specs/a.md", "# Alpha")]);
    let index = project.open();
    index.shared.signal.lose_hearing("the limit of watches is reached".into());
    project.write("specs/a.md", "# Beta");
    assert!(index.fresh().unwrap().looked);
    assert_eq!(found(&index, "beta"), ["specs/a.md"]);
    assert!(index.warnings().iter().any(|w| w.contains("limit of watches")));
}

#[test]
fn a_second_write_in_the_same_tick_with_the_same_size_is_seen() {
    let project = Project::new(&[("specs/a.md", "# Alpha one")]);
    let index = project.open();
    index.shared.signal.lose_hearing("test".into());
    for word in ["two", "six", "ten"] {
        project.write("specs/a.md", &format!("# Alpha {word}"));
        index.fresh().unwrap();
        assert_eq!(found(&index, word), ["specs/a.md"]);
    }
}

#[test]
fn the_revision_depends_on_the_specs_and_not_on_the_way_there() {
    let one = Project::new(&[("specs/a.md", "# Alpha"), ("specs/b.md", "# Beta")]);
    let other = Project::new(&[("specs/b.md", "# Draft"), ("specs/c.md", "# Gone")]);
    let (first, second) = (one.open(), other.open());
    assert_ne!(first.revision(), second.revision());
    other.write("specs/b.md", "# Beta");
    other.write("specs/a.md", "# Alpha");
    fs::remove_file(other.path("specs/c.md")).unwrap();
    second.fresh().unwrap();
    assert_eq!(first.revision(), second.revision());
}

/// Two first builds at once: each waits for its turn, tells of it meanwhile, and is whole at the end.
#[test]
fn long_builds_take_turns_and_tell_how_far_they_are() {
    let turns = BuildTurns::default();
    let names: Vec<String> = (0..=LONG).map(|n| format!("specs/{n}.md")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "# A spec\n")).collect();
    let projects = [Project::new(&files), Project::new(&files)];
    let held = turns.take(|| false).unwrap();
    let building = projects.each_ref().map(|project| {
        let told: Arc<Mutex<Vec<(u32, u32)>>> = Arc::default();
        let heard = Arc::clone(&told);
        let on_progress = Arc::new(move |done, total| heard.lock().unwrap().push((done, total)));
        let (root, place, turns) = (project.root(), project.index_dir(), turns.clone());
        let index = SpecIndex::open_with(&root, &place, SourceConfig::default(), turns, on_progress).unwrap();
        (index, told)
    });
    let all = u32::try_from(LONG + 1).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    for (index, told) in &building {
        while !told.lock().unwrap().contains(&(all - 1, all)) {
            assert!(Instant::now() < deadline, "{told:?}");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        assert!(index.catalog().specs().is_empty(), "it has not had its turn");
    }
    drop(held);
    for (index, told) in &building {
        index.fresh().unwrap();
        assert_eq!((index.catalog().specs().len(), index.fault()), (LONG + 1, None));
        assert_eq!(told.lock().unwrap().last(), Some(&(all, all)));
    }
}
