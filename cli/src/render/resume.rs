//! A resume as people read it: who goes on, in which session, and what its context has more or less than before.

use super::{View, context_diff, spawn};
use crate::text::printable;
use pu_protocol::answer::ResumedAgent;

pub(crate) fn report(resumed: &[ResumedAgent], view: &View) -> String {
    if resumed.is_empty() {
        return "no agent to resume".to_owned();
    }
    resumed.iter().map(|agent| one(agent, view)).collect::<Vec<_>>().join("\n\n")
}

fn one(agent: &ResumedAgent, view: &View) -> String {
    let started = &agent.started;
    let name = printable(&started.name);
    let mut lines = vec![format!(
        "{} {} ({}, before {}), {}, pid {}",
        view.style.good("resumed"),
        view.style.bold(&name),
        printable(&started.agent_id),
        printable(&agent.resumes),
        printable(&started.agent),
        started.pid
    )];
    lines.push(match (&agent.fresh_because, &agent.session_id) {
        (Some(why), _) => view.style.warn(&format!("session   begins anew, since {}", printable(why))),
        (None, Some(id)) => format!("session   {} goes on", printable(id)),
        (None, None) => "session   goes on".to_owned(),
    });
    lines.extend(spawn::place(started));
    lines.push(change(agent, view));
    for warning in &started.context.warnings {
        lines.push(view.style.warn(&format!("warning   {}", printable(warning))));
    }
    lines.push(format!("delivery  {}", spawn::delivery(&started.delivery)));
    lines.push(view.style.dim(&format!("next      pu attach {name} | pu logs -f {name} | pu kill {name}")));
    lines.join("\n")
}

fn change(agent: &ResumedAgent, view: &View) -> String {
    let (before, now) = (&agent.context_before, &agent.started.context);
    match (agent.context_changed, now.picks.is_empty() && before.picks.is_empty()) {
        (false, true) => "context   none".to_owned(),
        (false, false) => format!("context   the same as before, {}", context_diff::sized(now)),
        (true, _) => {
            let told = context_diff::rows(before, now, view);
            let told = told.unwrap_or_else(|| "  the same specs in the same order, with another text".to_owned());
            format!("context   {}; before {}\n{told}", context_diff::sized(now), context_diff::sized(before))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::context;
    use crate::render::tests::view;
    use pu_protocol::answer::SpawnReport;

    fn agent() -> ResumedAgent {
        ResumedAgent {
            started: SpawnReport {
                agent_id: "bbbb2222".into(),
                name: "fix-auth".into(),
                agent: "claude".into(),
                project_root: "/work/shop".into(),
                worktree: Some(".pu/worktrees/fix-auth".into()),
                branch: Some("pu/fix-auth".into()),
                pid: 4242,
                delivery: "session".into(),
                context: context::tests::report(),
            },
            resumes: "aaaa1111".into(),
            session_id: Some("3f0e2c1a".into()),
            fresh_because: None,
            context_before: context::tests::report(),
            context_changed: false,
        }
    }

    #[test]
    fn who_goes_on_in_which_session_is_told_with_what_changed() {
        let mut resumed = agent();
        insta::assert_snapshot!(report(&[resumed.clone()], &view()), @r"
        resumed fix-auth (bbbb2222, before aaaa1111), claude, pid 4242
        session   3f0e2c1a goes on
        worktree  .pu/worktrees/fix-auth
        branch    pu/fix-auth
        context   the same as before, 2 specs, 1,234 tokens
        warning   specs/big.bin is not text
        delivery  the session has it already
        next      pu attach fix-auth | pu logs -f fix-auth | pu kill fix-auth
        ");
        (resumed.context_changed, resumed.started.context.warnings) = (true, Vec::new());
        resumed.context_before.picks.pop();
        resumed.fresh_because = Some("a shell command has no session".into());
        (resumed.session_id, resumed.started.delivery) = (None, "file".into());
        insta::assert_snapshot!(report(&[resumed.clone()], &view()), @r#"
        resumed fix-auth (bbbb2222, before aaaa1111), claude, pid 4242
        session   begins anew, since a shell command has no session
        worktree  .pu/worktrees/fix-auth
        branch    pu/fix-auth
        context   2 specs, 1,234 tokens; before 1 spec, 1,234 tokens
          CHANGE  SPEC            TOKENS  SCORE  BY       WHY
          more    STORE § Tokens  422     0.40   keyword  the title has "auth"
        delivery  as a file, named by PU_CONTEXT_FILE
        next      pu attach fix-auth | pu logs -f fix-auth | pu kill fix-auth
        "#);
        resumed.context_before.picks.clone_from(&resumed.started.context.picks);
        assert!(report(&[resumed], &view()).contains("with another text"));
        assert_eq!(report(&[], &view()), "no agent to resume");
    }
}
