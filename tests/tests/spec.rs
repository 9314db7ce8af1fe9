//! `pu spec`: what specs and rule files there are, what is in them, and what is wrong with them, each with its place.

use e2e::{AUTH_TASK, Output, Project, SPECS, World, wait_until, write};
use serde_json::{Value, json};

/// One rule file of each format; those whose names say so have a mistake.
const RULES: &[(&str, &str)] = &[
    ("AGENTS.md", "# House rules\n\nCount every quokka twice. See [the guide](docs/guide.md#counting).\n"),
    ("CLAUDE.md", "# Claude\n\nRead @docs/guide.md and @docs/gone.md.\n"),
    ("web/AGENTS.md", "# Web\n\nForms have labels.\n"),
    (".claude/rules/api.md", "---\npaths: src/api/**\n---\n# API\n\nAnswers are JSON.\n"),
    (".claude/skills/release/SKILL.md", "---\nname: release\n---\n# Release\n\nTag it.\n"),
    (".clinerules/fold.md", "---\npaths:\n  - src/{api,web/**\n---\n# Fold\n\nFold imports.\n"),
    (
        ".cursor/rules/sql.mdc",
        "---\ndescription: SQL\nglobs: *.sql,db/**\nalwaysApply: false\n---\n# SQL\n\nNo stars.\n",
    ),
    (".cursor/rules/hand.mdc", "---\n---\n# By hand\n\nOnly when asked.\n"),
    (".github/instructions/lost.md", "# Lost\n\nNobody reads this.\n"),
    (".github/copilot-instructions.md", "# Copilot\n\nBe brief.\n"),
    (".github/instructions/ts.instructions.md", "---\napplyTo: \"**/*.ts,**/*.tsx\"\n---\n# TypeScript\n\nNo any.\n"),
    (".kiro/steering/parts.md", "---\ninclusion: fileMatch\n---\n# Parts\n\nSmall parts.\n"),
    (".windsurf/rules/style.md", "---\ntrigger: sometimes\nglobs: src/**\n---\n# Style\n\nTabs.\n"),
    (
        "docs/guide.md",
        "# Guide\n\n## Counting quokkas\n\nBy ear. See [nothing](nowhere.md) and [api](../src/api/serve.rs).\n",
    ),
    ("docs/broken.md", "---\nid: AUTH\ntags: [open\n---\n# Broken\n\nText.\n"),
    ("specs/twice.md", "---\nid: AUTH\n---\n# Twice\n\nText.\n"),
    ("src/api/serve.rs", "// served\n"),
    ("src/web/form.ts", "// a form\n"),
];

fn with_rules(world: &World) -> Project<'_> {
    let files: Vec<(&str, &str)> = SPECS.iter().chain(RULES).copied().collect();
    world.project(&files)
}

/// The answer, whatever the exit code says of it.
#[track_caller]
fn answer(output: &Output) -> Value {
    serde_json::from_slice(output.bytes()).unwrap_or_else(|e| panic!("not one JSON value ({e}): {output}"))
}

