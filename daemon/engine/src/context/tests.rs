//! The room over a real spec index, with assemblers that the tests play.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pu_protocol::context::{ContextReport, TaskDescription};

use super::chain::{self, Answered, Assembler, Outcome};
use super::config::AssemblerConfig;
use super::engine::{asked_for, assembled, settle_names};
use super::reader::IndexReader;
use super::task;
use super::texts::SpecTexts;
use super::{Assembled, ContextConfig, ContextError, ProjectFacts, ProjectSpecs};
use crate::plugins::{Assembly, Attr, FieldWeight, Listing, Pick, Query, SpecReader, Task};
use crate::specs::{SourceConfig, SpecIndex, tokens};

const SPECS: [(&str, &str); 4] = [
    (
        "specs/daemon.md",
        "---\nid: DAEMON\ntags: [daemon]\n---\n# Daemon\n\n## Start-up\n\nOne daemon holds the lock file.\n\n## DAEMON-006 Recovery\n\nA crashed daemon adopts its shims.\n",
    ),
    ("specs/billing.md", "---\nid: BILLING\ntags: [money]\n---\n# Ledger\n\nEvery invoice balances to zero cents.\n"),
    ("specs/copy.md", "# Ledger\n\nEvery invoice balances to  zero cents.\n"),
    (
        "docs/login.md",
        "---\napplies: [src/login/**]\n---\n# Login\n\nTokens expire in an hour. A session token is rotated.\n",
    ),
];

struct World {
    folder: tempfile::TempDir,
    project: ProjectSpecs,
}

impl World {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        for (path, text) in SPECS {
            write(&root.join(path), text);
        }
        let long: String = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon", "Zeta"]
            .iter()
            .map(|name| format!("## {name}\n\n{}\n\n", format!("{name} telescope prose stands here. ").repeat(150)))
            .collect();
        write(&root.join("specs/long.md"), &format!("# Long\n\n{long}"));
        let index = SpecIndex::open(&root, &folder.path().join("index"), SourceConfig::default()).unwrap();
        index.fresh().unwrap();
        let project = ProjectSpecs {
            plugins: root.join(".pu/plugins"),
            root,
            index: Arc::new(index),
            config: toml::from_str(config).unwrap(),
        };
        Self { folder, project }
    }

    fn texts(&self) -> Arc<SpecTexts> {
        Arc::new(SpecTexts::new(Arc::clone(&self.project.index)))
    }

    fn reader(&self) -> IndexReader {
        IndexReader::new(self.texts())
    }

    /// What `ContextEngine::assemble` does, with one assembler that is not a plugin.
    fn assemble(&self, description: &TaskDescription, picks: Picks) -> Result<Assembled, ContextError> {
        self.project.index.fresh().unwrap();
        let texts = self.texts();
        let asked = asked_for(texts.catalog(), &description.specs)?;
        let task = task::prepare(description, &ProjectFacts::default(), &self.project.root, |_| false);
        let reader: Arc<dyn SpecReader> = Arc::new(IndexReader::new(Arc::clone(&texts)));
        let played = [Played { config: AssemblerConfig::plain("played"), reader, picks }];
        let mut chained = chain::run(&played, &task, Duration::from_secs(5), 1)?;
        settle_names(texts.catalog(), &mut chained);
        Ok(assembled(&self.project, description, &texts, &task, asked, chained, None))
    }
}

type Picks = fn(&Task, &dyn SpecReader) -> Vec<Pick>;

struct Played {
    config: AssemblerConfig,
    reader: Arc<dyn SpecReader>,
    picks: Picks,
}

impl Assembler for Played {
    fn config(&self) -> &AssemblerConfig {
        &self.config
    }

    fn reads_labels(&self) -> bool {
        false
    }

    fn ask(&self, task: &Task, _: &str, _: Duration, _: Instant) -> Outcome {
        let assembly = Assembly { picks: (self.picks)(task, &*self.reader), ..Assembly::default() };
        Outcome { answer: Ok(Answered { assembly, dropped: Vec::new() }), ..Outcome::default() }
    }
}

/// Every hit, with the index's own score.
fn search(task: &Task, reader: &dyn SpecReader) -> Vec<Pick> {
    let query = Query { text: task.prompt.clone(), limit: 20, ..Query::default() };
    let hits = reader.search(&query).unwrap();
    hits.into_iter().map(|hit| pick(&hit.spec.id, hit.section.as_deref(), hit.score)).collect()
}

