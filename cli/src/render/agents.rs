//! Agents as a table, and one agent's end as a sentence.

use super::activity::standing;
use super::{View, count, state};
use crate::text::{brief, printable};
use pu_protocol::AgentInfo;
use pu_protocol::answer::StatusReport;

const TASK_MAX: usize = 60;

pub(crate) fn status(report: &StatusReport, all_projects: bool, view: &View) -> String {
    let mut out = if report.agents.is_empty() {
        "no agents; start one: pu spawn \"what is to be done\"".to_owned()
    } else if all_projects {
        let headings = ["PROJECT", "NAME", "ID", "AGENT", "STATE", "AGE", "WHERE", "TASK"];
        view.table(headings, report.agents.iter().map(|agent| with_project(agent, row(agent, report, view))))
    } else {
        let rows = report.agents.iter().map(|agent| row(agent, report, view));
        view.table(["NAME", "ID", "AGENT", "STATE", "AGE", "WHERE", "TASK"], rows)
    };
    if report.more > 0 {
        let older = count(report.more as usize, "older ended agent");
        out.push_str(&format!("\nand {older}; `pu clean` removes what ended agents left"));
    }
    for folder in &report.unrecognised {
        let note = format!("not recognised, left alone: {}", printable(folder));
        out.push_str(&format!("\n{}", view.style.warn(&note)));
    }
    out
}

fn row(agent: &AgentInfo, report: &StatusReport, view: &View) -> [String; 7] {
    let next = report.agents.iter().find(|other| other.resumes.as_ref() == Some(&agent.agent_id));
    let goes_on = next.map(|next| format!(", resumed as {}", printable(&next.agent_id)));
    let place = agent.branch.clone().or_else(|| agent.worktree.clone());
    [
        agent.name.clone(),
        agent.agent_id.clone(),
        agent.agent.clone(),
        format!("{}{}", standing(agent), goes_on.unwrap_or_default()),
        view.age(&agent.created_at),
        place.unwrap_or_else(|| "project root".to_owned()),
        brief(&agent.task, TASK_MAX),
    ]
}

fn with_project(agent: &AgentInfo, row: [String; 7]) -> [String; 8] {
    let project = agent.project_root.file_name().unwrap_or(agent.project_root.as_os_str()).to_string_lossy();
    let [a, b, c, d, e, f, g] = row;
    [project.into_owned(), a, b, c, d, e, f, g]
}

/// How an agent stands, in a sentence: `fix-auth exited 0, 3m ago`.
pub(crate) fn ending(agent: &AgentInfo, view: &View) -> String {
    let ago = agent.state.exit().map(|exit| format!(", {} ago", view.age(&exit.ended_at)));
    format!("{} {}{}", printable(&agent.name), state(&agent.state), ago.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests::{agent, ended};
    use crate::render::tests::view;
    use pu_protocol::AgentState;

    fn report() -> StatusReport {
        let mut in_root = agent("cccc3333", "shell", AgentState::Lost { reason: "the machine was restarted".into() });
        (in_root.worktree, in_root.branch) = (None, None);
        in_root.task = "look \x1b[31mred\nsecond line".into();
        StatusReport {
            agents: vec![
                agent("aaaa1111", "fix-auth", AgentState::Running { pid: 7 }),
                agent("bbbb2222", "docs", ended(Some(3), None)),
                in_root,
            ],
            more: 0,
            unrecognised: vec!["/h/.pu/agents/odd".into()],
        }
    }

    #[test]
    fn agents_are_listed_aligned_and_harmless() {
        insta::assert_snapshot!(status(&report(), false, &view()), @r#"
        NAME      ID        AGENT     STATE                  AGE  WHERE         TASK
        fix-auth  aaaa1111  terminal  running                2m   pu/fix-auth   do fix-auth
        docs      bbbb2222  terminal  exited 3               2m   pu/docs       do docs
        shell     cccc3333  terminal  lost: the machine was  2m   project root  look \u{1b}[31mred
                                      restarted
        not recognised, left alone: /h/.pu/agents/odd
        "#);
    }

    #[test]
    fn across_projects_each_agent_names_its_own() {
        let mut report = report();
        report.agents.truncate(1);
        insta::assert_snapshot!(status(&report, true, &view()), @r#"
        PROJECT  NAME      ID        AGENT     STATE    AGE  WHERE        TASK
        shop     fix-auth  aaaa1111  terminal  running  2m   pu/fix-auth  do fix-auth
        not recognised, left alone: /h/.pu/agents/odd
        "#);
    }

    #[test]
    fn an_earlier_life_names_the_next_one() {
        let mut report = report();
        report.agents[0].resumes = Some("bbbb2222".into());
        let text = status(&report, false, &view());
        assert!(text.contains("exited 3, resumed") && text.matches("aaaa1111").count() == 2, "{text}");
    }

    #[test]
    fn no_agents_is_an_invitation() {
        let none = StatusReport { agents: vec![], more: 0, unrecognised: vec![] };
        insta::assert_snapshot!(status(&none, false, &view()), @r#"
        no agents; start one: pu spawn "what is to be done"
        "#);
    }

    #[test]
    fn an_end_is_told_with_its_time() {
        assert_eq!(ending(&agent("a", "docs", ended(Some(3), None)), &view()), "docs exited 3, 1m ago");
        assert_eq!(ending(&agent("a", "docs", ended(None, Some("SIGKILL"))), &view()), "docs killed SIGKILL, 1m ago");
        assert_eq!(ending(&agent("a", "docs", AgentState::Running { pid: 1 }), &view()), "docs running");
    }
}
