//! Rule files: what teams already wrote for their agents (`AGENTS.md`, Cursor, Copilot, Kiro, Windsurf and Cline rules,
//! Claude's rules and skills), told by their paths, and when each of them is meant to be read.
//!
//! Pure, and no judge of a task: which files a task has to do with is for those who assemble context.

mod fault;
mod imports;
mod patterns;
mod read;
mod values;

use serde::{Deserialize, Serialize};

pub use fault::RuleFault;
pub use patterns::Patterns;
pub(super) use read::read;
pub(super) use values::Values;

/// Names of files that count in every folder of a project.
const IN_ANY_FOLDER: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];
/// What Cline keeps beside its rules: nothing of it is one.
const NOT_CLINES_RULES: [&str; 3] = [".clinerules/workflows", ".clinerules/hooks", ".clinerules/skills"];
/// Where rule files lie, from the project's root: files, and folders that are walked.
pub(super) const PLACES: &[&str] = &[
    "AGENTS.md",
    "CLAUDE.md",
    ".claude/CLAUDE.md",
    ".claude/rules",
    ".claude/skills",
    ".clinerules",
    ".cursor/rules",
    ".cursorrules",
    ".github/copilot-instructions.md",
    ".github/instructions",
    ".kiro/steering",
    ".windsurf/rules",
    ".windsurfrules",
];

/// Whose rules a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    Agents,
    Claude,
    Cline,
    Copilot,
    Cursor,
    Kiro,
    Skill,
    Windsurf,
}

impl RuleKind {
    pub const ALL: [RuleKind; 8] = [
        RuleKind::Agents,
        RuleKind::Claude,
        RuleKind::Cline,
        RuleKind::Copilot,
        RuleKind::Cursor,
        RuleKind::Kiro,
        RuleKind::Skill,
        RuleKind::Windsurf,
    ];

    /// The kind of the file at `path` (from the root, with `/`), if it is a rule file.
    pub(super) fn of(path: &str) -> Option<RuleKind> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let inside = |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
        let markdown = name.ends_with(".md");
        if NOT_CLINES_RULES.iter().any(|folder| inside(folder)) {
            return None;
        }
        Some(match path {
            ".cursorrules" => RuleKind::Cursor,
            ".windsurfrules" => RuleKind::Windsurf,
            ".clinerules" => RuleKind::Cline,
            ".github/copilot-instructions.md" => RuleKind::Copilot,
            _ if inside(".cursor/rules") && (markdown || name.ends_with(".mdc")) => RuleKind::Cursor,
            _ if inside(".github/instructions") && name.ends_with(".instructions.md") => RuleKind::Copilot,
            _ if inside(".claude/skills") => match path.split('/').count() {
                4 if name == "SKILL.md" => RuleKind::Skill,
                _ => return None,
            },
            _ if inside(".claude/rules") && markdown => RuleKind::Claude,
            _ if inside(".clinerules") && (markdown || name.ends_with(".txt")) => RuleKind::Cline,
            _ if folder == ".kiro/steering" && markdown => RuleKind::Kiro,
            _ if folder == ".windsurf/rules" && markdown => RuleKind::Windsurf,
            _ if name == IN_ANY_FOLDER[0] => RuleKind::Agents,
            _ if name == IN_ANY_FOLDER[1] => RuleKind::Claude,
            _ => return None,
        })
    }

    /// As the contract with plugins and the command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            RuleKind::Agents => "agents",
            RuleKind::Claude => "claude",
            RuleKind::Cline => "cline",
            RuleKind::Copilot => "copilot",
            RuleKind::Cursor => "cursor",
            RuleKind::Kiro => "kiro",
            RuleKind::Skill => "skill",
            RuleKind::Windsurf => "windsurf",
        }
    }
}

/// Whether a file of this name is a rule file in whatever folder it lies.
pub(super) fn counts_anywhere(name: &str) -> bool {
    IN_ANY_FOLDER.contains(&name)
}