fn pick(spec: &str, section: Option<&str>, score: f32) -> Pick {
    Pick { spec: spec.into(), section: section.map(Into::into), score, reason: "played".into(), ..Pick::default() }
}

fn rule(spec: &str) -> Pick {
    Pick { extra: vec![Attr { key: "rule".into(), value: "always".into() }], ..pick(spec, None, 1.0) }
}

fn describe(prompt: &str) -> TaskDescription {
    TaskDescription { prompt: prompt.into(), ..TaskDescription::default() }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
}

#[test]
fn the_right_spec_is_in_and_two_runs_are_equal_to_the_byte() {
    let world = World::new("min_score = 0.05");
    let task = describe("the session token of the login expires too early");
    let once = world.assemble(&task, search).unwrap();
    assert_eq!(once.report.picks[0].path, "docs/login.md", "{:#?}", once.report);
    let text = once.text.clone().unwrap();
    assert!(text.contains("A session token is rotated."));
    assert!(!text.contains(world.folder.path().to_str().unwrap()));
    assert_eq!(once.report.tokens, tokens::count(&text));
    assert_eq!(world.assemble(&task, search).unwrap(), once);
}

#[test]
fn front_matter_stays_out_and_a_copy_of_a_text_too() {
    let world = World::new("min_score = 0.05\nnear_best = 0");
    let picks: Picks = |_, _| vec![pick("BILLING", None, 0.9), pick("specs/copy.md", None, 0.8)];
    let out = world.assemble(&describe("invoice"), picks).unwrap();
    assert!(!out.text.unwrap().contains("tags:"));
    let candidates = out.report.candidates.unwrap();
    let copy = &candidates[1];
    assert_eq!(copy.left_out.as_deref(), Some("same text as specs/billing.md"));
    assert!(!copy.included && copy.pick.spec == "specs/copy");
}

#[test]
fn a_long_spec_is_quoted_by_the_section_that_the_task_is_about() {
    let world = World::new("budget = 2000\nmin_score = 0.05");
    let picks: Picks = |_, _| vec![pick("specs/long", None, 0.9)];
    let out = world.assemble(&describe("gamma"), picks).unwrap();
    let first = &out.report.picks[0];
    assert!(first.section.as_deref().is_some_and(|s| s.contains("gamma")), "{first:?}");
    let text = out.text.unwrap();
    assert!(text.contains("section=\"Gamma\"") && text.contains("Outline of the whole file: Alpha · Beta"), "{text}");
    assert!(out.report.tokens <= 2000);
}

#[test]
fn a_section_that_no_spec_has_is_dropped_and_reported() {
    let world = World::new("");
    let picks: Picks = |_, _| vec![pick("DAEMON", Some("no-such-section"), 0.9), pick("BILLING", None, 0.9)];
    let report = world.assemble(&describe("x"), picks).unwrap().report;
    assert_eq!(report.candidates.as_ref().unwrap().len(), 1);
    assert_eq!((report.assemblers[0].picks, report.assemblers[0].dropped.len()), (1, 1));
    assert!(report.assemblers[0].dropped[0].contains("no-such-section"));
}

#[test]
fn what_the_user_names_is_in_and_an_unknown_name_is_an_error() {
    let world = World::new("");
    let none: Picks = |_, _| Vec::new();
    for name in ["DAEMON-006", "DAEMON", "specs/daemon.md"] {
        let task = TaskDescription { specs: vec![name.into()], ..describe("anything") };
        let report = world.assemble(&task, none).unwrap().report;
        let pick = &report.picks[0];
        assert_eq!((pick.path.as_str(), pick.assembler.as_str(), pick.score), ("specs/daemon.md", "user", 1.0));
    }
    let task = TaskDescription { specs: vec!["DAEMN".into()], ..describe("anything") };
    let body = world.assemble(&task, none).unwrap_err().body();
    assert_eq!(body.code, pu_protocol::ErrorCode::SpecNotFound);
    assert!(body.hint.unwrap().contains("DAEMON"));
    let task = TaskDescription { specs: vec!["DAEMON".into()], budget: Some(20), ..describe("anything") };
    let report = world.assemble(&task, none).unwrap().report;
    assert!(report.warnings[0].contains("specs/daemon.md was asked for and is not in: over budget"), "{report:?}");
}

