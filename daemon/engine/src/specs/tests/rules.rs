//! Rule files of each kind, with mistakes in them: when they are read, and what is said of the mistakes.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Project, SourceConfig, found, paths, write};
use crate::specs::{Rule, RuleFault, RuleKind, RuleMode, SpecIndex, SpecMeta};

fn spec(index: &SpecIndex, path: &str) -> Arc<SpecMeta> {
    index.catalog().find(path).cloned().unwrap_or_else(|| panic!("{path} not in {:?}", paths(index)))
}

/// The rule that a project with this one file has.
fn rule(path: &str, text: &str) -> Rule {
    let project = Project::new(&[(path, text)]);
    let index = project.open();
    let spec = spec(&index, path);
    let rule = spec.rule.clone().unwrap();
    let warnings: Vec<String> = rule.faults.iter().map(ToString::to_string).collect();
    assert_eq!(spec.warnings, warnings, "every fault of {path} is a warning");
    rule
}

#[test]
fn cursor() {
    let rule = rule(".cursor/rules/web/forms.mdc", include_str!("fixtures/cursor.mdc"));
    assert_eq!((rule.kind, rule.mode), (RuleKind::Cursor, RuleMode::Globs));
    assert_eq!(rule.globs, ["src/web/**/*.ts", "src/web/**/*.{tsx,css}"]);
    assert_eq!(rule.description.as_deref(), Some("Forms: what every form has"));
    assert_eq!(rule.faults[0], RuleFault::Line { line: 5 });
    assert!(matches!(&rule.faults[1], RuleFault::Glob { glob, .. } if glob == "src/[broken"), "{:?}", rule.faults);
    assert_eq!(rule.faults.len(), 2);
}

#[test]
fn copilot() {
    let rule = rule(".github/instructions/py.instructions.md", include_str!("fixtures/copilot.instructions.md"));
    assert_eq!((rule.kind, rule.mode), (RuleKind::Copilot, RuleMode::Globs));
    assert_eq!(rule.globs, ["**/*.py", "**/tests/**"]);
    assert_eq!(rule.description.as_deref(), Some("Python style"));
    assert!(rule.faults.is_empty(), "stars need no quotes: {:?}", rule.faults);
}

#[test]
fn kiro() {
    let rule = rule(".kiro/steering/components.md", include_str!("fixtures/kiro.md"));
    assert_eq!((rule.kind, rule.mode, rule.globs.len()), (RuleKind::Kiro, RuleMode::Globs, 0));
    assert_eq!(rule.faults, [RuleFault::Missing { key: "fileMatchPattern".into() }]);
}

#[test]
fn windsurf() {
    let rule = rule(".windsurf/rules/sql.md", include_str!("fixtures/windsurf.md"));
    assert_eq!((rule.kind, rule.mode), (RuleKind::Windsurf, RuleMode::Globs));
    assert_eq!((rule.globs.as_slice(), rule.description), (&["*.sql".to_owned()][..], None));
    assert_eq!(rule.faults, [RuleFault::Value { key: "trigger".into(), value: "globs".into() }]);
}

#[test]
fn cline() {
    let rule = rule(".clinerules/api.md", include_str!("fixtures/cline.md"));
    assert_eq!((rule.kind, rule.mode), (RuleKind::Cline, RuleMode::Globs));
    assert_eq!(rule.globs, ["src/api/**"]);
    assert!(matches!(rule.faults.as_slice(), [RuleFault::Glob { glob, .. }] if glob == "src/{unclosed"));
}

#[test]
fn claude() {
    let rule_file = rule(".claude/rules/billing.md", include_str!("fixtures/claude-rule.md"));
    assert_eq!((rule_file.kind, rule_file.mode), (RuleKind::Claude, RuleMode::Globs));
    assert_eq!(rule_file.globs, ["src/billing/**/*.rs", "ledger/**"]);
    assert!(rule_file.faults.is_empty(), "{:?}", rule_file.faults);
    let memory = rule("CLAUDE.md", include_str!("fixtures/claude.md"));
    assert_eq!((memory.kind, memory.mode), (RuleKind::Claude, RuleMode::Always));
    assert_eq!(memory.imports, ["AGENTS.md", "docs/style.md"]);
    assert!(memory.faults.is_empty(), "a rule across the page is none of a memory file's: {:?}", memory.faults);
}

