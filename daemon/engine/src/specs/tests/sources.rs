//! Which files become specs, and what is said of the others.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo};

use super::{Project, SourceConfig, paths, write};
use crate::specs::SpecIndex;

fn reason(index: &SpecIndex, path: &str) -> String {
    let skipped = index.skipped();
    skipped.iter().find(|s| s.path == path).map_or_else(|| format!("{path} not in {skipped:?}"), |s| s.reason.clone())
}

#[test]
fn reads_the_usual_folders_and_the_configured_ones() {
    let project = Project::new(&[
        ("specs/a.md", "# A"),
        ("Docs/deep/b.rst", "B\n===\n"),
        ("rfcs/c.adoc", "= C"),
        ("design/notes/d.txt", "D"),
        ("src/e.md", "# no"),
        ("docs-old/f.md", "# no"),
        ("specs/code.rs", "fn no() {}"),
        ("specs/node_modules/g.md", "# no"),
    ]);
    let config = SourceConfig { folders: vec!["design/notes".into(), "gone".into()], ..SourceConfig::default() };
    let index = project.open_with(config);
    assert_eq!(paths(&index), ["Docs/deep/b.rst", "design/notes/d.txt", "rfcs/c.adoc", "specs/a.md"]);
    assert!(reason(&index, "gone").contains("does not exist"));
}

#[test]
fn a_project_without_specs_has_an_empty_index() {
    let index = Project::new(&[("README.md", "# hello")]).open();
    assert!(paths(&index).is_empty() && index.skipped().is_empty() && index.warnings().is_empty());
    assert!(super::find(&index, "anything at all").is_empty());
}

#[test]
fn what_git_ignores_is_no_spec() {
    let project = Project::new(&[(".gitignore", "docs/build/\n"), ("docs/a.md", "# A"), ("docs/build/b.md", "# B")]);
    assert_eq!(paths(&project.open()), ["docs/a.md"]);
}

#[test]
fn links_are_followed_inside_of_the_project_only() {
    let project = Project::new(&[("docs/a.md", "# A"), ("README.md", "# Readme"), ("notes/n.md", "# Note")]);
    let outside = project.dir.path().join("secret.md");
    write(&outside, b"# Secret");
    symlink(&outside, project.path("docs/out.md")).unwrap();
    symlink(project.dir.path(), project.path("docs/out")).unwrap();
    symlink("../README.md", project.path("docs/readme.md")).unwrap();
    symlink("../notes", project.path("docs/notes")).unwrap();
    symlink("a.md", project.path("docs/z-again.md")).unwrap();
    symlink("nowhere.md", project.path("docs/broken.md")).unwrap();
    symlink("..", project.path("docs/loop")).unwrap();
    let index = project.open();
    assert_eq!(paths(&index), ["docs/a.md", "docs/notes/n.md", "docs/readme.md"]);
    assert!(reason(&index, "docs/out.md").contains("out of the project"));
    assert!(reason(&index, "docs/out").contains("out of the project"));
    assert!(reason(&index, "docs/z-again.md").contains("same file as docs/a.md"));
    assert!(reason(&index, "docs/broken.md").contains("cannot resolve"));
    assert!(reason(&index, "docs/loop").contains("contains the folder"), "{:?}", index.skipped());
}

#[test]
fn what_is_no_readable_file_is_reported_and_never_waited_for() {
    let project = Project::new(&[("docs/a.md", "# A"), ("docs/locked/b.md", "# B"), ("docs/locked.md", "# L")]);
    mkfifo(&project.path("docs/pipe.md"), Mode::S_IRWXU).unwrap();
    project.write_bytes("docs/big.md", &vec![b'x'; 5 << 20]);
    write(&project.path("docs").join(OsStr::from_bytes(b"bad-\xff.md")), b"# Bad name");
    fs::set_permissions(project.path("docs/locked"), fs::Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(project.path("docs/locked.md"), fs::Permissions::from_mode(0o0)).unwrap();
    let index = project.open();
    assert!(reason(&index, "docs/pipe.md").contains("not a regular file"));
    assert!(reason(&index, "docs/big.md").contains("more than the limit"));
    assert!(reason(&index, "docs/bad-\u{FFFD}.md").contains("not UTF-8"));
    // Permissions do not hold root back.
    if !Uid::effective().is_root() {
        assert_eq!(paths(&index), ["docs/a.md"]);
        assert!(reason(&index, "docs/locked").contains("cannot read"));
        assert!(reason(&index, "docs/locked.md").contains("cannot be read"));
    }
    fs::set_permissions(project.path("docs/locked"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn text_that_is_not_utf8_is_indexed_with_a_warning() {
    let project = Project::new(&[]);
    project.write_bytes("docs/latin.md", b"# Caf\xe9\n\nespresso machine\n");
    let index = project.open();
    assert_eq!(super::found(&index, "espresso"), ["docs/latin.md"]);
    assert!(index.warnings().iter().any(|w| w.starts_with("docs/latin.md") && w.contains("UTF-8")));
}

#[test]
fn a_configured_folder_cannot_lead_out_of_the_project() {
    let project = Project::new(&[("docs/a.md", "# A")]);
    write(&project.dir.path().join("other/secret.md"), b"# Secret");
    for folder in ["../other", "/etc"] {
        let config = SourceConfig { folders: vec![folder.into()], ..SourceConfig::default() };
        let index = project.open_with(config);
        assert_eq!(paths(&index), ["docs/a.md"]);
        assert_eq!(index.skipped().len(), 1, "{folder}");
    }
}

/// The walker would wait for the pipe, and read the device until there is no memory left.
#[test]
fn a_list_of_what_to_ignore_that_is_no_file_is_not_opened() {
    let project = Project::new(&[("specs/a.md", "# A"), ("specs/pipe/b.md", "# B"), ("docs/c.md", "# C")]);
    mkfifo(&project.root().join("specs/pipe/.gitignore"), Mode::S_IRWXU).unwrap();
    symlink("/dev/zero", project.root().join("docs/.ignore")).unwrap();
    let index = project.open();
    assert_eq!(paths(&index), ["specs/a.md"]);
    assert!(
        reason(&index, "specs/pipe").starts_with("specs/pipe/.gitignore says what to ignore"),
        "{:?}",
        index.skipped()
    );
    assert!(reason(&index, "docs").starts_with("docs/.ignore says what to ignore"), "{:?}", index.skipped());
}
