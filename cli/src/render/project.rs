//! Projects as people read of them: the list, and one in detail.

use super::{View, count, grouped};
use crate::screen::Style;
use crate::text::printable;
use pu_protocol::project::{FoundFiles, ProjectDetail, ProjectInfo};

/// As many digits of an id as are enough to name a project.
const ID_DIGITS: usize = 8;

/// The table of `pu project list`, and what is wrong with some.
pub(crate) fn list(projects: &[ProjectInfo], view: &View) -> String {
    if projects.is_empty() {
        return "no projects; `pu init` in a folder makes it one".to_owned();
    }
    let rows = projects.iter().map(|project| {
        [
            project.name.clone(),
            project.state.clone(),
            grouped(project.agents.into()),
            seen(project, view),
            project.root.to_string_lossy().into_owned(),
        ]
    });
    let mut lines = vec![view.table(["NAME", "STATE", "AGENTS", "SEEN", "ROOT"], rows)];
    let faults = projects.iter().filter_map(|project| Some((project, project.error.as_ref()?)));
    lines.extend(faults.map(|(project, error)| wrong(&project.name, error, view.style)));
    lines.join("\n")
}

/// How long ago.
fn seen(project: &ProjectInfo, view: &View) -> String {
    let time = project.last_seen.as_deref().unwrap_or(&project.first_seen);
    if time.is_empty() { "-".to_owned() } else { view.age(time) }
}

/// All about one project.
pub(crate) fn detail(detail: &ProjectDetail, view: &View) -> String {
    let ProjectDetail { project, ended_agents, former_roots, condition } = detail;
    let style = view.style;
    let root = project.root.to_string_lossy();
    let mut lines = vec![format!("{}  {}", style.bold(&printable(&project.name)), printable(&root))];
    let mut line = |name: &str, text: &str| {
        if !text.is_empty() {
            lines.push(format!("{name:<10}{text}"));
        }
    };
    line("state", &state(project, style));
    line("id", &project.id.as_deref().map(short).unwrap_or_default());
    let ago = |time: &str| format!("{} ago", view.age(time));
    if !project.first_seen.is_empty() {
        line("known for", &view.age(&project.first_seen));
    }
    line("seen", &project.last_seen.as_deref().map(ago).unwrap_or_default());
    line("agents", &format!("{} running, {} ended", grouped(project.agents.into()), grouped((*ended_agents).into())));
    for former in former_roots {
        line("moved", &format!("from {}", printable(&former.to_string_lossy())));
    }
    lines.extend(condition.iter().map(|what| wrong("wrong", what, style)));
    lines.join("\n")
}

fn state(project: &ProjectInfo, style: Style) -> String {
    let word = printable(&project.state);
    match project.state.as_str() {
        "trusted" => style.good(&word),
        "known" => format!("{}: nothing of it acts before `pu trust` there", style.warn(&word)),
        "missing" if project.trusted => {
            format!("{}: there is no .pu at its root; trusted when there was", style.warn(&word))
        }
        "missing" => format!("{}: there is no .pu at its root", style.warn(&word)),
        _ => style.warn(&word),
    }
}

fn short(id: &str) -> String {
    printable(&id.chars().take(ID_DIGITS).collect::<String>()).into_owned()
}

/// The first line of what is wrong; the others are about where in a file it stands.
fn wrong(name: &str, what: &str, style: Style) -> String {
    let first = what.lines().next().unwrap_or_default();
    style.warn(&format!("{:<10}{}", printable(name), printable(first)))
}

/// What was forgotten.
pub(crate) fn removed(project: &ProjectInfo) -> String {
    let root = project.root.to_string_lossy();
    let agents = match project.agents {
        0 => String::new(),
        running => format!("; {} of it still running: pu status --all-projects", count(running as usize, "agent")),
    };
    format!("forgot {} at {}; its folder is as it was{agents}", printable(&project.name), printable(&root))
}

/// Kinds of specs with their numbers: `8 spec, 3 cursor, 1 agents`.
pub(crate) fn kinds(found: &[FoundFiles]) -> String {
    let parts = found.iter().map(|one| format!("{} {}", grouped(one.files.into()), printable(&one.kind)));
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;

    fn project(name: &str, state: &str) -> ProjectInfo {
        ProjectInfo {
            root: format!("/work/{name}").into(),
            name: name.into(),
            id: Some("0123456789abcdef0123456789abcdef".into()),
            state: state.into(),
            trusted: state == "trusted",
            first_seen: "2026-01-01T03:06:05Z".into(),
            last_seen: Some("2026-01-02T03:04:05Z".into()),
            agents: 2,
            error: None,
        }
    }

    #[test]
    fn projects_are_listed_with_what_is_wrong() {
        let mut till = project("till", "known");
        (till.last_seen, till.agents) = (None, 0);
        till.error = Some("/work/till/.pu/config.toml: unknown \x1b[2J key\n  | rowz".into());
        insta::assert_snapshot!(list(&[project("shop", "trusted"), till], &view()), @r"
        NAME  STATE    AGENTS  SEEN  ROOT
        shop  trusted  2       2m    /work/shop
        till  known    0       1d    /work/till
        till      /work/till/.pu/config.toml: unknown \u{1b}[2J key
        ");
        assert!(list(&[], &view()).contains("pu init"));
    }

    #[test]
    fn one_project_is_told_with_where_it_was() {
        let shown = ProjectDetail {
            project: project("shop", "missing"),
            ended_agents: 1,
            former_roots: vec!["/old/shop".into()],
            condition: Vec::new(),
        };
        insta::assert_snapshot!(detail(&shown, &view()), @r"
        shop  /work/shop
        state     missing: there is no .pu at its root
        id        01234567
        known for 1d
        seen      2m ago
        agents    2 running, 1 ended
        moved     from /old/shop
        ");
        insta::assert_snapshot!(
            removed(&shown.project),
            @"forgot shop at /work/shop; its folder is as it was; 2 agents of it still running: pu status --all-projects"
        );
    }

    #[test]
    fn what_was_found_is_counted_by_kind() {
        let found = |kind: &str, files| FoundFiles { kind: kind.into(), files, tokens: 9 };
        assert_eq!(kinds(&[found("spec", 1_200), found("cursor", 3)]), "1,200 spec, 3 cursor");
    }
}