#[test]
fn skill() {
    let rule = rule(".claude/skills/release/SKILL.md", include_str!("fixtures/skill.md"));
    assert_eq!((rule.kind, rule.mode), (RuleKind::Skill, RuleMode::Model));
    assert_eq!(rule.description.as_deref(), Some("Tag, build, publish."));
    let value = RuleFault::Value { key: "disable-model-invocation".into(), value: "maybe".into() };
    assert_eq!(rule.faults, [value], "a text serves where there is no description");
}

/// A project with a rule file at each place, and files beside them that are none.
fn everywhere() -> Project {
    Project::new(&[
        ("AGENTS.md", "# Agents\n"),
        ("CLAUDE.md", "# Claude\n"),
        (".claude/CLAUDE.md", "# Claude too\n"),
        (".claude/rules/deep/a.md", "# Rule\n"),
        (".claude/skills/release/SKILL.md", "---\ndescription: d\n---\n# Skill\n"),
        (".claude/skills/release/notes.md", "# no\n"),
        (".claude/commands/c.md", "# no\n"),
        (".clinerules/a.md", "# Cline\n"),
        (".cursor/rules/deep/a.mdc", "# Cursor\n"),
        (".cursor/rules/b.md", "# Cursor too\n"),
        (".clinerules/workflows/w.md", "# no\n"),
        (".github/instructions/b.md", "# no, and reported\n"),
        (".cursorrules", "# Old Cursor\n"),
        (".github/copilot-instructions.md", "# Copilot\n"),
        (".github/instructions/deep/a.instructions.md", "# Copilot\n"),
        (".github/PULL_REQUEST_TEMPLATE.md", "# no\n"),
        (".kiro/steering/a.md", "# Kiro\n"),
        (".windsurf/rules/a.md", "# Windsurf\n"),
        (".windsurfrules", "# Old Windsurf\n"),
        ("openspec/changes/x/proposal.md", "# Proposal\n"),
        ("src/api/AGENTS.md", "# API\n"),
        ("src/README.md", "# no\n"),
        (".gitignore", "build/\n"),
        ("build/AGENTS.md", "# no: ignored\n"),
        ("node_modules/x/AGENTS.md", "# no\n"),
        (".pu/worktrees/w/AGENTS.md", "# no\n"),
        ("trees/w/.git", "gitdir: elsewhere\n"),
        ("trees/w/AGENTS.md", "# no: a worktree\n"),
    ])
}

#[test]
fn every_place_is_read_without_configuration() {
    let project = everywhere();
    let index = project.open();
    let expected = [
        ".claude/CLAUDE.md",
        ".claude/rules/deep/a.md",
        ".claude/skills/release/SKILL.md",
        ".clinerules/a.md",
        ".cursor/rules/b.md",
        ".cursor/rules/deep/a.mdc",
        ".cursorrules",
        ".github/copilot-instructions.md",
        ".github/instructions/deep/a.instructions.md",
        ".kiro/steering/a.md",
        ".windsurf/rules/a.md",
        ".windsurfrules",
        "AGENTS.md",
        "CLAUDE.md",
        "openspec/changes/x/proposal.md",
        "src/api/AGENTS.md",
    ];
    assert_eq!(paths(&index), expected);
    let skipped: Vec<String> = index.skipped().iter().map(|file| format!("{}: {}", file.path, file.reason)).collect();
    assert_eq!(skipped, [".github/instructions/b.md: Copilot reads only `.instructions.md` files as instructions"]);
    let nested = spec(&index, "src/api/AGENTS.md");
    let expected =
        [("rule.kind", "agents"), ("rule.mode", "globs"), ("rule.glob", "src/api/**"), ("rule.scope", "src/api")];
    assert_eq!(nested.facts().collect::<Vec<_>>(), expected);
    assert!(spec(&index, "CLAUDE.md").facts().any(|fact| fact == ("native", "claude")));
}

