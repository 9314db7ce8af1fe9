//! What ran, as people look back on it: a line a run, or each run in full.

use super::{View, context, count, grouped, state};
use crate::text::{brief, printable};
use pu_protocol::history::PastRun;

const TASK_MAX: usize = 60;
/// As many files as are listed of a run.
const FILES_MAX: usize = 20;

pub(crate) fn table(runs: &[PastRun], more: u32, all_projects: bool, view: &View) -> String {
    if runs.is_empty() {
        return "nothing that ran is on record".to_owned();
    }
    let rows = runs.iter().map(|run| {
        let place = run.project_root.file_name().unwrap_or(run.project_root.as_os_str()).to_string_lossy();
        let name = if all_projects { format!("{place}: {}", run.name) } else { run.name.clone() };
        let specs: std::collections::BTreeSet<&str> = run.context.picks.iter().map(|pick| pick.path.as_str()).collect();
        let told = format!("{}, {}", count(specs.len(), "spec"), grouped(run.context.tokens.into()));
        let task = run.prompt.lines().next().unwrap_or_default();
        [
            view.age(&run.started_at),
            name,
            run.agent_id.clone(),
            run.agent.clone(),
            ended(run),
            told,
            brief(task, TASK_MAX),
        ]
    });
    let mut out = view.table(["AGE", "NAME", "ID", "AGENT", "END", "CONTEXT", "TASK"], rows);
    out.push_str(&and_more(more));
    out
}

pub(crate) fn in_full(runs: &[PastRun], more: u32, view: &View) -> String {
    if runs.is_empty() {
        return "nothing of that name that ran is on record".to_owned();
    }
    let mut out = runs.iter().map(|run| one(run, view)).collect::<Vec<_>>().join("\n\n");
    out.push_str(&and_more(more));
    out
}

fn one(run: &PastRun, view: &View) -> String {
    let mut lines = vec![format!(
        "{} ({}), {}, started {} ago",
        view.style.bold(&printable(&run.name)),
        printable(&run.agent_id),
        printable(&run.agent),
        view.age(&run.started_at)
    )];
    lines.extend(run.resumes.as_ref().map(|before| format!("resumes   {}", printable(before))));
    lines.extend(run.session_id.as_ref().map(|session| format!("session   {}", printable(session))));
    lines.push(match &run.worktree {
        Some(worktree) => format!("worktree  {}", printable(worktree)),
        None => format!("worked in {}", printable(&run.project_root.to_string_lossy())),
    });
    lines.push(format!("task      {}", brief(run.prompt.lines().next().unwrap_or_default(), TASK_MAX)));
    if !run.tags.is_empty() {
        lines.push(format!("tags      {}", printable(&run.tags.join(", "))));
    }
    lines.push(context::summary(&run.context, view));
    let at = run.end.as_ref().map(|end| format!(", {} ago", view.age(&end.at))).unwrap_or_default();
    lines.push(format!("end       {}{at}", ended(run)));
    let touched = run.end.as_ref().map(|end| end.touched.as_slice()).unwrap_or_default();
    for file in touched.iter().take(FILES_MAX) {
        lines.push(format!("  {} {}", printable(&file.status), printable(&file.path)));
    }
    if touched.len() > FILES_MAX {
        lines.push(format!("  and {}", count(touched.len() - FILES_MAX, "more file")));
    }
    lines.join("\n")
}

fn ended(run: &PastRun) -> String {
    match &run.end {
        Some(end) => state(&end.state),
        None => printable(&run.state).replace('_', " "),
    }
}

fn and_more(more: u32) -> String {
    if more == 0 { String::new() } else { format!("\nand {}: --limit N shows them", count(more as usize, "older run")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::tests;
    use crate::render::tests::view;
    use pu_protocol::history::{RunEnd, Touched};

    fn run() -> PastRun {
        PastRun {
            agent_id: "bbbb2222".into(),
            name: "fix-auth".into(),
            agent: "claude".into(),
            project_root: "/work/shop".into(),
            worktree: Some(".pu/worktrees/fix-auth".into()),
            branch: Some("pu/fix-auth".into()),
            session_id: Some("3f0e2c1a".into()),
            resumes: Some("aaaa1111".into()),
            started_at: "2026-01-02T03:04:05Z".into(),
            prompt: "fix the auth race\nand test it".into(),
            tags: vec!["auth".into()],
            context: context::tests::report(),
            state: "exited".into(),
            end: Some(RunEnd {
                at: "2026-01-02T03:05:05Z".into(),
                state: tests::ended(Some(3), None),
                touched: vec![Touched { path: "src/auth.rs".into(), status: "modified".into() }],
            }),
        }
    }

    #[test]
    fn runs_are_a_line_each() {
        let mut live = run();
        (live.end, live.state, live.name) = (None, "running".into(), "docs".into());
        insta::assert_snapshot!(table(&[live, run()], 3, false, &view()), @r"
        AGE  NAME      ID        AGENT   END       CONTEXT         TASK
        2m   docs      bbbb2222  claude  running   2 specs, 1,234  fix the auth race
        2m   fix-auth  bbbb2222  claude  exited 3  2 specs, 1,234  fix the auth race
        and 3 older runs: --limit N shows them
        ");
        assert_eq!(table(&[], 0, false, &view()), "nothing that ran is on record");
        assert!(table(&[run()], 0, true, &view()).contains("shop: fix-auth"));
    }

    #[test]
    fn a_run_in_full_tells_what_it_knew_and_what_it_touched() {
        insta::assert_snapshot!(in_full(&[run()], 0, &view()), @r#"
        fix-auth (bbbb2222), claude, started 2m ago
        resumes   aaaa1111
        session   3f0e2c1a
        worktree  .pu/worktrees/fix-auth
        task      fix the auth race
        tags      auth
        context   2 specs, 1,234 of 8,000 tokens
          SPEC            TOKENS  SCORE  BY       WHY
          AUTH            812     0.91   keyword  the title has "auth"
          STORE § Tokens  422     0.40   keyword  the title has "auth"
        skipped   loops 1.0.0: deadline: ran longer than 50 ms
        warning   specs/big.bin is not text
        end       exited 3, 1m ago
          modified src/auth.rs
        "#);
    }
}
