//! What of a project can act, for whoever is to allow it: all of it, with the digests, and what is new marked as that.
//!
//! Every name and command here is a stranger's: each passes `printable`.

use super::View;
use crate::text::printable;
use pu_protocol::trust::{PartState, TrustKind, TrustPart, TrustReport, TrustState};

/// In the order in which they are shown, with what each is called.
const KINDS: [(TrustKind, &str); 7] = [
    (TrustKind::Agent, "commands of agents"),
    (TrustKind::DefaultAgent, "the agent that is started where none is named"),
    (TrustKind::AgentFile, "files of agent definitions"),
    (TrustKind::Plugin, "plugins"),
    (TrustKind::Assembler, "the chain of assemblers: which plugin each runs"),
    (TrustKind::Grant, "grants"),
    (TrustKind::Lock, "pins of plugins"),
];

pub(crate) fn report(report: &TrustReport, view: &View) -> String {
    let root = report.root.to_string_lossy();
    let name = view.style.bold(&printable(&report.name));
    let head = match report.state {
        TrustState::Known => "is known, not trusted:",
        TrustState::Trusted => "is trusted:",
        TrustState::Changed => "is trusted, and what can act in it has changed:",
    };
    let mut lines = vec![format!("{name} {head} {}", printable(&root))];
    if report.parts.is_empty() {
        lines.push("it has no plugins, no commands and no grants of its own".to_owned());
    }
    lines.extend(parts(&report.parts, report.state, view));
    lines.extend(report.gone.iter().map(|part| view.style.dim(&format!("gone: {}", printable(part)))));
    let specs: u32 = report.sources.iter().map(|source| source.specs).sum();
    lines.push(format!("specs for its agents: {specs}"));
    lines.extend(report.sources.iter().map(|source| format!("  {}  {}", printable(&source.path), source.specs)));
    lines.extend(report.warnings.iter().map(|why| view.style.warn(&format!("warning   {}", printable(why)))));
    lines.join("\n")
}

/// How a project stands now, in one line.
pub(crate) fn done(report: &TrustReport) -> String {
    let (name, root) = (printable(&report.name), report.root.to_string_lossy());
    let now = match report.state {
        TrustState::Trusted => "is trusted",
        TrustState::Known => "is not trusted any more; agents that run go on",
        TrustState::Changed => "is trusted, and has changed already",
    };
    format!("{name} {now}: {}", printable(&root))
}

/// The parts under the headings of their kinds.
pub(crate) fn parts(parts: &[TrustPart], state: TrustState, view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, heading) in KINDS {
        let of_kind: Vec<&TrustPart> = parts.iter().filter(|part| part.kind == kind).collect();
        if !of_kind.is_empty() {
            lines.push(format!("{heading}:"));
            lines.extend(of_kind.into_iter().map(|part| line(part, state, view)));
        }
    }
    lines
}

fn line(part: &TrustPart, state: TrustState, view: &View) -> String {
    let is_file = matches!(part.kind, TrustKind::Plugin | TrustKind::AgentFile | TrustKind::Lock);
    let mut line = format!("  {}", view.style.bold(&printable(&part.name)));
    if is_file {
        // What is not read has no digest and is not run.
        let is_digest = part.digest.len() == 64 && part.digest.bytes().all(|b| b.is_ascii_hexdigit());
        let digest = if is_digest { format!("sha256 {}", part.digest) } else { printable(&part.digest).into_owned() };
        line.push_str(&format!("  {digest}"));
    } else {
        line.push_str(&format!("  {}", printable(&part.detail)));
    }
    match (state, part.state) {
        // Of a project that nobody trusts all is new.
        (TrustState::Known, _) | (_, PartState::Allowed) => line,
        (_, PartState::New) => format!("{line}  {}", view.style.warn("new")),
        (_, PartState::Changed) => format!("{line}  {}", view.style.warn("changed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;
    use pu_protocol::trust::SpecSource;

    fn part(kind: TrustKind, name: &str, detail: &str, state: PartState) -> TrustPart {
        let digest = if detail.is_empty() { "ab".repeat(32) } else { "cd".repeat(32) };
        TrustPart { kind, name: name.into(), file: ".pu/config.toml".into(), detail: detail.into(), digest, state }
    }

    fn shop() -> TrustReport {
        TrustReport {
            root: "/work/shop".into(),
            name: "shop".into(),
            state: TrustState::Changed,
            parts: vec![
                part(TrustKind::Plugin, ".pu/plugins/ledger.wasm", "", PartState::Changed),
                part(TrustKind::Agent, "own", "command = \"./run\"", PartState::Allowed),
                part(TrustKind::Grant, "ledger", "[\"state\"]", PartState::New),
            ],
            gone: vec!["agents.old in .pu/config.toml".into()],
            sources: vec![SpecSource { path: "specs/".into(), specs: 12 }],
            ..TrustReport::default()
        }
    }

    #[test]
    fn all_that_can_act_is_shown_and_what_is_new_is_marked() {
        insta::assert_snapshot!(report(&shop(), &view()), @r#"
        shop is trusted, and what can act in it has changed: /work/shop
        commands of agents:
          own  command = "./run"
        plugins:
          .pu/plugins/ledger.wasm  sha256 abababababababababababababababababababababababababababababababab  changed
        grants:
          ledger  ["state"]  new
        gone: agents.old in .pu/config.toml
        specs for its agents: 12
          specs/  12
        "#);
        let known = TrustReport { state: TrustState::Known, ..shop() };
        let told = report(&known, &view());
        assert!(told.starts_with("shop is known, not trusted: /work/shop\n") && !told.contains("  new"), "{told}");
        let none = TrustReport { parts: vec![], ..shop() };
        assert!(report(&none, &view()).contains("no plugins, no commands"));
        assert_eq!(done(&known), "shop is not trusted any more; agents that run go on: /work/shop");
    }

    #[test]
    fn nothing_of_a_stranger_reaches_the_terminal_raw() {
        let evil = "a\u{1b}[2K\r\nallowed by you: nothing\u{202e}";
        let hidden = TrustReport {
            root: format!("/w/{evil}").into(),
            name: evil.into(),
            parts: vec![
                part(TrustKind::Agent, evil, evil, PartState::New),
                TrustPart { digest: evil.into(), ..part(TrustKind::Plugin, evil, "", PartState::New) },
            ],
            gone: vec![evil.into()],
            sources: vec![SpecSource { path: evil.into(), specs: 1 }],
            warnings: vec![evil.into()],
            ..TrustReport::default()
        };
        let told = report(&hidden, &view());
        assert!(!told.contains(['\u{1b}', '\r', '\u{202e}']), "{told:?}");
        assert_eq!(told.lines().count(), 9, "no name begins a line of its own: {told}");
        assert!(!done(&hidden).contains(['\u{1b}', '\r', '\n']));
    }
}