#[test]
fn target_is_left_out_in_the_root_and_where_it_is_a_cache() {
    let project = Project::new(&[
        ("target/AGENTS.md", "# no\n"),
        ("src/target/AGENTS.md", "# Targets\n"),
        ("crate/target/AGENTS.md", "# no\n"),
        ("crate/target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
        ("docs/target/a.md", "# A\n"),
    ]);
    assert_eq!(paths(&project.open()), ["docs/target/a.md", "src/target/AGENTS.md"]);
}

#[test]
fn rule_files_can_be_switched_off() {
    let project = everywhere();
    project.write("docs/AGENTS.md", "# Docs\n");
    let index = project.open_with(SourceConfig { rules: false, ..SourceConfig::default() });
    assert_eq!(paths(&index), ["openspec/changes/x/proposal.md"]);
    assert!(index.skipped().is_empty(), "{:?}", index.skipped());
}

#[test]
fn a_folder_around_the_rules_can_be_a_source_too() {
    let files = [".cursor/rules/a.mdc", "AGENTS.md", "src/README.md", "src/api/AGENTS.md"];
    let project = Project::new(&files.map(|path| (path, "# Text\n")));
    let index = project.open_with(SourceConfig { folders: vec![".".into()], ..SourceConfig::default() });
    assert_eq!(paths(&index), files);
    assert!(index.skipped().is_empty(), "{:?}", index.skipped());
}

#[test]
fn one_file_for_several_agents_is_one_spec() {
    let project = Project::new(&[("AGENTS.md", "# Agents\n")]);
    symlink("AGENTS.md", project.path("CLAUDE.md")).unwrap();
    fs::create_dir(project.path(".github")).unwrap();
    symlink("../AGENTS.md", project.path(".github/copilot-instructions.md")).unwrap();
    let outside = project.dir.path().join("rules");
    write(&outside.join("a.mdc"), b"# Outside");
    fs::create_dir(project.path(".cursor")).unwrap();
    symlink(&outside, project.path(".cursor/rules")).unwrap();
    let index = project.open();
    assert_eq!(paths(&index), ["AGENTS.md"]);
    assert!(spec(&index, "AGENTS.md").native.contains(&"claude"), "by its other name");
    let skipped = index.skipped();
    assert!(skipped.len() == 1 && skipped[0].reason.contains("out of the project"), "{skipped:?}");
}

#[test]
fn rule_files_that_appear_later_are_seen() {
    let project = Project::new(&[("src/api/AGENTS.md", "# Alpha\n"), (".github/workflows/ci.yml", "on: push\n")]);
    let index = project.open();
    for (n, path) in [
        "AGENTS.md",
        ".cursorrules",
        ".cursor/rules/a.mdc",
        ".claude/rules/deep/a.md",
        ".github/copilot-instructions.md",
        ".github/instructions/a.instructions.md",
        ".clinerules",
        "src/api/AGENTS.md",
        // Beside a known one, so that its folder is watched.
        "src/CLAUDE.md",
    ]
    .into_iter()
    .enumerate()
    {
        project.write(path, &format!("# wordnumber{n}\n"));
        index.fresh().unwrap();
        assert_eq!(found(&index, &format!("wordnumber{n}")), [path], "{:?}", index.skipped());
    }
    fs::rename(project.path("src"), project.path("source")).unwrap();
    index.fresh().unwrap();
    let nested: Vec<String> = paths(&index).into_iter().filter(|path| path.starts_with('s')).collect();
    assert_eq!(nested, ["source/CLAUDE.md", "source/api/AGENTS.md"]);
    fs::remove_file(project.path("AGENTS.md")).unwrap();
    index.fresh().unwrap();
    assert!(!paths(&index).contains(&"AGENTS.md".to_owned()));
}

#[test]
fn what_stands_beside_rules_is_no_change() {
    let project = Project::new(&[(".claude/rules/a.md", "# Alpha\n"), (".github/workflows/ci.yml", "on: push\n")]);
    let index = project.open();
    let until = Instant::now() + Duration::from_secs(20);
    while index.fresh().unwrap().looked {
        assert!(Instant::now() < until, "never quiet: {:?}", index.warnings());
    }
    let heard = index.shared.signal.heard();
    project.write(".claude/settings.local.json", "{}");
    project.write(".github/dependabot.yml", "version: 2\n");
    while !index.shared.watch.hear_all() {
        assert!(Instant::now() < until, "not heard of: {:?}", index.warnings());
    }
    assert_eq!(index.shared.signal.heard(), heard);
}
