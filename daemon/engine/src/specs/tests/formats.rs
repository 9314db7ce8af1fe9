//! Documents of each format, with mistakes in them: which sections they have and what their heads say.

use super::Project;
use crate::specs::SpecMeta;

/// The spec that a project with this one file has.
fn spec(path: &str, text: &str) -> SpecMeta {
    let project = Project::new(&[(path, text)]);
    let catalog = project.open().catalog();
    catalog.specs().first().map(|spec| SpecMeta::clone(spec)).unwrap()
}

fn headings(spec: &SpecMeta) -> Vec<(u8, &str)> {
    spec.sections.iter().map(|section| (section.level, section.heading.as_str())).collect()
}

fn attribute<'a>(spec: &'a SpecMeta, name: &str) -> Option<&'a str> {
    spec.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[test]
fn mdx() {
    let spec = spec("docs/page.mdx", include_str!("fixtures/page.mdx"));
    assert_eq!(headings(&spec), [(0, ""), (1, "Getting started"), (2, "In a tab"), (2, "Last")]);
    assert_eq!(spec.title, "Getting started", "its front matter cannot be read");
    assert!(spec.warnings.iter().any(|w| w.contains("front matter")), "{:?}", spec.warnings);
}

#[test]
fn restructured_text() {
    let spec = spec("docs/guide.rst", include_str!("fixtures/guide.rst"));
    assert_eq!(headings(&spec), [(0, ""), (1, "Guide"), (2, "Retries"), (3, "Backoff"), (2, "Limits")]);
    assert_eq!(spec.title, "Guide");
    assert_eq!((attribute(&spec, "status"), spec.tags.join(" ").as_str()), (Some("draft"), "guide retry"));
    let ids: Vec<&str> = spec.sections.iter().map(|section| section.id.as_str()).collect();
    assert_eq!(ids, ["start", "guide", "retries", "retries/backoff", "limits"]);
}

#[test]
fn asciidoc() {
    let spec = spec("docs/manual.adoc", include_str!("fixtures/manual.adoc"));
    assert_eq!(headings(&spec), [(1, "Manual"), (2, "Storage"), (3, "Files"), (2, "Older form")]);
    assert_eq!(spec.title, "Manual");
    assert_eq!((attribute(&spec, "status"), spec.tags.join(" ").as_str()), (Some("final"), "manual storage"));
}

#[test]
fn plain_text() {
    let spec = spec("rfcs/rfc.txt", include_str!("fixtures/rfc.txt"));
    let expected = [
        (0, ""),
        (1, "Status of This Memo"),
        (1, "Table of Contents"),
        (1, "1. Introduction"),
        (2, "1.1. Requirements"),
        (1, "2. Words"),
        (1, "SECURITY CONSIDERATIONS"),
        (1, "Appendix A. An Example"),
    ];
    assert_eq!(headings(&spec), expected);
}

#[test]
fn sections_of_every_format_cover_the_text() {
    for (path, text) in [
        ("docs/a.mdx", include_str!("fixtures/page.mdx")),
        ("docs/a.rst", include_str!("fixtures/guide.rst")),
        ("docs/a.adoc", include_str!("fixtures/manual.adoc")),
        ("docs/a.txt", include_str!("fixtures/rfc.txt")),
    ] {
        let spec = spec(path, text);
        for pair in spec.sections.windows(2) {
            assert_eq!(pair[0].end, pair[1].start, "{path}");
        }
        assert_eq!(spec.sections.last().map(|section| section.end as usize), Some(text.len()), "{path}");
    }
}
