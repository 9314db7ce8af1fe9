//! For which files a rule with patterns is meant, by the very code of the assembler that picks rules.
//!
//! Pure: whether a file is there, or has to do with a task, is known elsewhere.

use pu_plugin_globs::{self as globs, Glob};

use super::Rule;

/// The patterns of a rule, to be held against many paths.
#[derive(Debug)]
pub struct Patterns<'a> {
    including: Vec<Glob<'a>>,
    excluding: Vec<Glob<'a>>,
    /// The folder that the rule is for; empty for the whole project.
    scope: &'a str,
}

impl<'a> Patterns<'a> {
    pub(super) fn of(rule: &'a Rule) -> Self {
        let all = rule.globs.iter().flat_map(|glob| globs::split(glob)).filter_map(Glob::new);
        let (excluding, including) = all.partition(|glob| glob.excludes);
        Self { including, excluding, scope: rule.scope.as_deref().unwrap_or_default() }
    }

    /// Those that let the rule fire, as they are written.
    pub fn including(&self) -> impl Iterator<Item = &'a str> {
        self.including.iter().map(|glob| glob.written)
    }

    /// Whether the rule is for the file at `path`, from the root.
    pub fn fit(&self, path: &str) -> bool {
        (0..self.including.len()).any(|nth| self.nth_fits(nth, path))
    }

    /// The same by the pattern at this place of `including` alone.
    pub fn nth_fits(&self, nth: usize, path: &str) -> bool {
        let is_meant = self.including.get(nth).is_some_and(|glob| self.matches(glob, path));
        is_meant
            && globs::is_or_lies_in(path, self.scope)
            && !self.excluding.iter().any(|glob| self.matches(glob, path))
    }

    /// In a nested file a pattern may count from its folder.
    fn matches(&self, glob: &Glob<'_>, path: &str) -> bool {
        let inner = path.strip_prefix(self.scope.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
        glob.matches(path) || inner.is_some_and(|inner| glob.matches(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RuleKind, RuleMode};
    use super::*;

    fn rule(globs: &[&str], scope: Option<&str>) -> Rule {
        Rule {
            kind: RuleKind::Cursor,
            mode: RuleMode::Globs,
            globs: globs.iter().map(|glob| (*glob).to_owned()).collect(),
            description: None,
            scope: scope.map(str::to_owned),
            imports: Vec::new(),
            faults: Vec::new(),
        }
    }

    #[test]
    fn a_rule_is_for_what_one_pattern_means_and_none_excludes() {
        for (globs, scope, path, expected) in [
            (&["src/**/*.ts"][..], None, "src/a/b.ts", true),
            (&["src/**/*.ts"], None, "lib/b.ts", false),
            (&["*.ts", "!gen/**"], None, "gen/b.ts", false),
            (&["!gen/**"], None, "src/b.ts", false),
            (&[], None, "src/b.ts", false),
            (&["web/**"], Some("web"), "web/b.ts", true),
            (&["src/*.ts"], Some("web"), "web/src/b.ts", true),
            (&["src/*.ts"], Some("web"), "src/b.ts", false),
        ] {
            assert_eq!(rule(globs, scope).patterns().fit(path), expected, "{globs:?} {path}");
        }
        let rule = rule(&["*.ts", "*.rs"], None);
        let patterns = rule.patterns();
        assert_eq!(patterns.including().collect::<Vec<_>>(), ["*.ts", "*.rs"]);
        assert!(patterns.nth_fits(0, "a.ts") && !patterns.nth_fits(1, "a.ts") && !patterns.nth_fits(2, "a.ts"));
    }
}