#[track_caller]
fn paths(output: &Output) -> Vec<String> {
    let specs = output.json()["specs"].clone();
    specs.as_array().unwrap().iter().map(|spec| spec["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_says_what_each_is_when_it_is_read_and_who_loads_it() {
    let world = World::new();
    let project = with_rules(&world);
    let report = project.pu(["spec", "list", "--json"]).output().json();
    let specs = report["specs"].as_array().unwrap();
    assert_eq!(report["total"], specs.len(), "{report:#}");
    let of = |path: &str| specs.iter().find(|spec| spec["path"] == path).unwrap_or_else(|| panic!("no {path}"));
    for (path, kind, mode, globs) in [
        ("AGENTS.md", "agents", "always", json!(null)),
        ("web/AGENTS.md", "agents", "globs", json!(["web/**"])),
        (".claude/rules/api.md", "claude", "globs", json!(["src/api/**"])),
        (".claude/skills/release/SKILL.md", "skill", "model", json!(null)),
        (".cursor/rules/sql.mdc", "cursor", "globs", json!(["*.sql", "db/**"])),
        (".cursor/rules/hand.mdc", "cursor", "manual", json!(null)),
        (".github/copilot-instructions.md", "copilot", "always", json!(null)),
        (".github/instructions/ts.instructions.md", "copilot", "globs", json!(["**/*.ts", "**/*.tsx"])),
        (".kiro/steering/parts.md", "kiro", "globs", json!(null)),
        (".windsurf/rules/style.md", "windsurf", "globs", json!(["src/**"])),
    ] {
        let spec = of(path);
        assert_eq!((&spec["kind"], &spec["rule"]["mode"]), (&kind.into(), &mode.into()), "{spec:#}");
        assert_eq!(spec["rule"]["globs"], globs, "{spec:#}");
    }
    let auth = of("specs/auth.md");
    assert_eq!((&auth["id"], &auth["kind"], &auth["format"]), (&"AUTH".into(), &"spec".into(), &"markdown".into()));
    assert!(auth["tokens"].as_u64().unwrap() > 50 && auth["rule"].is_null(), "{auth:#}");
    assert_eq!((&of("AGENTS.md")["native"][0], &of("docs/guide.md")["native"]), (&"codex".into(), &json!(["claude"])));

    let list = |args: &[&str]| paths(&project.pu(["spec", "list", "--json"].iter().chain(args)).output());
    assert_eq!(list(&["specs"]), ["specs/auth.md", "specs/billing.md", "specs/images.md", "specs/twice.md"]);
    assert_eq!(list(&["--kind", "cursor"]), [".cursor/rules/hand.mdc", ".cursor/rules/sql.mdc"]);
    assert_eq!(list(&["--mode", "manual", "--mode", "model"]).len(), 2);
    assert_eq!(list(&["--tag", "LOGIN"]), ["specs/auth.md"]);
    assert_eq!(list(&["--rules", "*.mdc"]), [".cursor/rules/hand.mdc", ".cursor/rules/sql.mdc"]);
    assert!(list(&["--native", "claude"]).contains(&"docs/guide.md".to_owned()));
    let told = project.pu(["spec", "list"]).output().ok().stdout();
    assert!(told.contains("src/api/**") && told.contains("AUTH") && told.contains("pu spec lint"), "{told}");
    project.pu(["spec", "list", "--json", "--kind", "vim"]).output().fails(2, "invalid_request");
}

/// More specs than a line of the protocol holds come page by page, and `pu` makes one list of them.
#[test]
fn a_long_list_is_whole() {
    let world = World::new();
    let project = world.project(&[]);
    let tags = (0..60).map(|n| format!("t{n:0>199}")).collect::<Vec<_>>().join(", ");
    for n in 0..150 {
        project.write(&format!("specs/s{n:03}.md"), &format!("---\ntags: [{tags}]\n---\n# Spec {n}\n\nText.\n"));
    }
    let mut client = world.client();
    let first = client.ask(&json!({"type": "spec_list", "cwd": project.root()}));
    assert!(first["next"].is_string() && first["total"] == 150, "{}", first["total"]);
    let all = paths(&project.pu(["spec", "list", "--json"]).output());
    assert_eq!((all.len(), all[149].as_str()), (150, "specs/s149.md"));
}

#[test]
fn a_spec_is_shown_with_its_sections_and_each_section_alone() {
    let world = World::new();
    let project = world.project(SPECS);
    let shown = |args: &[&str]| project.pu(["spec", "show", "--json"].iter().chain(args)).output();
    let report = shown(&["AUTH-002"]).json();
    assert_eq!(report["spec"]["path"], "specs/auth.md", "{report:#}");
    let sections = report["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 3, "{report:#}");
    assert_eq!((&sections[0]["heading"], &sections[0]["line"]), (&"Sessions and tokens".into(), &6.into()));
    assert!(sections.iter().all(|section| section["tokens"].as_u64().unwrap() > 0) && report["text"].is_null());
    let id = sections[2]["id"].as_str().unwrap();
    let text = shown(&["./specs/auth.md", "--section", id]).json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("## AUTH-002") && text.contains("thirty minutes"), "{text}");
    let whole = shown(&["AUTH", "--text"]).json()["text"].as_str().unwrap().to_owned();
    assert!(whole.starts_with("# Sessions") && whole.contains("AUTH-001"), "{whole}");
    let told = project.pu(["spec", "show", "AUTH", "--section", id]).output().ok().stdout();
    assert_eq!(told.trim_end(), text.trim_end(), "the text and nothing else");
    shown(&["AUTH-009"]).fails(3, "spec_not_found");
    let error = shown(&["AUTH", "--section", "nowhere"]).fails(3, "spec_not_found");
    assert!(error["hint"].as_str().unwrap().contains(id), "{error}");
}

#[test]
fn a_search_says_by_which_words_and_fields() {
    let world = World::new();
    let project = world.project(SPECS);
    let report = project.pu(["spec", "search", "--json", AUTH_TASK]).output().json();
    let best = &report["hits"][0];
    assert_eq!(best["path"], "specs/auth.md", "{report:#}");
    assert!(best["matched"].as_array().unwrap().contains(&"token".into()), "{best:#}");
    assert!(best["fields"].as_array().unwrap().iter().any(|field| field["field"] == "body"), "{best:#}");
    assert!(best["sections"][0]["section"].as_str().unwrap().contains("auth-001"), "{best:#}");
    let by_title = project.pu(["spec", "search", "--json", "--field", "title", "invoices photograph"]).output().json();
    let hits = by_title["hits"].as_array().unwrap();
    assert_eq!((hits.len(), &hits[0]["path"]), (1, &"specs/billing.md".into()), "{by_title:#}");
    let named = project.pu(["spec", "search", "--json", "-n", "1", "IMG-001", "token"]).output().json();
    assert_eq!(named["hits"][0]["path"], "specs/images.md", "{named:#}");
    project.pu(["spec", "search", "--json", "--field", "colour", "token"]).output().fails(2, "invalid_request");
}

#[test]
fn lint_finds_the_mistakes_and_says_where_they_are() {
    let world = World::new();
    let project = with_rules(&world);
    let output = project.pu(["spec", "lint", "--json"]).output();
    let report = answer(&output);
    assert_eq!(output.code(), Some(1), "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    for (path, line, severity, code) in [
        (".clinerules/fold.md", Some(3), "error", "rule_glob_invalid"),
        (".clinerules/fold.md", Some(2), "error", "rule_never_fires"),
        (".cursor/rules/sql.mdc", Some(3), "error", "rule_matches_nothing"),
        (".cursor/rules/hand.mdc", Some(1), "note", "rule_by_hand_only"),
        (".github/instructions/lost.md", None, "warning", "file_misplaced"),
        (".github/instructions/ts.instructions.md", Some(2), "warning", "glob_matches_nothing"),
        (".kiro/steering/parts.md", Some(1), "error", "rule_never_fires"),
        (".windsurf/rules/style.md", Some(2), "error", "rule_value_unknown"),
        ("AGENTS.md", Some(3), "warning", "dead_anchor"),
        ("AGENTS.md", None, "note", "loaded_natively"),
        ("CLAUDE.md", Some(3), "warning", "dead_import"),
        ("docs/broken.md", Some(3), "error", "front_matter_broken"),
        ("docs/guide.md", Some(5), "error", "dead_link"),
        ("specs/twice.md", Some(2), "error", "duplicate_id"),
    ] {
        let is_it = |f: &&Value| f["path"] == path && f["code"] == code && f["line"] == json!(line);
        let found = findings.iter().find(is_it).unwrap_or_else(|| panic!("no {code} in {path}:{line:?}: {report:#}"));
        assert_eq!(found["severity"], severity, "{found:#}");
        assert!(severity == "note" || found["hint"].is_string(), "{found:#}");
    }
    for (kind, noun) in [("error", "errors"), ("warning", "warnings"), ("note", "notes")] {
        assert_eq!(report[noun], findings.iter().filter(|f| f["severity"] == kind).count(), "{report:#}");
    }
    assert!(!findings.iter().any(|f| f["path"] == ".claude/rules/api.md" && f["severity"] != "note"), "{report:#}");
    let told = project.pu(["spec", "lint", "docs/guide.md", "--level", "error"]).output();
    assert!(told.stdout().starts_with("docs/guide.md:5: error: ") && told.code() == Some(1), "{told}");

    let fine = project.pu(["spec", "lint", "--json", "specs/billing.md", "specs/images.md"]).output();
    assert_eq!((fine.json()["specs"].clone(), fine.code()), (2.into(), Some(0)), "{fine}");
    let warned = |args: &[&str]| project.pu(["spec", "lint", "CLAUDE.md"].iter().chain(args)).output().code();
    assert_eq!((warned(&[]), warned(&["--strict"])), (Some(0), Some(1)));
}

#[test]
fn a_mended_file_is_found_mended() {
    let world = World::new();
    let project = world.project(&[("docs/a.md", "# A\n\n[b](b.md)\n")]);
    assert_eq!(project.pu(["spec", "lint"]).output().code(), Some(1));
    project.write("docs/b.md", "# B\n\nText.\n");
    wait_until("the link is no longer dead", || {
        (project.pu(["spec", "lint"]).output().code() == Some(0)).then_some(())
    });
}

/// Whoever has cloned a repository may look at its specs before trusting it; nothing of it runs by that.
#[test]
fn a_project_that_is_not_trusted_may_be_looked_at() {
    let world = World::new();
    let theirs = world.repo("theirs", SPECS);
    write(theirs.root().join(".pu/config.toml"), "");
    let pu = |args: &[&str]| world.pu(args).cwd(theirs.root()).output();
    assert_eq!(paths(&pu(&["spec", "list", "--json"])).len(), SPECS.len());
    pu(&["spec", "show", "AUTH"]).ok();
    pu(&["spec", "search", "token"]).ok();
    assert_eq!(pu(&["spec", "lint"]).code(), Some(0));
    pu(&["context", "explain", "--json", AUTH_TASK]).fails(4, "project_untrusted");
    world.pu(["spec", "list", "--json"]).output().fails(3, "not_a_project");
}

/// A rule that is silent says why: to people in a table, to programs in the record.
#[test]
fn explain_says_of_each_rule_why_it_is_not_in() {
    let world = World::new();
    let project = with_rules(&world);
    project.plugins_are_ready();
    let explain = |agent: &str, task: &str| {
        let report = project.pu(["context", "explain", "--json", "-a", agent, task]).output().json();
        let rules = report["rules"].as_array().unwrap().clone();
        move |path: &str| {
            let rule =
                rules.iter().find(|rule| rule["path"] == path).unwrap_or_else(|| panic!("no {path}: {rules:#?}"));
            (rule["outcome"].as_str().unwrap().to_owned(), rule["detail"].as_str().unwrap().to_owned())
        }
    };
    let plain = explain("terminal", AUTH_TASK);
    assert_eq!(plain("AGENTS.md").0, "included");
    for (path, outcome, part) in [
        (".claude/rules/api.md", "no_file_fits", "names no file and none is changed: it is for src/api/**"),
        (".cursor/rules/hand.mdc", "not_named", "--spec"),
        (".kiro/steering/parts.md", "broken", "fileMatchPattern"),
        (".clinerules/fold.md", "broken", "is no pattern"),
        (".claude/skills/release/SKILL.md", "not_ranked", "description"),
    ] {
        let (is, detail) = plain(path);
        assert!(is == outcome && detail.contains(part), "{path}: {is}: {detail}");
    }
    let named = explain("codex", "carry on in src/api/serve.rs");
    assert_eq!(named(".claude/rules/api.md").0, "included");
    assert_eq!(named(".windsurf/rules/style.md").0, "included");
    let (outcome, detail) = named(".cursor/rules/sql.mdc");
    assert!(outcome == "no_file_fits" && detail.contains("none fits *.sql, db/**: src/api/serve.rs"), "{detail}");
    assert_eq!(named("AGENTS.md").0, "native");
    assert_eq!(explain("terminal", "follow @hand")(".cursor/rules/hand.mdc").0, "included");

    let told = project.pu(["context", "explain", AUTH_TASK]).output().ok().stdout();
    assert!(told.contains("rule files in") && told.contains(".cursor/rules/hand.mdc"), "{told}");
    project.pu(["plugin", "disable", "tags"]).output().ok();
    assert_eq!(explain("terminal", AUTH_TASK)("AGENTS.md").0, "not_proposed");
    let spawned = project.spawn("one", "true", &[AUTH_TASK]);
    assert!(spawned["context"].get("rules").is_none(), "a spawn tells what is in: {spawned:#}");
}