#[test]
fn a_task_that_no_spec_is_about_gets_none() {
    let world = World::new("");
    let out = world.assemble(&describe("zzz"), |_, _| vec![pick("DAEMON", None, 0.01)]).unwrap();
    assert_eq!((out.text, out.report.picks.len(), out.report.tokens), (None, 0, 0));
    assert_eq!(
        out.report.candidates.unwrap()[0].left_out.as_deref(),
        Some("score 0.01: no spec is about the task, since none reaches 0.30")
    );
}

#[test]
fn a_hard_rule_is_in_beside_weak_picks_and_what_the_agent_loads_is_not() {
    let world = World::new("near_best = 0.5");
    write(&world.project.root.join("AGENTS.md"), "# House rules\n\nPlain words.\n");
    let picks: Picks = |_, _| vec![rule("AGENTS"), pick("BILLING", None, 0.3)];
    let paths = |report: &ContextReport| report.picks.iter().map(|pick| pick.path.clone()).collect::<Vec<_>>();
    let report = world.assemble(&describe("x"), picks).unwrap().report;
    assert_eq!(paths(&report), ["AGENTS.md", "specs/billing.md"], "{report:#?}");
    let rules: Vec<Option<&str>> = report.picks.iter().map(|pick| pick.rule.as_deref()).collect();
    assert_eq!(rules, [Some("always"), None]);

    let codex = TaskDescription { agent: Some("codex".into()), ..describe("x") };
    let report = world.assemble(&codex, picks).unwrap().report;
    assert_eq!(paths(&report), ["specs/billing.md"]);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let candidates = report.candidates.unwrap();
    assert_eq!(candidates[0].left_out.as_deref(), Some("the agent loads it by itself"));
    let asked = TaskDescription { specs: vec!["AGENTS.md".into()], ..codex };
    let report = world.assemble(&asked, picks).unwrap().report;
    assert_eq!(paths(&report), ["AGENTS.md", "specs/billing.md"], "who asks for it gets it");
}

#[test]
fn a_hard_rule_that_has_no_room_is_told() {
    let world = World::new("budget = 1000");
    for (name, words) in [("short", 300), ("longer", 350)] {
        let text = format!("# The {name} one\n\n{}\n", "word ".repeat(words));
        write(&world.project.root.join(format!("docs/{name}.md")), &text);
    }
    let picks: Picks = |_, _| vec![rule("docs/longer"), rule("docs/short")];
    let report = world.assemble(&describe("x"), picks).unwrap().report;
    let told = "docs/longer.md is a rule that holds for the task and is not in: \
                over the half of the budget that hard rules may take";
    assert_eq!(report.picks.iter().map(|pick| pick.path.as_str()).collect::<Vec<_>>(), ["docs/short.md"]);
    assert_eq!(report.warnings, [told]);
}

#[test]
fn an_edit_is_in_the_next_context() {
    let world = World::new("min_score = 0.05");
    let picks: Picks = |_, _| vec![pick("BILLING", None, 0.9)];
    let before = world.assemble(&describe("x"), picks).unwrap();
    write(&world.project.root.join("specs/billing.md"), "---\nid: BILLING\n---\n# Ledger\n\nRounding is half even.\n");
    let after = world.assemble(&describe("x"), picks).unwrap();
    assert!(after.text.unwrap().contains("half even"));
    assert_ne!(before.report.revision, after.report.revision);
}

#[test]
fn one_assembly_sees_one_moment_of_the_index() {
    let world = World::new("");
    let before = world.reader();
    let text = "---\nid: BILLING\ntags: [money, new]\n---\n# Ledger\n\nHalf even.\n\n## Later\n\nA quaternion.\n";
    write(&world.project.root.join("specs/billing.md"), text);
    world.project.index.fresh().unwrap();
    let query = Query { text: "quaternion".into(), limit: 3, ..Query::default() };
    assert!(before.search(&query).unwrap().is_empty(), "no section that the catalog does not have");
    assert_eq!(world.reader().search(&query).unwrap()[0].section.as_deref(), Some("later"));
    // A text is that of now, and without front matter in any case.
    assert_eq!(before.read("BILLING", None).unwrap(), "# Ledger\n\nHalf even.\n\n## Later\n\nA quaternion.\n");
}

