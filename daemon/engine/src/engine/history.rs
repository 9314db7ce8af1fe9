//! `history`: what ran, with what context, and how it ended, as the projects' own files tell it.

use super::failure::Failure;
use super::state::Engine;
use crate::projects::ProjectError;
use crate::store::{Run, read_runs};
use jiff::Timestamp;
use pu_protocol::history::{PastRun, RunEnd, Touched};
use pu_protocol::layout::ProjectLayout;
use pu_protocol::{Answer, ErrorBody, ErrorCode, LINE_MAX};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As many runs as are told where nobody says how many.
const LIMIT: u32 = 50;
const PROMPT_MAX: usize = 2_000;
/// The shortest beginning of an id that names an agent.
const PREFIX_MIN: usize = 4;
/// Bytes of a line that an answer leaves free.
const SPARE: usize = 1024;
/// How long the history of one project may take.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// As many projects are told of whose history cannot be read, and why in as many characters.
const WARNINGS_MAX: usize = 100;
const WARNING_MAX: usize = 1_000;

/// Which runs are asked for; what is absent lets all pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) agent: Option<String>,
    pub(super) agent_type: Option<String>,
    pub(super) state: Option<String>,
    pub(super) since: Option<String>,
    pub(super) spec: Option<String>,
    pub(super) limit: Option<u32>,
}

impl Engine {
    pub(super) async fn history(
        &self,
        cwd: Option<PathBuf>,
        all_projects: bool,
        filter: Filter,
    ) -> Result<Answer, Failure> {
        let since = filter.since.as_deref().map(moment).transpose()?;
        let roots: BTreeSet<PathBuf> = if all_projects {
            let known = self.roster.list(None).into_iter().map(|info| info.project_root);
            known.chain(self.projects.trusted_roots()).collect()
        } else {
            let Some(root) = self.project_root(cwd).await else {
                let message = "this folder is in no project, and history is a project's";
                let body = ErrorBody::new(ErrorCode::NotAProject, message);
                return Err(body.with_hint("`pu history --all-projects` tells of them all").into());
            };
            self.check_known(&root).await?;
            BTreeSet::from([root])
        };
        let (mut runs, mut warnings) = (Vec::new(), Vec::new());
        for root in roots {
            match self.runs_of(root.clone()).await {
                Ok(of_one) => runs.extend(of_one),
                // What one project does not tell hides none of the others.
                Err(failure) if all_projects => {
                    failure.log("history");
                    let message: String = failure.body.message.chars().take(WARNING_MAX).collect();
                    warnings.push(format!("the history of {} is not told: {message}", root.display()));
                }
                Err(failure) => return Err(failure),
            }
        }
        warnings.truncate(WARNINGS_MAX);
        runs.retain(|run| matches(run, &filter, since));
        runs.sort_by(|a, b| b.started_at.cmp(&a.started_at));
        let all = runs.len();
        runs.truncate(filter.limit.unwrap_or(LIMIT) as usize);
        let told = serde_json::to_vec(&warnings).map_or(0, |json| json.len());
        fit_line(&mut runs, (LINE_MAX - SPARE).saturating_sub(told));
        let more = u32::try_from(all - runs.len()).unwrap_or(u32::MAX);
        Ok(Answer::HistoryReport { runs, more, warnings })
    }

    /// Refuses a project whose history may be what somebody else made up: one that brings its `.pu/`, has no trust and has
    /// had no agent of ours.
    async fn check_known(&self, root: &Path) -> Result<(), Failure> {
        let is_ours = self.projects.is_trusted(root) || !self.roster.list(Some(root)).is_empty();
        let layout = ProjectLayout::new(root);
        if is_ours || !self.within(root, move || layout.root().exists()).await? {
            return Ok(());
        }
        Err(ProjectError::Untrusted(root.to_owned()).into())
    }

    async fn runs_of(&self, root: PathBuf) -> Result<Vec<PastRun>, Failure> {
        let (engine, at) = (self.clone(), root.clone());
        let read = self.slowly_within(&root, move || -> Result<Vec<PastRun>, Failure> {
            let runs = read_runs(&ProjectLayout::new(&at))?;
            Ok(runs.into_iter().map(|run| engine.told_of(run, &at)).collect())
        });
        match tokio::time::timeout(READ_LIMIT, read).await {
            Ok(read) => read?,
            Err(_) => {
                let message = format!("the history of {} could not be read within {READ_LIMIT:?}", root.display());
                let body = ErrorBody::new(ErrorCode::TimedOut, message);
                Err(body.with_hint("its file system may hang: `pu doctor` tells which projects do").into())
            }
        }
    }

