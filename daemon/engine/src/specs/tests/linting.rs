//! What lint says of mistakes, and that it says nothing where there are none.

use std::os::unix::fs::symlink;

use super::Project;
use crate::specs::{Budgets, Severity};

const BUDGETS: Budgets = Budgets { all: 8_000, rules: 4_000 };

/// `path:line code`, of errors and warnings.
fn found(project: &Project, budgets: Budgets) -> Vec<String> {
    let index = project.open();
    let findings = index.lint(budgets).into_iter().filter(|finding| finding.code.severity() > Severity::Note);
    let told = |line: Option<u32>| line.map_or_else(String::new, |line| format!(":{line}"));
    findings.map(|finding| format!("{}{} {}", finding.path, told(finding.line), finding.code.name())).collect()
}

fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    found(&Project::new(files), BUDGETS)
}

#[test]
fn front_matter_ids_and_what_is_cut() {
    let long = "x".repeat(2_000);
    let found = found_in(&[
        ("specs/a.md", "---\nid: A-1\ntags: [open\n---\n# A\n"),
        ("specs/b.md", "---\nid: BB\n---\n# B\n\n## BB-1: One\n\ntext\n\n## BB-1: Again\n\ntext\n"),
        ("specs/c.md", "---\ntitle: C\nid: BB\n---\n# C\n\n## BB-001 elsewhere\n\ntext\n"),
        ("specs/d.md", &format!("---\nnote: {long}\n---\n# D\n")),
    ]);
    let expected = [
        "specs/a.md:3 front_matter_broken",
        "specs/b.md:10 ambiguous_id",
        "specs/c.md:3 duplicate_id",
        "specs/c.md:7 ambiguous_id",
        "specs/d.md:1 front_matter_cut",
    ];
    assert_eq!(found, expected);
}

#[test]
fn links_that_lead_nowhere() {
    let found = found_in(&[
        (
            "docs/a.md",
            "---\ntitle: A\n---\n# A\n\n[b](b.md) [no](no.md) ![p](img/p.png)\n[part](b.md#part) [none](b.md#none)\n\
             [a](#a) [z](#z)\n[site](/guide) [abs](/docs/b.md) [dead](/docs/c.md)\n[src](../src/main.rs#L4)\n\
             [web](https://example.org/no) [page](b) [html](b.html) [above](../../issues)\n`[no](code.md)`\n",
        ),
        ("docs/b.md", "# B\n\n## Part\n\ntext\n"),
        ("src/main.rs", "fn main() {}\n"),
    ]);
    let expected = [
        "docs/a.md:6 dead_link",
        "docs/a.md:6 dead_link",
        "docs/a.md:7 dead_anchor",
        "docs/a.md:8 dead_anchor",
        "docs/a.md:9 dead_link",
    ];
    assert_eq!(found, expected);
}

#[test]
fn rules_that_cannot_fire() {
    let mut found = found_in(&[
        ("src/web/form.ts", "// code\n"),
        (".cursor/rules/fits.mdc", "---\nglobs: src/**/*.ts\n---\nText.\n"),
        (".cursor/rules/half.mdc", "---\nglobs:\n  - src/**/*.ts\n  - lib/**\n---\nText.\n"),
        (".cursor/rules/none.mdc", "---\ndescription: x\nglobs: lib/**,*.py\n---\nText.\n"),
        (".cursor/rules/both.mdc", "---\nglobs: lib/**\nalwaysApply: true\n---\nText.\n"),
        (".cursor/rules/only-not.mdc", "---\nglobs: \"!src/**\"\n---\nText.\n"),
        (".cursor/rules/broken.mdc", "---\nglobs: src/[a\n---\nText.\n"),
        (".kiro/steering/missing.md", "---\ninclusion: fileMatch\n---\nText.\n"),
        (".windsurf/rules/word.md", "---\ntrigger: globs\nglobs: *.ts\n---\nText.\n"),
        (".clinerules/line.md", "---\npaths: src/**\nnonsense\n---\nText.\n"),
        (".github/instructions/all.instructions.md", "---\napplyTo: \"**\"\n---\nText.\n"),
        ("CLAUDE.md", "See @docs/no.md and @someone.\n"),
        ("web/AGENTS.md", "Text.\n"),
    ]);
    let expected = [
        ".clinerules/line.md:3 front_matter_broken",
        ".cursor/rules/both.mdc:2 rule_contradicts",
        ".cursor/rules/broken.mdc:2 rule_never_fires",
        ".cursor/rules/broken.mdc:2 rule_glob_invalid",
        ".cursor/rules/half.mdc:4 glob_matches_nothing",
        ".cursor/rules/none.mdc:3 rule_matches_nothing",
        ".cursor/rules/only-not.mdc:2 rule_never_fires",
        ".kiro/steering/missing.md:1 rule_never_fires",
        ".windsurf/rules/word.md:2 rule_value_unknown",
        "CLAUDE.md:1 dead_import",
    ];
    let mut expected = expected.map(str::to_owned);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_is_too_long_and_what_is_not_read() {
    let project = Project::new(&[
        ("specs/long.md", &format!("# Long\n\n{}", "word ".repeat(300))),
        ("AGENTS.md", &format!("# Agents\n\n{}", "word ".repeat(60))),
        (".cursorrules", &format!("# Cursor\n\n{}", "word ".repeat(50))),
        (".clinerules/a.md", &format!("# Cline\n\n{}", "word ".repeat(150))),
        (".github/instructions/b.md", "# misplaced\n"),
    ]);
    project.write_bytes("specs/latin.md", b"# Gr\xf6\xdfe\n\ntext\n");
    let outside = project.dir.path().join("secret.md");
    super::write(&outside, b"# Secret\n");
    symlink(&outside, project.path("specs/secret.md")).unwrap();
    let expected = [
        ".clinerules/a.md rule_too_long",
        ".github/instructions/b.md file_misplaced",
        "specs/latin.md not_utf8",
        "specs/long.md spec_too_long",
        "specs/secret.md file_outside",
    ];
    assert_eq!(found(&project, Budgets { all: 200, rules: 100 }), expected);
    let together = found(&project, Budgets { all: 8_000, rules: 200 });
    assert!(together.contains(&".clinerules/a.md rules_too_long".to_owned()), "{together:?}");
}

#[test]
fn what_an_agent_loads_by_itself_is_worth_a_note() {
    let project = Project::new(&[("AGENTS.md", "# Agents\n"), ("docs/a.md", "# A\n")]);
    let findings = project.open().lint(BUDGETS);
    let told: Vec<(&str, &str)> = findings.iter().map(|finding| (finding.path.as_str(), finding.code.name())).collect();
    assert_eq!(told, [("AGENTS.md", "loaded_natively")]);
    assert!(findings[0].message.starts_with("claude, codex, opencode, pi, qwen"), "{}", findings[0].message);
}
