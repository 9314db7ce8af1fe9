//! What became of each rule file: in, or why it is not. A rule that is silent is what people complain about.
//!
//! Pure. It judges no rule: it tells what the assemblers, the threshold and the budget have decided, and what in the rule
//! and the task kept it from being proposed at all.

use pu_protocol::context::{RuleOutcome, RuleReport};

use super::merge::Merged;
use crate::plugins::{Task, one_line};
use crate::specs::{Rule, RuleFault, RuleMode, SpecCatalog, SpecMeta};

/// More rules than this are not told of one by one.
const RULES_MAX: usize = 200;
/// As many files and patterns as are named.
const NAMED: usize = 3;
const DETAIL_MAX: usize = 300;

/// What became of the rules, by path, and how many are not told of.
pub(super) fn outcomes(
    catalog: &SpecCatalog,
    task: &Task,
    candidates: &[Merged],
    left_out: &[Option<String>],
) -> (Vec<RuleReport>, usize) {
    let mut rules = catalog.rules();
    let files = Files::of(task);
    let told = rules.by_ref().take(RULES_MAX).map(|(spec, rule)| {
        let proposed = candidates.iter().zip(left_out).filter(|(candidate, _)| candidate.spec == spec.id);
        let (outcome, detail) = proposed_outcome(proposed).unwrap_or_else(|| unproposed(spec, rule, task, &files));
        RuleReport {
            spec: spec.id.clone(),
            path: spec.path.clone(),
            kind: rule.kind.name().to_owned(),
            mode: rule.mode.name().to_owned(),
            outcome,
            detail: one_line(&detail, DETAIL_MAX),
        }
    });
    let told = told.collect();
    (told, rules.count())
}

type Told = (RuleOutcome, String);

/// What became of a rule that was proposed: as a whole, by a section, as a rule or by its words. One of them is enough.
fn proposed_outcome<'c>(proposed: impl Iterator<Item = (&'c Merged, &'c Option<String>)>) -> Option<Told> {
    let mut best: Option<Told> = None;
    for (candidate, left_out) in proposed {
        match left_out {
            None => return Some((RuleOutcome::Included, candidate.why.reason())),
            Some(_) if best.is_some() => {}
            Some(why) if candidate.native => best = Some((RuleOutcome::Native, why.clone())),
            Some(why) => best = Some((RuleOutcome::LeftOut, why.clone())),
        }
    }
    best
}

/// Why nobody proposed it.
fn unproposed(spec: &SpecMeta, rule: &Rule, task: &Task, files: &Files<'_>) -> Told {
    if spec.native.iter().any(|agent| *agent == task.agent) {
        return (RuleOutcome::Native, format!("{} loads it by itself", task.agent));
    }
    if let Some(fault) = fatal(rule) {
        return (RuleOutcome::Broken, fault);
    }
    match rule.mode {
        RuleMode::Always => not_proposed("it always applies"),
        RuleMode::Globs => by_files(rule, files),
        RuleMode::Manual => (
            RuleOutcome::NotNamed,
            "it is read only where the task names it: by --spec, by its path, or as #name or @name".to_owned(),
        ),
        RuleMode::Model => (
            RuleOutcome::NotRanked,
            "it is read where its description fits the task, and no assembler found that it does".to_owned(),
        ),
    }
}

/// The mistake that keeps a rule from ever firing, if there is one.
fn fatal(rule: &Rule) -> Option<String> {
    let missing = rule.faults.iter().find(|fault| matches!(fault, RuleFault::Missing { .. }));
    if let Some(missing) = missing {
        return Some(missing.to_string());
    }
    if rule.mode != RuleMode::Globs || rule.patterns().including().next().is_some() {
        return None;
    }
    let invalid = rule.faults.iter().find(|fault| matches!(fault, RuleFault::Glob { .. }));
    Some(invalid.map_or_else(|| "it has no pattern that lets it fire".to_owned(), ToString::to_string))
}

fn by_files(rule: &Rule, files: &Files<'_>) -> Told {
    let patterns = rule.patterns();
    if let Some(file) = files.all.iter().find(|file| patterns.fit(file)) {
        return not_proposed(&format!("it is for {file}"));
    }
    let wanted = some_of(patterns.including());
    if files.all.is_empty() {
        let detail = format!("the task names no file and none is changed: it is for {wanted}");
        return (RuleOutcome::NoFileFits, detail);
    }
    let seen = some_of(files.all.iter().copied());
    let (named, changed) = (files.mentioned, files.all.len() - files.mentioned);
    let detail = format!(
        "of the files that the task names ({named}) or that are changed ({changed}) none fits {wanted}: {seen}"
    );
    (RuleOutcome::NoFileFits, detail)
}

fn not_proposed(holds: &str) -> Told {
    let detail =
        format!("{holds}, and no assembler proposed it: `tags`, which does, is switched off, failed or is cut short");
    (RuleOutcome::NotProposed, detail)
}

/// The first few, and how many there are besides.
fn some_of<'s>(mut names: impl Iterator<Item = &'s str>) -> String {
    let mut shown: Vec<String> = names.by_ref().take(NAMED).map(str::to_owned).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// The files that a task has to do with.
struct Files<'t> {
    /// Each once, mentioned ones first.
    all: Vec<&'t str>,
    mentioned: usize,
}