/// Why a text in a folder of rules is none, where its author may have meant it to be one.
pub(super) fn unread(path: &str) -> Option<&'static str> {
    let inside = |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    if inside(".github/instructions") && path.ends_with(".md") {
        Some("Copilot reads only `.instructions.md` files as instructions")
    } else if (inside(".kiro/steering") || inside(".windsurf/rules")) && path.ends_with(".md") {
        Some("rules are read from this folder, not from folders in it")
    } else {
        None
    }
}

/// When a rule is meant to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMode {
    /// For every task.
    Always,
    /// Where a file of the task fits one of the patterns.
    Globs,
    /// Where the description fits the task: an agent's model decides.
    Model,
    /// Only where somebody names it.
    Manual,
}

impl RuleMode {
    pub const ALL: [RuleMode; 4] = [RuleMode::Always, RuleMode::Globs, RuleMode::Model, RuleMode::Manual];

    /// As the contract with plugins and the command line spell it.
    pub fn name(self) -> &'static str {
        match self {
            RuleMode::Always => "always",
            RuleMode::Globs => "globs",
            RuleMode::Model => "model",
            RuleMode::Manual => "manual",
        }
    }
}

/// What a rule file says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub kind: RuleKind,
    pub mode: RuleMode,
    /// Patterns for paths from the root. Where `mode` is `Globs` and there is none, the rule can never fire.
    pub globs: Vec<String>,
    pub description: Option<String>,
    /// The folder that a nested `AGENTS.md` or `CLAUDE.md` is for, from the root.
    pub scope: Option<String>,
    /// Files that it has Claude read along (`@docs/style.md`), from the root; whether they exist is not known here.
    pub imports: Vec<String>,
    /// What its front matter says and cannot be taken at its word.
    pub faults: Vec<RuleFault>,
}

impl Rule {
    /// Its patterns, to be held against paths.
    pub fn patterns(&self) -> Patterns<'_> {
        Patterns::of(self)
    }

    /// As `(key, value)` for plugins.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let told = [("rule.kind", self.kind.name()), ("rule.mode", self.mode.name())];
        let globs = self.globs.iter().map(|glob| ("rule.glob", glob.as_str()));
        let description = self.description.iter().map(|text| ("rule.description", text.as_str()));
        let scope = self.scope.iter().map(|folder| ("rule.scope", folder.as_str()));
        told.into_iter().chain(globs).chain(description).chain(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_file_is_told_by_its_path() {
        for (path, kind) in [
            ("AGENTS.md", Some(RuleKind::Agents)),
            ("src/api/AGENTS.md", Some(RuleKind::Agents)),
            ("src/api/agents.md", None),
            ("CLAUDE.md", Some(RuleKind::Claude)),
            (".claude/CLAUDE.md", Some(RuleKind::Claude)),
            (".claude/rules/web/forms.md", Some(RuleKind::Claude)),
            (".claude/skills/release/SKILL.md", Some(RuleKind::Skill)),
            (".claude/skills/release/reference.md", None),
            (".claude/skills/release/deep/SKILL.md", None),
            (".claude/settings.json", None),
            (".cursorrules", Some(RuleKind::Cursor)),
            (".cursor/rules/web/forms.mdc", Some(RuleKind::Cursor)),
            (".cursor/rules/forms.md", Some(RuleKind::Cursor)),
            ("docs/forms.mdc", None),
            (".github/copilot-instructions.md", Some(RuleKind::Copilot)),
            (".github/instructions/api/rest.instructions.md", Some(RuleKind::Copilot)),
            (".github/instructions/rest.md", None),
            (".kiro/steering/product.md", Some(RuleKind::Kiro)),
            (".kiro/steering/deep/product.md", None),
            (".windsurfrules", Some(RuleKind::Windsurf)),
            (".windsurf/rules/style.md", Some(RuleKind::Windsurf)),
            (".clinerules", Some(RuleKind::Cline)),
            (".clinerules/01-style.md", Some(RuleKind::Cline)),
            (".clinerules/web/forms.md", Some(RuleKind::Cline)),
            (".clinerules/workflows/release.md", None),
            (".clinerules/hooks/readme.txt", None),
            (".clinerules/skills/pdf/SKILL.md", None),
            ("docs/readme.md", None),
        ] {
            assert_eq!(RuleKind::of(path), kind, "{path}");
        }
    }
}
