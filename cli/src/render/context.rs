//! Context as people check it: what was picked and why, what was left out and why, who was skipped and why.

use super::{View, count, grouped};
use crate::text::{brief, printable, printable_lines};
use pu_protocol::answer::ContextAnswer;
use pu_protocol::context::{AssemblerReport, Candidate, ContextReport, Pick, RuleOutcome, RuleReport};

const REASON_MAX: usize = 90;
const DETAIL_MAX: usize = 200;

/// The picks, or that there are none, then everything that did not go as it should.
pub(crate) fn summary(report: &ContextReport, view: &View) -> String {
    let specs: std::collections::BTreeSet<&str> = report.picks.iter().map(|p| p.path.as_str()).collect();
    let nothing_asked = report.budget == 0 && report.picks.is_empty();
    let mut parts = vec![if nothing_asked {
        "context   none".to_owned()
    } else {
        format!(
            "context   {}, {} of {} tokens",
            count(specs.len(), "spec"),
            grouped(report.tokens.into()),
            grouped(report.budget.into())
        )
    }];
    if !report.picks.is_empty() {
        parts.push(picks(&report.picks, view));
    }
    parts.extend(troubles(report, view));
    parts.join("\n")
}

fn picks(picks: &[Pick], view: &View) -> String {
    let rows = picks.iter().map(|p| {
        [
            title(p),
            grouped(p.tokens.into()),
            format!("{:.2}", p.score),
            p.assembler.clone(),
            brief(&p.reason, REASON_MAX),
        ]
    });
    indent(&view.table(["SPEC", "TOKENS", "SCORE", "BY", "WHY"], rows))
}