#[test]
fn the_reader_lists_pages_and_filters() {
    let world = World::new("");
    let reader = world.reader();
    let list = |cursor: Option<&str>, limit, filter: &[(&str, &str)]| {
        let filter = filter.iter().map(|(k, v)| Attr { key: (*k).into(), value: (*v).into() }).collect();
        reader.list(&Listing { cursor: cursor.map(Into::into), limit, filter })
    };
    let first = list(None, 2, &[]).unwrap();
    assert_eq!(first.specs.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(), ["docs/login.md", "specs/billing.md"]);
    let mut all = first.specs;
    let mut next = first.next;
    while let Some(cursor) = next {
        let page = list(Some(&cursor), 2, &[]).unwrap();
        all.extend(page.specs);
        next = page.next;
    }
    assert_eq!(all.len(), 5);
    assert_eq!(list(None, 9, &[("tag", "Money")]).unwrap().specs[0].id, "BILLING");
    assert_eq!(list(None, 9, &[("path-prefix", "docs/")]).unwrap().specs.len(), 1);
    assert_eq!(list(None, 9, &[("colour", "red")]).unwrap_err().code, "unknown_filter");
    for (attribute, expected) in [
        ("defines=DAEMON-006", 1),
        ("defines", 2),
        ("defines=NONE\nfront-matter.applies=src/login/**", 1),
        ("defines\nfront-matter.applies", 3),
        ("front-matter.applies=src", 0),
        ("applies", 0),
    ] {
        assert_eq!(list(None, 9, &[("attribute", attribute)]).unwrap().specs.len(), expected, "{attribute}");
    }
}

#[test]
fn the_reader_tells_what_kind_of_rule_a_file_is() {
    let world = World::new("");
    write(&world.project.root.join("AGENTS.md"), "# House rules\n\nPlain words.\n");
    world.project.index.fresh().unwrap();
    let reader = world.reader();
    for (attribute, expected) in [
        ("rule.mode=always", 1),
        ("rule.mode", 1),
        ("native=codex", 1),
        ("rule.glob\nrule.scope", 0),
        ("rule.mode=globs\nrule.kind=agents", 1),
    ] {
        let filter = vec![Attr { key: "attribute".into(), value: attribute.into() }];
        let page = reader.list(&Listing { cursor: None, limit: 9, filter }).unwrap();
        assert_eq!(page.specs.len(), expected, "{attribute}");
    }
    let extra: Vec<(String, String)> =
        reader.get("AGENTS").unwrap().extra.into_iter().map(|attr| (attr.key, attr.value)).collect();
    let has = |key: &str, value: &str| extra.contains(&(key.to_owned(), value.to_owned()));
    assert!(has("rule.kind", "agents") && has("rule.mode", "always") && has("native", "opencode"), "{extra:?}");
}

#[test]
fn the_reader_reads_sections_ranges_and_says_what_is_unknown() {
    let world = World::new("");
    let reader = world.reader();
    let hits = reader.search(&Query { text: "adopts shims".into(), limit: 3, ..Query::default() }).unwrap();
    assert_eq!(hits[0].spec.id, "DAEMON");
    let section = hits[0].section.clone().unwrap();
    assert!(reader.read("DAEMON", Some(&section)).unwrap().starts_with("## DAEMON-006 Recovery"));
    assert!(reader.read("DAEMON", None).unwrap().starts_with("# Daemon"));
    let chunk = reader.read_range("DAEMON", 2, 6).unwrap();
    assert_eq!((chunk.text.as_str(), chunk.offset, chunk.next), ("Daemon", 2, Some(8)));
    assert_eq!(reader.read_range("DAEMON", 1 << 40, 6).unwrap().next, None);
    assert_eq!(reader.get("NONE").unwrap_err().code, "unknown_spec");
    assert_eq!(reader.read("DAEMON", Some("none")).unwrap_err().code, "unknown_section");
    for (field, code) in [("ids", None), ("code", None), ("colour", Some("unknown_field"))] {
        let fields = vec![FieldWeight { field: field.into(), weight: 1.0 }];
        let found = reader.search(&Query { text: "recovery".into(), fields, limit: 3, extra: Vec::new() });
        assert_eq!(found.err().map(|e| e.code).as_deref(), code, "{field}");
    }
}

#[test]
fn the_configuration_s_budget_by_agent_counts() {
    let world = World::new("budget = 8000\n[budgets]\nclaude = 1200");
    let picks: Picks = |_, _| vec![pick("specs/long", None, 0.9)];
    let task = TaskDescription { agent: Some("claude".into()), ..describe("gamma") };
    let report = world.assemble(&task, picks).unwrap().report;
    assert_eq!(report.budget, 1200);
    assert!(report.tokens <= 1200 && report.tokens > 300);
    assert_eq!(ContextConfig::default().budget, 8000);
}
