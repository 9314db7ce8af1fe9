//! Specs and rules that are too long for what a context may hold. Pure.

use super::super::catalog::{SpecCatalog, SpecMeta};
use super::super::rule::RuleMode;
use super::Budgets;
use super::finding::{Finding, FindingCode};

pub(super) fn check(catalog: &SpecCatalog, budgets: Budgets, mut report: impl FnMut(Finding)) {
    let mut found = |code, spec: &SpecMeta, message: String| {
        report(Finding { code, path: spec.path.clone(), line: None, message });
    };
    let mut always: Vec<&SpecMeta> = Vec::new();
    for spec in catalog.specs() {
        let mode = spec.rule.as_ref().map(|rule| rule.mode).filter(|mode| *mode != RuleMode::Model);
        if mode == Some(RuleMode::Always) {
            always.push(spec);
        }
        if mode.is_some() && spec.tokens > budgets.rules {
            let message = format!(
                "the rule has {} tokens, and all rules of a context together may have {}: only passages of it can be in",
                spec.tokens, budgets.rules
            );
            found(FindingCode::RuleTooLong, spec, message);
        } else if spec.tokens > budgets.all {
            let message = format!(
                "the spec has {} tokens, and a context may have {}: only passages of it can be in",
                spec.tokens, budgets.all
            );
            found(FindingCode::SpecTooLong, spec, message);
        }
    }
    let together = always.iter().map(|spec| spec.tokens).fold(0, u32::saturating_add);
    let longest = always.iter().max_by_key(|spec| spec.tokens).filter(|spec| spec.tokens <= budgets.rules);
    if let Some(longest) = longest.filter(|_| together > budgets.rules) {
        let message = format!(
            "the {} rules that always apply have {together} tokens, and all rules of a context together may have {}: this \
             one, the longest, is the first that has no room",
            always.len(),
            budgets.rules
        );
        found(FindingCode::RulesTooLong, longest, message);
    }
}
