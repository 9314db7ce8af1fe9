//! A spawn as people read it: who was started, where, knowing what, and what to do next.

use super::{View, context};
use crate::text::printable;
use pu_protocol::answer::SpawnReport;

pub(crate) fn report(report: &SpawnReport, view: &View) -> String {
    let name = printable(&report.name);
    let mut lines = vec![format!(
        "{} {} ({}), {}, pid {}",
        view.style.good("spawned"),
        view.style.bold(&name),
        printable(&report.agent_id),
        printable(&report.agent),
        report.pid
    )];
    lines.extend(place(report));
    lines.push(context::summary(&report.context, view));
    lines.push(format!("delivery  {}", delivery(&report.delivery)));
    lines.push(view.style.dim(&format!("next      pu attach {name} | pu logs -f {name} | pu kill {name}")));
    lines.join("\n")
}

/// Where an agent works.
pub(super) fn place(report: &SpawnReport) -> Vec<String> {
    let mut lines = vec![match &report.worktree {
        Some(worktree) => format!("worktree  {}", printable(worktree)),
        None => format!("works in  {}", printable(&report.project_root.to_string_lossy())),
    }];
    lines.extend(report.branch.as_ref().map(|branch| format!("branch    {}", printable(branch))));
    lines
}

pub(super) fn delivery(route: &str) -> String {
    match route {
        "system" => "as part of the system prompt".into(),
        "prompt" => "in the prompt".into(),
        "file" => "as a file, named by PU_CONTEXT_FILE".into(),
        "env" => "by the environment".into(),
        "session" => "the session has it already".into(),
        "none" => "none".into(),
        other => printable(other).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::view;
    use pu_protocol::context::ContextReport;

    #[test]
    fn a_spawn_shows_agent_place_context_and_next_steps() {
        let mut spawned = SpawnReport {
            agent_id: "a1b2c3d4".into(),
            name: "fix-auth".into(),
            agent: "claude".into(),
            project_root: "/work/shop".into(),
            worktree: Some(".pu/worktrees/fix-auth".into()),
            branch: Some("pu/fix-auth".into()),
            pid: 4242,
            delivery: "file".into(),
            context: context::tests::report(),
        };
        insta::assert_snapshot!(report(&spawned, &view()), @r#"
        spawned fix-auth (a1b2c3d4), claude, pid 4242
        worktree  .pu/worktrees/fix-auth
        branch    pu/fix-auth
        context   2 specs, 1,234 of 8,000 tokens
          SPEC            TOKENS  SCORE  BY       WHY
          AUTH            812     0.91   keyword  the title has "auth"
          STORE § Tokens  422     0.40   keyword  the title has "auth"
        skipped   loops 1.0.0: deadline: ran longer than 50 ms
        warning   specs/big.bin is not text
        delivery  as a file, named by PU_CONTEXT_FILE
        next      pu attach fix-auth | pu logs -f fix-auth | pu kill fix-auth
        "#);
        (spawned.worktree, spawned.branch) = (None, None);
        (spawned.delivery, spawned.context) = ("none".into(), ContextReport::default());
        insta::assert_snapshot!(report(&spawned, &view()), @r#"
        spawned fix-auth (a1b2c3d4), claude, pid 4242
        works in  /work/shop
        context   none
        delivery  none
        next      pu attach fix-auth | pu logs -f fix-auth | pu kill fix-auth
        "#);
    }
}
