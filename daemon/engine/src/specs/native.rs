//! Which agents load a file of the project by themselves, so that nobody need hand it to them.
//!
//! Only what was measured with the agents' real programs, started in the project's root; what their makers say of others is
//! not here. Pure: it looks at the catalog and at no disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::catalog::SpecMeta;
use super::rule::{Rule, RuleKind, RuleMode};

/// The specs (as ordinals of a list that is sorted by path) that some agent loads, with these agents.
pub(super) fn loaded(specs: &[Arc<SpecMeta>]) -> BTreeMap<usize, Vec<&'static str>> {
    let at = |path: &str| specs.binary_search_by(|spec| spec.path.as_str().cmp(path)).ok();
    let (agents_file, claude_file) = (at("AGENTS.md"), at("CLAUDE.md"));
    let mut loaded: BTreeMap<usize, BTreeSet<&'static str>> = BTreeMap::new();
    // Each of these takes one of the two files and passes over the other.
    if let Some(agents_file) = agents_file {
        loaded.entry(agents_file).or_default().extend(["codex", "opencode", "pi", "qwen"]);
        if claude_file.is_none() {
            loaded.entry(agents_file).or_default().insert("claude");
        }
    } else if let Some(claude_file) = claude_file {
        loaded.entry(claude_file).or_default().extend(["opencode", "pi"]);
    }
    for i in by_claude(specs, at) {
        loaded.entry(i).or_default().insert("claude");
    }
    loaded.into_iter().map(|(i, agents)| (i, agents.into_iter().collect())).collect()
}

/// Claude's own files, and what those of them import that are for every task, and what that imports. A nested file and a
/// rule with `paths` bring their imports only where Claude works on what they are for.
fn by_claude(specs: &[Arc<SpecMeta>], at: impl Fn(&str) -> Option<usize>) -> BTreeSet<usize> {
    let own =
        |spec: &SpecMeta| spec.rule.as_ref().is_some_and(|r| matches!(r.kind, RuleKind::Claude | RuleKind::Skill));
    let mut pending: Vec<usize> = specs.iter().enumerate().filter(|(_, spec)| own(spec)).map(|(i, _)| i).collect();
    let mut found = BTreeSet::new();
    while let Some(i) = pending.pop() {
        if found.insert(i) {
            let always = |rule: &&Rule| rule.scope.is_none() && rule.mode == RuleMode::Always;
            let imports = specs[i].rule.iter().filter(always).flat_map(|rule| &rule.imports);
            pending.extend(imports.filter_map(|path| at(path)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::catalog::SpecCatalog;
    use super::super::parse;
    use super::super::stamp::Stamp;
    use super::*;

    fn loaded_in(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let spec = |(path, text): &(&str, &str)| {
            Arc::new(parse::parse(path, text).meta(path, String::new(), text.len() as u64, Stamp::default()))
        };
        let catalog = SpecCatalog::new(files.iter().map(spec).collect());
        catalog.specs().iter().map(|spec| (spec.path.clone(), spec.native.join(" "))).collect()
    }

    #[test]
    fn of_two_memory_files_most_agents_take_one() {
        for (files, expected) in [
            (vec![("AGENTS.md", "a")], vec![("AGENTS.md", "claude codex opencode pi qwen")]),
            (vec![("CLAUDE.md", "c")], vec![("CLAUDE.md", "claude opencode pi")]),
            (
                vec![("AGENTS.md", "a"), ("CLAUDE.md", "c")],
                vec![("AGENTS.md", "codex opencode pi qwen"), ("CLAUDE.md", "claude")],
            ),
            (
                vec![
                    ("AGENTS.md", "see @docs/a.md"),
                    ("CLAUDE.md", "@AGENTS.md"),
                    ("docs/a.md", "a"),
                    ("docs/b.md", "b"),
                ],
                vec![
                    ("AGENTS.md", "claude codex opencode pi qwen"),
                    ("CLAUDE.md", "claude"),
                    ("docs/a.md", "claude"),
                    ("docs/b.md", ""),
                ],
            ),
            (
                vec![
                    (".claude/rules/a.md", "---\npaths: src/**\n---\n@../../docs/a.md"),
                    (".claude/rules/b.md", "@../../docs/b.md"),
                    ("docs/a.md", "a"),
                    ("docs/b.md", "b"),
                    ("src/CLAUDE.md", "@../docs/a.md"),
                ],
                vec![
                    (".claude/rules/a.md", "claude"),
                    (".claude/rules/b.md", "claude"),
                    ("docs/a.md", ""),
                    ("docs/b.md", "claude"),
                    ("src/CLAUDE.md", "claude"),
                ],
            ),
            (
                vec![(".claude/rules/a.md", "a"), (".cursor/rules/a.mdc", "a"), ("src/AGENTS.md", "a")],
                vec![(".claude/rules/a.md", "claude"), (".cursor/rules/a.mdc", ""), ("src/AGENTS.md", "")],
            ),
        ] {
            let expected: Vec<(String, String)> =
                expected.into_iter().map(|(path, agents)| (path.to_owned(), agents.to_owned())).collect();
            assert_eq!(loaded_in(&files), expected);
        }
    }
}
