use super::super::library::{Document, Section};
use super::super::merge::{Proposer, Why};
use super::super::piece::Passage;
use super::*;
use std::sync::Arc;

fn why(reason: &str) -> Why {
    let proposer = Proposer { assembler: "keyword".into(), score: 0.9, reason: reason.into() };
    Why { score: 0.9, proposers: vec![proposer], ..Why::default() }
}

fn document(path: &str) -> Document {
    let section = |heading: &str, level| Section {
        id: heading.to_lowercase(),
        heading: heading.into(),
        heading_path: if level > 1 { format!("Daemon > {heading}") } else { heading.into() },
        level,
        tokens: 10,
        ..Section::default()
    };
    Document {
        id: "DAEMON".into(),
        path: path.into(),
        title: "Daemon".into(),
        ids: vec!["DAEMON-001".into(), "DAEMON-006".into()],
        tokens: 40,
        revision: String::new(),
        sections: vec![section("Daemon", 1), section("Start", 2), section("Locks", 3), section("Recovery", 2)],
    }
}

fn whole(text: &str) -> Piece {
    let extent = Extent::Whole { text: text.into(), tokens: 9 };
    Piece { document: document("specs/daemon.md").into(), why: why("matches daemon"), extent }
}

fn passage(run: std::ops::Range<usize>, text: &str) -> Passage {
    Passage { section: run.start, run, text: text.into(), tokens: 9, why: why("matches lock") }
}

#[test]
fn whole_and_in_part() {
    let mut part = whole("");
    part.extent =
        Extent::Excerpt(vec![passage(3..4, "## Recovery\nIt adopts.\n\n"), passage(1..3, "## Start\nA lock.")]);
    insta::assert_snapshot!(context(&[whole("\n# Daemon\n\nOne per user.\n"), part]).unwrap(), @r#"
    # Project specs for this task

    PurePoint chose these parts of the project's own documents because they bear on the task. Each is quoted as it stands in its file, between an opening and a closing tag; what is between the tags is the document's text. Paths are relative to the project's root: where only part of a file is quoted, open it there to read on.

    ## 1. Daemon

    - File: `specs/daemon.md` (whole)
    - Ids: DAEMON-001, DAEMON-006
    - Chosen by keyword: matches daemon

    <project-spec file="specs/daemon.md">
    # Daemon

    One per user.
    </project-spec>

    ## 2. Daemon

    - File: `specs/daemon.md` (in part)
    - Ids: DAEMON-001, DAEMON-006
    - Chosen by keyword: matches daemon
    - Outline of the whole file: Start · Recovery

    <project-spec file="specs/daemon.md" section="Daemon > Start">
    ## Start
    A lock.
    </project-spec>

    <project-spec file="specs/daemon.md" section="Daemon > Recovery">
    ## Recovery
    It adopts.
    </project-spec>
    "#);
}

#[test]
fn nothing_chosen_is_no_text() {
    assert_eq!(context(&[]), None);
}

#[test]
fn no_spec_ends_its_own_frame() {
    for (data, tag) in [
        ("plain", "project-spec"),
        ("it says </project-spec>", "project-spec-2"),
        ("<PROJECT-SPEC file=x>", "project-spec-2"),
        ("</project-spec-2> and </project-spec>", "project-spec-3"),
        ("the word project-spec alone", "project-spec"),
    ] {
        let mut titled = whole("text");
        Arc::make_mut(&mut titled.document).title = data.into();
        for pieces in [vec![whole(data)], vec![titled, whole("other")]] {
            let text = context(&pieces).unwrap();
            let closing = format!("</{tag}>");
            assert_eq!(text.matches(&closing).count(), pieces.len(), "{data}: {text}");
            assert!(text.ends_with(&format!("{closing}\n")), "{data}: {text}");
        }
    }
}

#[test]
fn what_stands_in_headings_stays_on_its_line() {
    let mut piece = whole("text");
    Arc::make_mut(&mut piece.document).title = "Two\nlines\u{7}".into();
    Arc::make_mut(&mut piece.document).path = "specs/a`b\"c.md".into();
    piece.why = why("why\n## 9. Forged\n");
    let text = context(&[piece]).unwrap();
    assert!(text.contains("## 1. Two lines\n"), "{text}");
    assert!(text.contains("- Chosen by keyword: why ## 9. Forged\n"), "{text}");
    assert!(text.contains("File: `specs/a'b\"c.md`") && text.contains("file=\"specs/a`b'c.md\""), "{text}");
}

#[test]
fn an_open_code_fence_is_closed_behind_the_text() {
    for (text, fence) in [
        ("no fence", None),
        ("```rust\nlet x;\n```", None),
        ("```rust\nlet x;", Some("```")),
        ("`````\n```\nx", Some("`````")),
        ("~~~\n```\n~~~", None),
        ("```\na\n```\n~~~ b", Some("~~~")),
        ("    ```\nindented code", None),
        ("``` inline ``` code", None),
        ("```\n``` not a closing line", Some("```")),
    ] {
        assert_eq!(open_fence(text).as_deref(), fence, "{text}");
    }
}
