//! What is wrong with rule files: above all what keeps one from ever firing.

use super::super::catalog::SpecMeta;
use super::super::rule::{Rule, RuleFault, RuleKind, RuleMode};
use super::finding::{Finding, FindingCode};
use super::text::Text;
use super::tree::Tree;

/// As many patterns as a message names.
const SHOWN: usize = 4;

/// What is found in one rule file. `tree` gives the files of the project.
pub(super) fn check<'t>(
    spec: &SpecMeta,
    rule: &Rule,
    text: &Text<'_>,
    tree: impl FnOnce() -> &'t Tree,
    mut report: impl FnMut(Finding),
) {
    let mut found = |code, line, message: String| report(Finding { code, path: spec.path.clone(), line, message });
    for fault in &rule.faults {
        found(code(fault), line(fault, text), fault.to_string());
    }
    let has_globs = !rule.globs.is_empty();
    let front = || front_line(rule, text);
    match rule.mode {
        // That of a nested one is its folder, in which at least it itself lies.
        RuleMode::Globs if rule.scope.is_none() => {
            for (code, line, message) in patterns(rule, text, tree) {
                found(code, line, message);
            }
        }
        // `applyTo: "**"` is how that is said.
        RuleMode::Always if has_globs && rule.kind != RuleKind::Copilot => {
            let message = "it always applies, so that its patterns mean nothing";
            found(FindingCode::RuleContradicts, front(), message.to_owned());
        }
        RuleMode::Manual if has_globs => {
            let message = "it is read only where it is named, so that its patterns mean nothing";
            found(FindingCode::RuleContradicts, front(), message.to_owned());
        }
        RuleMode::Model if has_globs => {
            let message = "it is read where its description fits, so that its patterns mean nothing";
            found(FindingCode::RuleContradicts, front(), message.to_owned());
        }
        RuleMode::Manual if is_manual_unsaid(spec, rule) => {
            let message = "it has neither patterns nor a description, so that it is read only where it is named";
            found(FindingCode::RuleByHandOnly, Some(1), message.to_owned());
        }
        _ => {}
    }
}

type Told = (FindingCode, Option<u32>, String);

/// Of a rule that fires by patterns: those that fit no file, and whether all are such.
fn patterns<'t>(rule: &Rule, text: &Text<'_>, tree: impl FnOnce() -> &'t Tree) -> Vec<Told> {
    let patterns = rule.patterns();
    let written: Vec<&str> = patterns.including().collect();
    if written.is_empty() {
        let is_told = rule.faults.iter().any(|fault| matches!(fault, RuleFault::Missing { .. }));
        let why = if rule.globs.is_empty() { "none of its patterns is one" } else { "its patterns only exclude" };
        let told = (FindingCode::RuleNeverFires, front_line(rule, text), format!("the rule never fires: {why}"));
        return if is_told { Vec::new() } else { vec![told] };
    }
    let tree = tree();
    if tree.is_cut {
        return Vec::new();
    }
    let fits_any = |nth: usize| tree.files.iter().any(|file| patterns.nth_fits(nth, file));
    let unfit: Vec<&str> = (0..).zip(&written).filter(|(nth, _)| !fits_any(*nth)).map(|(_, glob)| *glob).collect();
    if unfit.len() == written.len() {
        let message = format!("no file of the work tree fits {}", listed(&unfit));
        return vec![(FindingCode::RuleMatchesNothing, line_with(text, unfit[0]), message)];
    }
    let told = |glob: &str| {
        let message = format!("no file of the work tree fits `{glob}`; another of the rule's patterns fits some");
        (FindingCode::GlobMatchesNothing, line_with(text, glob), message)
    };
    unfit.into_iter().map(told).collect()
}

/// Two tools take a rule file that says nothing for one that is named by hand; others have a word for it.
fn is_manual_unsaid(spec: &SpecMeta, rule: &Rule) -> bool {
    let says_so = || spec.attributes.iter().any(|(key, value)| key == "trigger" && value == "manual");
    matches!(rule.kind, RuleKind::Cursor | RuleKind::Copilot | RuleKind::Windsurf) && !says_so()
}

fn code(fault: &RuleFault) -> FindingCode {
    match fault {
        RuleFault::Line { .. } | RuleFault::Unclosed => FindingCode::FrontMatterBroken,
        RuleFault::Value { .. } => FindingCode::RuleValueUnknown,
        RuleFault::Glob { .. } => FindingCode::RuleGlobInvalid,
        RuleFault::TooMany { .. } => FindingCode::FrontMatterCut,
        RuleFault::Missing { .. } => FindingCode::RuleNeverFires,
    }
}

fn line(fault: &RuleFault, text: &Text<'_>) -> Option<u32> {
    match fault {
        RuleFault::Line { line } => Some(*line),
        RuleFault::Value { key, .. } | RuleFault::TooMany { key, .. } => text.line_of_key(key),
        RuleFault::Glob { glob, .. } => line_with(text, glob),
        RuleFault::Unclosed | RuleFault::Missing { .. } => Some(1),
    }
}

/// Where the patterns stand.
fn front_line(rule: &Rule, text: &Text<'_>) -> Option<u32> {
    let key = match rule.kind {
        RuleKind::Cursor | RuleKind::Windsurf => "globs",
        RuleKind::Copilot => "applyTo",
        RuleKind::Kiro => "fileMatchPattern",
        RuleKind::Agents | RuleKind::Claude | RuleKind::Cline | RuleKind::Skill => "paths",
    };
    text.line_of_key(key).or(Some(1))
}

fn line_with(text: &Text<'_>, glob: &str) -> Option<u32> {
    // Copilot's are kept with a start that need not be written.
    let bare = glob.strip_prefix("**/").unwrap_or(glob);
    text.line_where(|line| line.contains(glob)).or_else(|| text.line_where(|line| line.contains(bare)))
}

fn listed(globs: &[&str]) -> String {
    let shown: Vec<String> = globs.iter().take(SHOWN).map(|glob| format!("`{glob}`")).collect();
    let more = globs.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