/// What `pu context explain` shows: every candidate, in or out.
pub(crate) fn explanation(answer: &ContextAnswer, view: &View) -> String {
    let report = &answer.report;
    let mut parts = Vec::new();
    if let Some(labels) = labels(report) {
        parts.push(labels);
    }
    let proposed = report.candidates.as_deref().unwrap_or_default();
    if proposed.is_empty() {
        parts.push(summary(report, view));
    } else {
        let head = ContextReport { picks: Vec::new(), ..report.clone() };
        let specs: std::collections::BTreeSet<&str> = report.picks.iter().map(|p| p.path.as_str()).collect();
        parts.push(format!(
            "context   {} of {}, {} of {} tokens",
            count(specs.len(), "spec"),
            count(proposed.len(), "candidate"),
            grouped(report.tokens.into()),
            grouped(report.budget.into())
        ));
        parts.push(candidates(proposed, view));
        parts.extend(troubles(&head, view));
    }
    parts.push(rules(&report.rules, view));
    parts.push(assemblers(&report.assemblers, view));
    if let Some(text) = &answer.text {
        parts.push(format!("\n{}", printable_lines(text)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn candidates(candidates: &[Candidate], view: &View) -> String {
    let rows = candidates.iter().map(|c| {
        let fate = match (&c.left_out, c.included) {
            (_, true) => "in".to_owned(),
            (Some(why), false) => format!("out: {}", brief(why, REASON_MAX)),
            (None, false) => "out".to_owned(),
        };
        let p = &c.pick;
        let tokens = grouped(p.tokens.into());
        [title(p), fate, tokens, format!("{:.2}", p.score), p.assembler.clone(), brief(&p.reason, REASON_MAX)]
    });
    indent(&view.table(["SPEC", "IN?", "TOKENS", "SCORE", "BY", "WHY"], rows))
}

/// How many rule files are in, and of each of the others why it is not.
fn rules(rules: &[RuleReport], view: &View) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let out: Vec<&RuleReport> = rules.iter().filter(|rule| rule.outcome != RuleOutcome::Included).collect();
    let head =
        format!("rules     {} of {} in", grouped((rules.len() - out.len()) as u64), count(rules.len(), "rule file"));
    if out.is_empty() {
        return head;
    }
    let rows = out.into_iter().map(|rule| {
        let what = outcome(rule.outcome).to_owned();
        [rule.path.clone(), rule.mode.clone(), what, brief(&rule.detail, DETAIL_MAX)]
    });
    format!("{head}\n{}", indent(&view.table(["RULE", "READ", "NOT IN", "WHY"], rows)))
}

fn outcome(outcome: RuleOutcome) -> &'static str {
    match outcome {
        RuleOutcome::Included => "in",
        RuleOutcome::LeftOut => "left out",
        RuleOutcome::NoFileFits => "no file fits",
        RuleOutcome::NotNamed => "not named",
        RuleOutcome::NotRanked => "not ranked",
        RuleOutcome::Native => "loaded already",
        RuleOutcome::Broken => "broken",
        RuleOutcome::NotProposed => "not proposed",
    }
}

/// A spec as it is cited: its id where it has one, and the section if it is not whole.
pub(super) fn title(pick: &Pick) -> String {
    let spec = if pick.spec.is_empty() { &pick.path } else { &pick.spec };
    match &pick.section {
        Some(section) => format!("{spec} § {section}"),
        None => spec.clone(),
    }
}

fn labels(report: &ContextReport) -> Option<String> {
    let all: Vec<String> = report
        .labels
        .iter()
        .map(|l| format!("{} ({:.0} %, {})", printable(&l.name), l.confidence * 100.0, printable(&l.assembler)))
        .collect();
    (!all.is_empty()).then(|| format!("labels    {}", all.join(", ")))
}

/// Skipped assemblers, dropped proposals, warnings: nothing is silent.
fn troubles(report: &ContextReport, view: &View) -> Vec<String> {
    let mut out = Vec::new();
    for a in &report.assemblers {
        // One that could not be loaded has no version.
        let who = format!("{} {}", printable(&a.name), printable(&a.version)).trim_end().to_owned();
        if let Some(error) = &a.error {
            let text = format!("skipped   {who}: {}: {}", printable(&error.code), printable(&error.message));
            out.push(view.style.warn(&text));
        }
        out.extend(a.dropped.iter().map(|d| view.style.warn(&format!("dropped   {who}: {}", printable(d)))));
    }
    out.extend(report.warnings.iter().map(|w| view.style.warn(&format!("warning   {}", printable(w)))));
    out
}

fn assemblers(assemblers: &[AssemblerReport], view: &View) -> String {
    let lines = assemblers.iter().map(|a| {
        let time = format!("{:.1} ms", a.elapsed_us as f64 / 1000.0);
        let what = if a.error.is_some() { "skipped".to_owned() } else { count(a.picks as usize, "proposal") };
        let mut line = format!("asked     {} {}: {what} in {time}", printable(&a.name), printable(&a.version));
        for said in a.notes.iter().chain(&a.log) {
            line.push_str(&format!("\n          {}", printable(said)));
        }
        view.style.dim(&line)
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn indent(table: &str) -> String {
    table.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::render::tests::view;
    use pu_protocol::context::{AssemblerError, Label};

    fn pick(spec: &str, section: Option<&str>, score: f32, tokens: u32) -> Pick {
        Pick {
            spec: spec.into(),
            path: format!("specs/{}.md", spec.to_lowercase()),
            section: section.map(Into::into),
            score,
            assembler: "keyword".into(),
            reason: "the title has \"auth\"".into(),
            tokens,
            rule: None,
        }
    }

    pub(crate) fn report() -> ContextReport {
        ContextReport {
            tokens: 1234,
            budget: 8000,
            picks: vec![pick("AUTH", None, 0.91, 812), pick("STORE", Some("Tokens"), 0.4, 422)],
            assemblers: vec![
                AssemblerReport {
                    name: "keyword".into(),
                    version: "0.1.0".into(),
                    elapsed_us: 1840,
                    picks: 2,
                    ..Default::default()
                },
                AssemblerReport {
                    name: "loops".into(),
                    version: "1.0.0".into(),
                    elapsed_us: 50_100,
                    error: Some(AssemblerError { code: "deadline".into(), message: "ran longer than 50 ms".into() }),
                    ..Default::default()
                },
            ],
            warnings: vec!["specs/big.bin is not text".into()],
            ..Default::default()
        }
    }

    #[test]
    fn a_summary_tells_what_was_picked_and_who_was_skipped() {
        insta::assert_snapshot!(summary(&report(), &view()), @r#"
        context   2 specs, 1,234 of 8,000 tokens
          SPEC            TOKENS  SCORE  BY       WHY
          AUTH            812     0.91   keyword  the title has "auth"
          STORE § Tokens  422     0.40   keyword  the title has "auth"
        skipped   loops 1.0.0: deadline: ran longer than 50 ms
        warning   specs/big.bin is not text
        "#);
    }

    #[test]
    fn an_explanation_tells_of_what_was_left_out_too() {
        let mut report = report();
        report.labels = vec![Label { name: "bugfix".into(), confidence: 0.75, assembler: "classify".into() }];
        let included = |p: &Pick| Candidate { pick: p.clone(), title: "Auth".into(), included: true, left_out: None };
        let left_out = Candidate {
            pick: pick("UI", None, 0.1, 9000),
            title: "Screens".into(),
            included: false,
            left_out: Some("over the budget".into()),
        };
        report.candidates = Some(report.picks.iter().map(included).chain([left_out]).collect());
        let answer = ContextAnswer { report, text: Some("# Auth\n\x1b]0;x\x07body".into()), unknown: Vec::new() };
        insta::assert_snapshot!(explanation(&answer, &view()), @r#"
        labels    bugfix (75 %, classify)
        context   2 specs of 3 candidates, 1,234 of 8,000 tokens
          SPEC            IN?                   TOKENS  SCORE  BY       WHY
          AUTH            in                    812     0.91   keyword  the title has "auth"
          STORE § Tokens  in                    422     0.40   keyword  the title has "auth"
          UI              out: over the budget  9,000   0.10   keyword  the title has "auth"
        skipped   loops 1.0.0: deadline: ran longer than 50 ms
        warning   specs/big.bin is not text
        asked     keyword 0.1.0: 2 proposals in 1.8 ms
        asked     loops 1.0.0: skipped in 50.1 ms

        # Auth
        \u{1b}]0;x\u{7}body
        "#);
    }

    #[test]
    fn a_rule_that_is_not_in_says_why() {
        let rule = |path: &str, outcome, detail: &str| RuleReport {
            path: path.into(),
            mode: "globs".into(),
            outcome,
            detail: detail.into(),
            ..RuleReport::default()
        };
        let rules = vec![
            rule("AGENTS.md", RuleOutcome::Included, "always applies"),
            rule(".cursor/rules/api.mdc", RuleOutcome::NoFileFits, "no file: it is for src/api/**"),
        ];
        let report = ContextReport { budget: 8000, rules, ..Default::default() };
        let answer = ContextAnswer { report, text: None, unknown: Vec::new() };
        insta::assert_snapshot!(explanation(&answer, &view()), @r"
        context   0 specs, 0 of 8,000 tokens
        rules     1 of 2 rule files in
          RULE                   READ   NOT IN        WHY
          .cursor/rules/api.mdc  globs  no file fits  no file: it is for src/api/**
        ");
    }

    #[test]
    fn no_context_is_said() {
        let report = ContextReport { budget: 8000, ..Default::default() };
        let answer = ContextAnswer { report, text: None, unknown: Vec::new() };
        insta::assert_snapshot!(explanation(&answer, &view()), @"context   0 specs, 0 of 8,000 tokens");
    }
}
