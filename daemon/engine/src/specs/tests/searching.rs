//! What a search answers, and that it answers the same each time.

use super::{Project, find, found};
use crate::specs::{SearchQuery, SpecError, SpecHit, SpecIndex};

fn library() -> Project {
    Project::new(&[
        (
            "specs/auth.md",
            "---\nid: AUTH-001\n---\n# Login\n\nA session token expires.\n\n## Refresh\n\nThe token is refreshed under a lock.\n",
        ),
        ("specs/billing.md", "# Billing ledger\n\nInvoices are immutable.\n\n## DAEMON-006\n\nNothing.\n"),
        (
            "specs/engine.md",
            "# Engine\n\nThe `SpecIndex` is rebuilt when `schema_version` differs. It uses a lock file.\n",
        ),
    ])
}

#[test]
fn finds_words_identifiers_titles_and_paths() {
    let project = library();
    let index = project.open();
    for (text, path) in [
        ("fix the token refresh race", "specs/auth.md"),
        ("spec_index rebuild", "specs/engine.md"),
        ("schemaVersion", "specs/engine.md"),
        ("invoice", "specs/billing.md"),
        ("ledgers", "specs/billing.md"),
    ] {
        assert_eq!(found(&index, text).first().map(String::as_str), Some(path), "{text}");
    }
    assert!(found(&index, "the of and").is_empty());
    assert!(found(&index, "").is_empty());
}

#[test]
fn a_hit_says_why() {
    let project = library();
    let index = project.open();
    let hits = find(&index, "Refreshing tokens under lock");
    let hit = &hits[0];
    assert_eq!(hit.section.as_deref(), Some("refresh"));
    assert_eq!(hit.matched, ["Refreshing", "tokens", "under", "lock"]);
    assert!(hit.fields.iter().any(|(name, score)| name == "body" && *score > 0.0));
    assert!(hit.score > 0.0 && hit.score < 0.9);
    assert!(hits.windows(2).all(|w| w[0].score >= w[1].score));
}

#[test]
fn specs_that_are_named_come_first() {
    let project = library();
    let index = project.open();
    for text in ["token lock refresh, see [DAEMON-006]", "daemon 6: session token", "token session DAEMON-006"] {
        let hits = find(&index, text);
        assert_eq!(hits[0].spec.path, "specs/billing.md", "{text}");
        assert_eq!(hits[0].section.as_deref(), Some("daemon-006"));
        assert!(hits[0].score >= 0.9 && hits[1].score < 0.9);
    }
}

#[test]
fn a_caller_chooses_fields_and_weights() {
    let project = library();
    let index = project.open();
    let search = |fields: &[(&str, f32)]| {
        let fields = fields.iter().map(|(n, w)| ((*n).to_owned(), *w)).collect();
        index.search(&SearchQuery { text: "ledger lock".into(), fields, limit: 3 })
    };
    let only_title = search(&[("title", 1.0)]).unwrap();
    assert_eq!(only_title[0].spec.path, "specs/billing.md");
    assert_eq!(only_title[0].fields.len(), 1);
    assert_eq!(only_title.len(), 1, "a lock stands in other bodies, and bodies are not searched");
    assert!(only_title[0].score > 0.0);
    assert!(search(&[("title", 0.0)]).unwrap().is_empty());
    let fields = vec![("title".to_owned(), 1.0)];
    let named = index.search(&SearchQuery { text: "AUTH-001 ledger".into(), fields, limit: 3 }).unwrap();
    let named: Vec<&str> = named.iter().map(|hit| hit.spec.path.as_str()).collect();
    assert_eq!(named, ["specs/auth.md", "specs/billing.md"], "what is named is found whatever its words");
    match search(&[("titel", 1.0)]) {
        Err(SpecError::UnknownField { field, known }) => assert!(field == "titel" && known.contains("title")),
        other => panic!("{other:?}"),
    }
}

fn answers(index: &SpecIndex, text: &str) -> Vec<(String, u32, Option<String>)> {
    find(index, text).into_iter().map(|h| (h.spec.path.clone(), h.score.to_bits(), h.section)).collect()
}

#[test]
fn scores_depend_on_the_specs_and_not_on_the_history_of_the_index() {
    let fresh = library();
    let used = library();
    let index = used.open();
    for round in 0..8 {
        used.write("specs/engine.md", &format!("# Draft {round}\n\ntoken lock ledger schema words\n"));
        used.write("specs/extra.md", &format!("# Extra {round}\n\ntoken refresh\n"));
        index.fresh().unwrap();
    }
    std::fs::remove_file(used.path("specs/extra.md")).unwrap();
    used.write("specs/engine.md", &std::fs::read_to_string(fresh.path("specs/engine.md")).unwrap());
    index.fresh().unwrap();
    let long = "token refresh under lock of the ledger schema ".repeat(3) + &words(200);
    for text in ["token refresh lock", "SpecIndex schema", long.as_str()] {
        assert_eq!(answers(&index, text), answers(&fresh.open(), text), "{text}");
    }
}

#[test]
fn equal_scores_are_in_the_order_of_paths() {
    let files: Vec<String> = (0..30).map(|i| format!("specs/same/{i:02}/x.md")).collect();
    let project = Project::new(&[]);
    for file in files.iter().rev() {
        project.write(file, "# Same\n\nidentical words\n");
    }
    let hits = found(&project.open(), "identical");
    assert_eq!(hits, files[..10]);
}

#[test]
fn a_long_task_keeps_its_telling_words() {
    let project = library();
    let index = project.open();
    let text = format!("{} invoices {}", words(300), words(300));
    assert_eq!(found(&index, &text), ["specs/billing.md"]);
}

/// Words that no spec has.
fn words(count: usize) -> String {
    (0..count).map(|i| format!("filler{i} ")).collect()
}

/// A spec that others refer to comes before its like; those that are gone do not count, whatever the index still holds.
#[test]
fn references_count_as_long_as_they_are_there() {
    let twin = "# Widgets\n\nA widget is cached.\n";
    let project = Project::new(&[("specs/a.md", twin), ("specs/b.md", twin)]);
    for n in 0..5 {
        project.write(&format!("specs/other{n}.md"), "# Other\n\nSee [b](b.md).\n");
    }
    let index = project.open();
    let cited = |hit: &SpecHit| hit.fields.iter().any(|(name, _)| name == "cited");
    let hits = find(&index, "cache the widget");
    assert_eq!((hits[0].spec.path.as_str(), cited(&hits[0]), cited(&hits[1])), ("specs/b.md", true, false));
    for n in 0..5 {
        std::fs::remove_file(project.path(&format!("specs/other{n}.md"))).unwrap();
    }
    index.fresh().unwrap();
    let hits = find(&index, "cache the widget");
    assert_eq!((hits[0].spec.path.as_str(), cited(&hits[1])), ("specs/a.md", false));
}
