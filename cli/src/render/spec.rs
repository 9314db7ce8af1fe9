//! Specs as people read of them: the list, one in detail, what a search found, what is wrong with them.

use super::{View, count, grouped};
use crate::screen::Style;
use crate::text::{brief, printable, printable_lines};
use pu_protocol::spec::{SpecDetail, SpecFinding, SpecInfo, SpecMatch, SpecRule, SpecSeverity};
use std::collections::BTreeSet;

const TITLE_MAX: usize = 60;
const GLOBS_MAX: usize = 50;
/// As many fields and words of a hit as are shown.
const SHOWN: usize = 4;

/// The table of `pu spec list`, and how much that is.
pub(crate) fn list(specs: &[SpecInfo], view: &View) -> String {
    if specs.is_empty() {
        return "no specs; `pu spec lint` says what is not read, and why".to_owned();
    }
    let rows = specs.iter().map(|spec| {
        [
            spec.path.clone(),
            id_of_its_own(spec).unwrap_or_default(),
            kind(spec),
            spec.rule.as_ref().map(when).unwrap_or_default(),
            grouped(spec.tokens.into()),
            spec.native.join(", "),
            brief(&spec.title, TITLE_MAX),
        ]
    });
    let table = view.table(["PATH", "ID", "KIND", "WHEN", "TOKENS", "LOADED BY", "TITLE"], rows);
    let tokens: u64 = specs.iter().map(|spec| u64::from(spec.tokens)).sum();
    let mut last = format!("{}, {} tokens", count(specs.len(), "spec"), grouped(tokens));
    let warned = specs.iter().filter(|spec| !spec.warnings.is_empty()).count();
    if warned > 0 {
        last.push_str(&format!(
            "; {} something wrong: pu spec lint",
            if warned == 1 { "one has" } else { "some have" }
        ));
    }
    format!("{table}\n{}", view.style.dim(&last))
}

/// The id, unless it is the path without its ending.
fn id_of_its_own(spec: &SpecInfo) -> Option<String> {
    let is_path = spec.path.strip_prefix(&spec.id).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    (!is_path).then(|| spec.id.clone())
}

fn kind(spec: &SpecInfo) -> String {
    match (spec.kind.as_str(), spec.format.as_str()) {
        (kind, "markdown") => kind.to_owned(),
        ("spec", format) => format!("spec ({format})"),
        (kind, _) => kind.to_owned(),
    }
}

/// When a rule is read.
fn when(rule: &SpecRule) -> String {
    match rule.mode.as_str() {
        "globs" => brief(&rule.globs.join(", "), GLOBS_MAX),
        "model" => "by description".to_owned(),
        other => other.to_owned(),
    }
}

/// What `pu spec show` shows: all about the spec, or the text of one section alone.
pub(crate) fn detail(detail: &SpecDetail, view: &View) -> String {
    if let (Some(_), Some(text)) = (&detail.section, &detail.text) {
        return shown_text(text, detail.text_cut, view);
    }
    let spec = &detail.spec;
    let mut lines = vec![view.style.bold(&format!("{}  {}", printable(&spec.id), printable(&spec.path)))];
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("{name:<10}{}", printable(text)));
        }
    };
    line("title", &spec.title);
    line("kind", &format!("{}, {}", spec.kind, spec.format));
    let (tokens, bytes) = (grouped(spec.tokens.into()), grouped(detail.bytes));
    line("size", &format!("{tokens} tokens, {bytes} bytes, {}", count(spec.sections as usize, "section")));
    line("tags", &spec.tags.join(", "));
    line("ids", &spec.ids.join(", "));
    if let Some(rule) = &spec.rule {
        line("read", &rule.mode);
        line("globs", &rule.globs.join(", "));
        line("scope", rule.scope.as_deref().unwrap_or_default());
        line("says", rule.description.as_deref().unwrap_or_default());
    }
    line("loaded by", &spec.native.join(", "));
    for attribute in &detail.attributes {
        line("has", &format!("{}: {}", attribute.key, attribute.value));
    }
    lines.extend(spec.warnings.iter().map(|w| view.style.warn(&format!("warning   {}", printable(w)))));
    let rows = detail.sections.iter().map(|section| {
        let line = section.line.map(|line| line.to_string()).unwrap_or_default();
        let indent = "  ".repeat(usize::from(section.level.saturating_sub(1)));
        let heading = if section.heading.is_empty() { "(before the first heading)" } else { &section.heading };
        [section.id.clone(), line, grouped(section.tokens.into()), format!("{indent}{}", brief(heading, TITLE_MAX))]
    });
    if !detail.sections.is_empty() {
        lines.push(view.table(["SECTION", "LINE", "TOKENS", "HEADING"], rows));
    }
    if detail.more_sections > 0 {
        lines.push(format!("and {} more", count(detail.more_sections as usize, "section")));
    }
    if let Some(text) = &detail.text {
        lines.push(format!("\n{}", shown_text(text, detail.text_cut, view)));
    }
    lines.join("\n")
}

