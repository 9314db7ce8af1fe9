//! `spec_lint`: what is wrong with the project's specs and rule files, and what agents load of them by themselves.

use super::{Engine, Failure, ROOM, TEXT_MAX, cut, first_that_fit, is_asked_for};
use crate::specs::{Budgets, Finding, Severity};
use pu_protocol::Answer;
use pu_protocol::spec::{SpecFinding, SpecSeverity};
use std::path::PathBuf;

impl Engine {
    pub(in crate::engine) async fn spec_lint(&self, cwd: PathBuf, paths: Vec<String>) -> Result<Answer, Failure> {
        let (engine, folder) = (self.clone(), cwd.clone());
        let linted = self.slowly_within(&cwd, move || -> Result<Answer, Failure> {
            let (project, index) = engine.looked_at(&folder)?;
            let config = project.config()?;
            let budgets = Budgets { all: config.context.budget, rules: config.context.budget_for_rules() };
            let is_wanted = |path: &str| paths.is_empty() || paths.iter().any(|asked| is_asked_for(path, asked));
            let mut findings = index.lint(budgets);
            findings.retain(|finding| is_wanted(&finding.path));
            let catalog = index.catalog();
            let looked_at = catalog.specs().iter().filter(|spec| is_wanted(&spec.path)).count();
            Ok(report(looked_at, &findings))
        });
        linted.await?
    }
}

fn report(looked_at: usize, findings: &[Finding]) -> Answer {
    let count = |severity| number(findings.iter().filter(|finding| finding.code.severity() == severity).count());
    let (listed, _) = first_that_fit(findings.iter().map(told), ROOM);
    Answer::SpecLintReport {
        specs: number(looked_at),
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        more: number(findings.len() - listed.len()),
        findings: listed,
    }
}

fn told(finding: &Finding) -> SpecFinding {
    SpecFinding {
        severity: match finding.code.severity() {
            Severity::Note => SpecSeverity::Note,
            Severity::Warning => SpecSeverity::Warning,
            Severity::Error => SpecSeverity::Error,
        },
        code: finding.code.name().to_owned(),
        path: finding.path.clone(),
        line: finding.line,
        message: cut(&finding.message, TEXT_MAX),
        hint: finding.code.hint().map(str::to_owned),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