impl<'t> Files<'t> {
    fn of(task: &'t Task) -> Self {
        let mut all: Vec<&str> = task.mentioned_files.iter().map(String::as_str).collect();
        let mentioned = all.len();
        let changed = task.changed_files.iter().map(|file| file.path.as_str());
        all.extend(changed.filter(|path| !task.mentioned_files.iter().any(|known| known == path)));
        Self { all, mentioned }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hard_rule::HardRule;
    use super::super::merge::{Proposer, Why};
    use super::*;
    use crate::plugins::ChangedFile;
    use crate::specs::{SourceConfig, SpecIndex};
    use std::sync::Arc;

    const RULES: [(&str, &str); 6] = [
        ("AGENTS.md", "# Agents\n\nText.\n"),
        (".cursor/rules/api.mdc", "---\nglobs: src/api/**,*.sql\n---\nText.\n"),
        (".cursor/rules/hand.mdc", "Text.\n"),
        (".cursor/rules/words.mdc", "---\ndescription: About forms\n---\nText.\n"),
        (".kiro/steering/broken.md", "---\ninclusion: fileMatch\n---\nText.\n"),
        (".clinerules/open.md", "---\npaths: src/{a\n---\nText.\n"),
    ];

    fn catalog() -> (tempfile::TempDir, Arc<SpecCatalog>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        for (path, text) in RULES {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            pu_record::atomic::write_atomic(&path, text.as_bytes(), 0o644).unwrap();
        }
        let index = SpecIndex::open(&root, &folder.path().join("index"), SourceConfig::default()).unwrap();
        index.fresh().unwrap();
        let catalog = index.catalog();
        (folder, catalog)
    }

    fn candidate(spec: &str, path: &str, rule: Option<HardRule>, native: bool) -> Merged {
        let proposers = vec![Proposer { assembler: "tags".into(), score: 1.0, reason: "it holds".into() }];
        let why = Why { score: 1.0, proposers, rule, ..Why::default() };
        Merged { spec: spec.into(), path: path.into(), section: None, why, explicit: false, native }
    }

    fn told(task: &Task, candidates: &[Merged], left_out: &[Option<String>]) -> Vec<(String, RuleOutcome, String)> {
        let (_folder, catalog) = catalog();
        let (rules, more) = outcomes(&catalog, task, candidates, left_out);
        assert_eq!(more, 0);
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        rules.into_iter().map(|rule| (name(&rule.path), rule.outcome, rule.detail)).collect()
    }

    #[track_caller]
    fn has(told: &[(String, RuleOutcome, String)], name: &str, outcome: RuleOutcome, part: &str) {
        let (_, is, detail) = told.iter().find(|(known, ..)| known == name).unwrap();
        assert!(*is == outcome && detail.contains(part), "{name}: {is:?}: {detail}");
    }

    #[test]
    fn each_rule_that_did_not_fire_says_why() {
        let all = told(&Task::default(), &[], &[]);
        has(&all, "AGENTS.md", RuleOutcome::NotProposed, "it always applies");
        has(&all, "api.mdc", RuleOutcome::NoFileFits, "names no file and none is changed: it is for src/api/**, *.sql");
        has(&all, "hand.mdc", RuleOutcome::NotNamed, "--spec");
        has(&all, "words.mdc", RuleOutcome::NotRanked, "description");
        has(&all, "broken.md", RuleOutcome::Broken, "without `fileMatchPattern`");
        has(&all, "open.md", RuleOutcome::Broken, "`src/{a` is no pattern");

        let changed = |path: &str| ChangedFile { path: path.into(), status: "modified".into() };
        let task = Task {
            agent: "codex".into(),
            mentioned_files: vec!["a.md".into()],
            changed_files: ["a.md", "b.md", "c.md", "d.md"].map(changed).to_vec(),
            ..Task::default()
        };
        let all = told(&task, &[], &[]);
        has(&all, "AGENTS.md", RuleOutcome::Native, "codex loads it");
        let part = "names (1) or that are changed (3) none fits src/api/**, *.sql: a.md, b.md, c.md, and 1 more";
        has(&all, "api.mdc", RuleOutcome::NoFileFits, part);
        let task = Task { mentioned_files: vec!["src/api/a.rs".into()], ..Task::default() };
        has(&told(&task, &[], &[]), "api.mdc", RuleOutcome::NotProposed, "it is for src/api/a.rs");
    }

    #[test]
    fn one_that_was_proposed_says_what_became_of_it() {
        let (agents, words) = ("AGENTS", ".cursor/rules/words");
        let candidates = [
            candidate(agents, "AGENTS.md", Some(HardRule::Always), false),
            candidate(words, ".cursor/rules/words.mdc", None, false),
        ];
        let all = told(&Task::default(), &candidates, &[None, Some("score 0.05 under 0.10".into())]);
        has(&all, "AGENTS.md", RuleOutcome::Included, "it holds");
        has(&all, "words.mdc", RuleOutcome::LeftOut, "under 0.10");
        let native = [candidate(agents, "AGENTS.md", Some(HardRule::Always), true)];
        let all = told(&Task::default(), &native, &[Some("the agent loads it by itself".into())]);
        has(&all, "AGENTS.md", RuleOutcome::Native, "by itself");
        let twice = [native[0].clone(), candidate(agents, "AGENTS.md", None, false)];
        let all = told(&Task::default(), &twice, &[Some("over budget".into()), None]);
        has(&all, "AGENTS.md", RuleOutcome::Included, "it holds");
    }
}
