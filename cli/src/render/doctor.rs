//! Findings as people read them: one below the other, with what to do where there is something to do.

use super::count;
use crate::screen::Style;
use crate::text::printable;
use pu_protocol::{Finding, FindingState};

/// As wide as the longest names of states and checks, and a gap.
const STATE: usize = 9;
const CHECK: usize = 16;

pub(crate) fn report(findings: &[Finding], style: Style) -> String {
    let mut lines: Vec<String> = findings.iter().flat_map(|finding| told(finding, style)).collect();
    lines.push(summary(findings, style));
    lines.join("\n")
}

fn told(finding: &Finding, style: Style) -> Vec<String> {
    let state = match finding.state {
        FindingState::Ok => style.good(&format!("{:<STATE$}", "ok")),
        FindingState::Warning => style.warn(&format!("{:<STATE$}", "warning")),
        FindingState::Problem => style.bad(&format!("{:<STATE$}", "problem")),
    };
    let mut detail = finding.detail.trim_end().lines();
    let first = printable(detail.next().unwrap_or_default());
    let mut lines = vec![format!("{state}{:<CHECK$}{first}", printable(&finding.check))];
    let below = " ".repeat(STATE + CHECK);
    lines.extend(detail.map(|line| format!("{below}{}", printable(line))));
    lines.extend(finding.hint.iter().map(|hint| format!("{below}{}", style.dim(&format!("-> {}", printable(hint))))));
    lines
}

fn summary(findings: &[Finding], style: Style) -> String {
    let of = |state: FindingState| findings.iter().filter(|finding| finding.state == state).count();
    match (of(FindingState::Problem), of(FindingState::Warning)) {
        (0, 0) => style.good("all is as it should be"),
        (0, warnings) => style.warn(&format!("no problem, {}", count(warnings, "warning"))),
        (problems, warnings) => style.bad(&format!("{}, {}", count(problems, "problem"), count(warnings, "warning"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_its_state_and_what_to_do() {
        let findings = [
            Finding::ok("daemon", "pu-engine 0.1.0 answers"),
            Finding::warning("agent_programs", "none is installed\x1b[2J").with_hint("install one"),
            Finding::problem("config", "/p/.pu/config.toml: line 3\n  | rowz\n").with_hint("mend it"),
        ];
        insta::assert_snapshot!(report(&findings, Style::PLAIN), @r"
        ok       daemon          pu-engine 0.1.0 answers
        warning  agent_programs  none is installed\u{1b}[2J
                                 -> install one
        problem  config          /p/.pu/config.toml: line 3
                                   | rowz
                                 -> mend it
        1 problem, 1 warning
        ");
        assert_eq!(summary(&findings[..1], Style::PLAIN), "all is as it should be");
        assert_eq!(summary(&findings[..2], Style::PLAIN), "no problem, 1 warning");
    }
}
