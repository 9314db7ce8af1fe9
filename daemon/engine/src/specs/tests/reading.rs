//! The text of specs and sections, and how they are named.

use super::Project;
use crate::specs::SpecError;

#[test]
fn specs_are_found_by_id_path_and_the_ids_that_they_define() {
    let project = Project::new(&[
        ("specs/auth.md", "---\nid: AUTH-001\ntags: [auth]\n---\n# Login\n"),
        ("specs/engine.md", "# Engine\n\n## DAEMON-006: context\n\ntext\n"),
        ("specs/plain.md", "# Plain\n"),
    ]);
    let index = project.open();
    let catalog = index.catalog();
    for (name, path) in [
        ("AUTH-001", "specs/auth.md"),
        ("auth-1", "specs/auth.md"),
        ("specs/auth.md", "specs/auth.md"),
        ("DAEMON-006", "specs/engine.md"),
        ("specs/plain", "specs/plain.md"),
    ] {
        assert_eq!(catalog.find(name).map(|s| s.path.as_str()), Some(path), "{name}");
    }
    assert!(catalog.find("NOPE-1").is_none());
}

#[test]
fn an_id_that_is_taken_is_reported_and_the_second_spec_goes_by_its_path() {
    let project =
        Project::new(&[("specs/a.md", "---\nid: X-1\n---\n# A\n"), ("specs/b.md", "---\nid: X-1\n---\n# B\n")]);
    let index = project.open();
    let ids: Vec<String> = index.catalog().specs().iter().map(|s| s.id.clone()).collect();
    assert_eq!(ids, ["X-1", "specs/b"]);
    assert!(index.warnings().iter().any(|w| w.contains("X-1 is taken by specs/a.md")), "{:?}", index.warnings());
}

#[test]
fn an_id_takes_the_path_of_no_other_spec() {
    let project = Project::new(&[
        ("specs/a.md", "---\nid: specs/b.md\n---\n# A\n"),
        ("specs/b.md", "# B\n"),
        ("specs/c.md", "---\nid: specs/c.md\n---\n# C\n"),
    ]);
    let index = project.open();
    let catalog = index.catalog();
    let ids: Vec<&str> = catalog.specs().iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["specs/a", "specs/b", "specs/c.md"]);
    assert_eq!(catalog.find("specs/b.md").map(|s| s.path.as_str()), Some("specs/b.md"));
    assert!(index.warnings().iter().any(|w| w.contains("is taken by specs/b.md")), "{:?}", index.warnings());
}

#[test]
fn sections_are_read_from_the_file_as_it_is_now() {
    let project = Project::new(&[("specs/a.md", "---\nid: A-1\n---\n# A\n\n## One\nfirst\n\n## Two\nsecond\n")]);
    let index = project.open();
    let read = |section| index.read("A-1", section).unwrap();
    assert_eq!(read(Some("two")).text, "## Two\nsecond\n");
    assert!(read(None).text.starts_with("---\nid: A-1"));
    assert!(matches!(index.read("A-1", Some("three")), Err(SpecError::UnknownSection { .. })));
    assert!(matches!(index.read("B-1", None), Err(SpecError::UnknownSpec(_))));
    project.write("specs/a.md", "---\nid: A-1\n---\n# A\n\nmore before\n\n## Two\nchanged\n");
    assert_eq!(read(Some("two")).text, "## Two\nchanged\n");
}

#[test]
fn tokens_of_sections_add_up_to_the_spec() {
    let project = Project::new(&[("specs/a.md", "---\nid: A-1\n---\nlead\n\n# A\n\nbody text\n\n## B\n\nmore\n")]);
    let index = project.open();
    let catalog = index.catalog();
    let spec = &catalog.specs()[0];
    let front = crate::specs::tokens::count("---\nid: A-1\n---\n");
    assert_eq!(spec.tokens, front + spec.sections.iter().map(|s| s.tokens).sum::<u32>());
    let whole = crate::specs::tokens::count(&index.read("A-1", None).unwrap().text);
    assert_eq!(spec.tokens, whole);
    assert_eq!(spec.heading_path(2), "B");
}