fn shown_text(text: &str, is_cut: bool, view: &View) -> String {
    let text = printable_lines(text.trim_end()).into_owned();
    if is_cut { format!("{text}\n{}", view.style.warn("the text goes on")) } else { text }
}

/// What a search found: where, by which words, and what each field contributed.
pub(crate) fn hits(hits: &[SpecMatch], view: &View) -> String {
    if hits.is_empty() {
        return "no spec has any of these words".to_owned();
    }
    let rows = hits.iter().map(|hit| {
        let section = hit.sections.first().map(|best| best.section.clone()).unwrap_or_default();
        let words = some_of(hit.matched.iter().cloned());
        let mut fields: Vec<_> = hit.fields.iter().collect();
        fields.sort_by(|a, b| b.score.total_cmp(&a.score));
        let fields = some_of(fields.into_iter().map(|field| format!("{} {:.1}", field.field, field.score)));
        [hit.path.clone(), format!("{:.2}", hit.score), section, grouped(hit.tokens.into()), words, fields]
    });
    view.table(["SPEC", "SCORE", "BEST SECTION", "TOKENS", "WORDS", "FIELDS"], rows)
}

fn some_of(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(SHOWN)].join(", "))
}

/// How much was looked at and found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) specs: u32,
    pub(crate) errors: u32,
    pub(crate) warnings: u32,
    pub(crate) notes: u32,
}

/// A line for each finding that is at least as bad as `least`, as compilers write them, and what to do where a code comes
/// for the first time.
pub(crate) fn findings(
    findings: &[SpecFinding],
    more: u32,
    least: SpecSeverity,
    counted: Counted,
    style: Style,
) -> String {
    let (mut lines, mut hinted) = (Vec::new(), BTreeSet::new());
    for finding in findings.iter().filter(|finding| finding.severity >= least) {
        let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
        let (severity, place) = (severity(finding.severity, style), printable(&finding.path));
        let code = style.dim(&format!("[{}]", printable(&finding.code)));
        lines.push(format!("{place}{line}: {severity} {} {code}", printable(&finding.message)));
        if let Some(hint) = finding.hint.as_ref().filter(|_| hinted.insert(&finding.code)) {
            lines.push(style.dim(&format!("    -> {}", printable(hint))));
        }
    }
    if more > 0 {
        lines.push(style.warn(&format!("and {} more that the answer has no room for", grouped(more.into()))));
    }
    lines.push(summary(counted, style));
    lines.join("\n")
}

fn severity(severity: SpecSeverity, style: Style) -> String {
    match severity {
        SpecSeverity::Error => style.bad("error:"),
        SpecSeverity::Warning => style.warn("warning:"),
        SpecSeverity::Note => style.dim("note:"),
    }
}

