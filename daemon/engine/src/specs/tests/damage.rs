//! An index that is not what it should be is built anew, never a reason to fail.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use super::super::schema::VERSION;
use super::{Project, found, paths, write};

fn project() -> Project {
    Project::new(&[("specs/a.md", "# Alpha\n\nretries with backoff"), ("specs/b.md", "# Beta\n\nsockets")])
}

#[test]
fn a_second_opening_reads_no_spec() {
    let project = project();
    let revision = project.open().revision();
    let index = project.reopen();
    assert_eq!(index.revision(), revision);
    assert_eq!(found(&index, "backoff"), ["specs/a.md"]);
    // Only files whose time stamps were too young to be trusted may have been read, and none was written.
    assert_eq!(index.fresh().unwrap().changed, 0);
}

#[test]
fn changes_while_nobody_watched_are_seen() {
    let project = project();
    drop(project.open());
    project.write("specs/a.md", "# Alpha\n\nnow about timeouts");
    fs::remove_file(project.path("specs/b.md")).unwrap();
    let index = project.open();
    assert_eq!(found(&index, "timeouts"), ["specs/a.md"]);
    assert_eq!(paths(&index), ["specs/a.md"]);
}

#[test]
fn every_kind_of_damage_is_repaired_and_reported() {
    type Damage = fn(&Project);
    let garble: Damage = |p| write(&current(p).join("meta.json"), b"{ not json");
    let empty: Damage = |p| write(&current(p).join("meta.json"), b"");
    let cut: Damage = |p| {
        for entry in fs::read_dir(current(p)).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|e| e == "term" || e == "store" || e == "idx") {
                OpenOptions::new().write(true).open(entry.path()).unwrap().set_len(10).unwrap();
            }
        }
    };
    let lost: Damage = |p| {
        for entry in fs::read_dir(current(p)).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|e| e == "store" || e == "fast") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    };
    for (name, damage) in [("garbled", garble), ("empty", empty), ("cut", cut), ("lost", lost)] {
        let project = project();
        drop(project.open());
        damage(&project);
        let index = project.open();
        assert_eq!(found(&index, "backoff"), ["specs/a.md"], "{name}");
        assert!(index.warnings().iter().any(|w| w.contains("set aside")), "{name}: {:?}", index.warnings());
        project.write("specs/b.md", "# Beta\n\nnow about pipes");
        index.fresh().unwrap();
        assert_eq!(found(&index, "pipes"), ["specs/b.md"], "{name}");
    }
}

/// Over a garbled file a thread of tantivy's writer panics, which ends the process: not at once, but at an edit later on.
#[test]
fn flipped_bytes_are_noticed_before_anything_is_written() {
    let project = project();
    drop(project.open());
    for extension in ["idx", "term", "store", "fast", "fieldnorm", "pos"] {
        for entry in fs::read_dir(current(&project)).unwrap().map(Result::unwrap) {
            if entry.path().extension().is_some_and(|e| e == extension) {
                let mut bytes = fs::read(entry.path()).unwrap();
                let body = bytes.len() - footer(&bytes);
                assert!(body > 0, "{extension}");
                bytes[..body].iter_mut().step_by(3).for_each(|b| *b ^= 0x5A);
                write(&entry.path(), &bytes);
            }
        }
        let index = project.open();
        assert_eq!(found(&index, "backoff retries"), ["specs/a.md"], "{extension}");
        assert!(index.warnings().iter().any(|w| w.contains("set aside")), "{extension}: {:?}", index.warnings());
        project.write("specs/b.md", &format!("# Beta\n\nsockets of{extension}"));
        index.fresh().unwrap();
        assert_eq!(found(&index, &format!("of{extension}")), ["specs/b.md"]);
    }
}

/// The folder of the index that this release makes.
fn current(project: &Project) -> PathBuf {
    project.index_dir().join(format!("v{VERSION}"))
}

/// How long the footer of a tantivy file is, which holds its checksum and ends with its own length and a magic number.
fn footer(bytes: &[u8]) -> usize {
    let length: [u8; 4] = bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap();
    u32::from_le_bytes(length) as usize + 8
}

#[test]
fn an_index_of_another_version_is_replaced() {
    let project = project();
    write(&project.index_dir().join("v0/meta.json"), b"{}");
    let index = project.open();
    assert_eq!(paths(&index).len(), 2);
    assert!(!project.index_dir().join("v0").exists());
}