    fn told_of(&self, run: Run, root: &Path) -> PastRun {
        let now = || self.roster.get(&run.agent.agent_id).map(|agent| agent.info.state.name());
        let state = match &run.end {
            Some(end) => end.state.name(),
            None => now().unwrap_or("unknown"),
        };
        let touched = |file: crate::store::TouchedFile| Touched { path: file.path, status: file.status };
        PastRun {
            state: state.to_owned(),
            project_root: root.to_owned(),
            agent_id: run.agent.agent_id,
            name: run.agent.name,
            agent: run.agent.agent,
            worktree: run.agent.worktree,
            branch: run.agent.branch,
            session_id: run.agent.session_id,
            resumes: run.agent.resumes,
            started_at: run.at,
            prompt: run.prompt.chars().take(PROMPT_MAX).collect(),
            tags: run.tags,
            context: run.context,
            end: run.end.map(|end| RunEnd {
                at: end.at,
                state: end.state,
                touched: end.touched.into_iter().map(touched).collect(),
            }),
        }
    }
}

fn moment(text: &str) -> Result<Timestamp, Failure> {
    text.parse::<Timestamp>().map_err(|e| {
        let body = ErrorBody::new(ErrorCode::InvalidRequest, format!("`since`: {text:?} is no time: {e}"));
        Failure::from(body.with_hint("an RFC 3339 time, such as 2026-11-23T13:05:01Z"))
    })
}

fn matches(run: &PastRun, filter: &Filter, since: Option<Timestamp>) -> bool {
    let is = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(holds);
    // A time that does not read passes: it is shown rather than missed.
    let in_time = |since: Timestamp| run.started_at.parse::<Timestamp>().map_or(true, |at| at >= since);
    is(&filter.agent, &|called| run.name == called || (called.len() >= PREFIX_MIN && run.agent_id.starts_with(called)))
        && is(&filter.agent_type, &|agent| run.agent == agent)
        && is(&filter.state, &|state| run.state == state)
        && is(&filter.spec, &|spec| run.context.picks.iter().any(|pick| pick.spec == spec || pick.path == spec))
        && since.is_none_or(in_time)
}

/// Leaves as many runs, the newest, as there is room for.
fn fit_line(runs: &mut Vec<PastRun>, room: usize) {
    let mut left = room;
    let fit = runs.iter().take_while(|run| {
        // The comma behind it.
        let size = serde_json::to_vec(run).map_or(0, |json| json.len()) + 1;
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    });
    let fit = fit.count();
    runs.truncate(fit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::context::{ContextReport, Pick};

    fn run(name: &str, agent: &str, state: &str, started_at: &str) -> PastRun {
        let pick = Pick { spec: "AUTH".into(), path: "specs/auth.md".into(), ..Pick::default() };
        PastRun {
            agent_id: format!("id-of-{name}"),
            name: name.into(),
            agent: agent.into(),
            project_root: "/p".into(),
            worktree: None,
            branch: None,
            session_id: None,
            resumes: None,
            started_at: started_at.into(),
            prompt: "p".repeat(100),
            tags: Vec::new(),
            context: ContextReport { picks: vec![pick], ..ContextReport::default() },
            state: state.into(),
            end: None,
        }
    }

    #[test]
    fn every_filter_lets_through_what_it_says() {
        let run = run("fix", "claude", "exited", "2026-01-02T00:00:00Z");
        let some = |text: &str| Some(text.to_owned());
        let with = |change: fn(&mut Filter, Option<String>), text: &str| {
            let mut filter = Filter::default();
            change(&mut filter, some(text));
            matches(&run, &filter, None)
        };
        assert!(matches(&run, &Filter::default(), None));
        assert!(
            with(|f, t| f.agent = t, "fix") && with(|f, t| f.agent = t, "id-of") && !with(|f, t| f.agent = t, "id")
        );
        assert!(with(|f, t| f.agent_type = t, "claude") && !with(|f, t| f.agent_type = t, "codex"));
        assert!(with(|f, t| f.state = t, "exited") && !with(|f, t| f.state = t, "lost"));
        assert!(with(|f, t| f.spec = t, "AUTH") && with(|f, t| f.spec = t, "specs/auth.md"));
        assert!(!with(|f, t| f.spec = t, "BILL"));
        let since = |text: &str| matches(&run, &Filter::default(), Some(moment(text).unwrap_or_default()));
        assert!(since("2026-01-02T00:00:00Z") && !since("2026-01-02T00:00:01Z"));
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn an_answer_fits_a_line() {
        let mut runs: Vec<PastRun> = (0..100).map(|i| run(&format!("r{i}"), "claude", "exited", "")).collect();
        fit_line(&mut runs, 10_000);
        assert!((5..100).contains(&runs.len()) && runs[0].name == "r0", "{}", runs.len());
    }
}