fn summary(counted: Counted, style: Style) -> String {
    let Counted { specs, errors, warnings, notes } = counted;
    let of = |number: u32, noun: &str| count(number as usize, noun);
    let specs = of(specs, "spec");
    if errors == 0 && warnings == 0 {
        return style.good(&format!("{specs}: nothing is wrong, {}", of(notes, "note")));
    }
    let text = format!("{specs}: {}, {}, {}", of(errors, "error"), of(warnings, "warning"), of(notes, "note"));
    if errors > 0 { style.bad(&text) } else { style.warn(&text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;
    use pu_protocol::spec::{FieldScore, SectionScore, SpecAttribute, SpecSection};

    fn auth() -> SpecInfo {
        SpecInfo {
            id: "AUTH".into(),
            path: "specs/auth.md".into(),
            title: "Sessions".into(),
            kind: "spec".into(),
            format: "markdown".into(),
            tokens: 1_234,
            sections: 2,
            tags: vec!["login".into()],
            ..SpecInfo::default()
        }
    }

    fn rule() -> SpecInfo {
        let rule =
            SpecRule { mode: "globs".into(), globs: vec!["src/**".into(), "*.ts".into()], ..SpecRule::default() };
        SpecInfo {
            id: ".cursor/rules/web".into(),
            path: ".cursor/rules/web.mdc".into(),
            title: "web\x1b[2J".into(),
            kind: "cursor".into(),
            format: "markdown".into(),
            tokens: 40,
            rule: Some(rule),
            warnings: vec!["line 5".into()],
            ..SpecInfo::default()
        }
    }

    #[test]
    fn a_list_says_when_a_rule_is_read_and_that_something_is_wrong() {
        let text = list(&[rule(), auth()], &view());
        for part in
            ["PATH", "src/**, *.ts", "AUTH", "1,234", "web\\u{1b}[2J", "2 specs, 1,274 tokens; one has something"]
        {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        assert!(!text.contains('\x1b') && !text.contains(".cursor/rules/web "), "{text}");
        assert!(list(&[], &view()).contains("pu spec lint"));
    }

    #[test]
    fn a_spec_is_shown_with_its_sections_and_a_section_alone() {
        let section = |id: &str, level, line| SpecSection {
            id: id.into(),
            heading: if level == 0 { String::new() } else { id.to_uppercase() },
            level,
            tokens: 617,
            line,
        };
        let mut shown = SpecDetail {
            spec: auth(),
            bytes: 4_321,
            attributes: vec![SpecAttribute { key: "status".into(), value: "draft".into() }],
            sections: vec![section("start", 0, Some(4)), section("one", 2, None)],
            ..SpecDetail::default()
        };
        let text = detail(&shown, &view());
        for part in [
            "AUTH  specs/auth.md",
            "size      1,234 tokens, 4,321 bytes, 2 sections",
            "has       status: draft",
            "(before the first heading)",
            "  ONE",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        (shown.section, shown.text, shown.text_cut) = (Some("one".into()), Some("## One\n\x1btext\n".into()), true);
        assert_eq!(detail(&shown, &view()), "## One\n\\u{1b}text\nthe text goes on");
    }

    #[test]
    fn a_hit_says_by_what_it_was_found() {
        let field = |field: &str, score| FieldScore { field: field.into(), score };
        let hit = SpecMatch {
            path: "specs/auth.md".into(),
            score: 0.61,
            matched: vec!["token".into(), "race".into()],
            fields: vec![field("title", 1.0), field("body", 7.31)],
            sections: vec![SectionScore { section: "one".into(), score: 0.5 }],
            ..SpecMatch::default()
        };
        let text = hits(&[hit], &view());
        for part in ["0.61", "one", "token, race", "body 7.3, title 1.0"] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }

    #[test]
    fn findings_are_lines_that_editors_understand() {
        let finding = |severity, line, code: &str| SpecFinding {
            severity,
            code: code.into(),
            path: "specs/a.md".into(),
            line,
            message: "it is so".into(),
            hint: Some("mend it".into()),
        };
        let all = [
            finding(SpecSeverity::Error, Some(3), "dead_link"),
            finding(SpecSeverity::Error, Some(4), "dead_link"),
            finding(SpecSeverity::Note, None, "loaded_natively"),
        ];
        let counted = Counted { specs: 1, errors: 2, warnings: 0, notes: 1 };
        insta::assert_snapshot!(findings(&all, 0, SpecSeverity::Note, counted, Style::PLAIN), @r"
        specs/a.md:3: error: it is so [dead_link]
            -> mend it
        specs/a.md:4: error: it is so [dead_link]
        specs/a.md: note: it is so [loaded_natively]
            -> mend it
        1 spec: 2 errors, 0 warnings, 1 note
        ");
        let told = findings(&all, 7, SpecSeverity::Error, counted, Style::PLAIN);
        assert!(!told.contains("note: ") && told.contains("and 7 more"), "{told}");
        let fine = Counted { specs: 3, errors: 0, warnings: 0, notes: 0 };
        assert_eq!(findings(&[], 0, SpecSeverity::Note, fine, Style::PLAIN), "3 specs: nothing is wrong, 0 notes");
    }
}
