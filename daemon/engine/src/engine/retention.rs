//! What is kept is bounded: each project's history, and the output of its ended agents, by size and by age.
//!
//! Removes nothing else: records, worktrees and branches go by `clean` only, which also says beforehand what goes by this.
//! What goes is logged, and whoever asks for output that went is told how much it was.

use super::failure::Failure;
use super::resume::SETTLE_LIMIT;
use super::state::Engine;
use crate::agents::Agent;
use crate::projects::Project;
use crate::store::bound_history;
use jiff::Timestamp;
use pu_record::spool;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);
/// How long one project may take before the next one is looked at.
const BOUND_LIMIT: Duration = Duration::from_secs(60);

/// Something that is over its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excess {
    /// `history` or `output`.
    pub(super) kind: &'static str,
    pub(super) what: String,
    pub(super) bytes: u64,
    /// Why it stays all the same.
    pub(super) failed: Option<String>,
}

impl Engine {
    /// Keeps all projects within their bounds, for as long as the daemon lives.
    pub async fn keep_bounds(&self) {
        // An agent that is not known yet is not looked at; the next look finds it.
        self.recovering.all_over(SETTLE_LIMIT).await;
        loop {
            for root in self.projects.trusted_roots() {
                let (engine, gate) = (self.clone(), self.gates.of_root(&root));
                let bounding = self.slowly_beside(&gate, move || engine.bound_one(&root));
                // A panic of ours is in the log, and one that hangs keeps no other waiting; the next look is another one.
                let _ = tokio::time::timeout(BOUND_LIMIT, bounding).await;
            }
            tokio::select! {
                () = self.stopping().cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Blocking.
    fn bound_one(&self, root: &Path) {
        let project = self.projects.by_root(root);
        match self.bound(&project, &BTreeSet::new(), false) {
            Ok(gone) => gone.iter().for_each(|excess| {
                let Excess { kind, what, bytes, failed } = excess;
                tracing::info!(project = %root.display(), kind, what, bytes, ?failed, "went, being over its bounds");
            }),
            Err(failure) => failure.log("retention"),
        }
    }

    /// Drops what is over a project's bounds, or, in a dry run, says what would go. Agents that are `spared` are not looked
    /// at. Blocking.
    pub(super) fn bound(
        &self,
        project: &Project,
        spared: &BTreeSet<String>,
        dry_run: bool,
    ) -> Result<Vec<Excess>, Failure> {
        let config = project.config()?;
        let mut gone = Vec::new();
        let history = bound_history(&project.layout, config.history.bounds(), dry_run);
        match history {
            Ok(0) => {}
            Ok(bytes) => {
                let what = "the older half of what ran".to_owned();
                gone.push(Excess { kind: "history", what, bytes, failed: None });
            }
            Err(error) => {
                let what = project.layout.history().display().to_string();
                gone.push(Excess { kind: "history", what, bytes: 0, failed: Some(error.to_string()) });
            }
        }
        let newest = self.newest_end();
        let all = self.roster.list(Some(&project.root)).into_iter();
        let ended = all.filter(|info| !info.state.is_live() && !spared.contains(&info.agent_id));
        let spools: Vec<Spool> = ended.filter_map(|info| Spool::of(self.roster.get(&info.agent_id)?)).collect();
        let now = Timestamp::now();
        let age = age_to_go_by(config.spool.max_age(), newest, now);
        let over = over_bounds(spools, config.spool.max_bytes(), age, now);
        for spool in over {
            let folder = spool.agent.layout.output();
            let dropped = if dry_run { Ok(spool.bytes) } else { spool::drop_kept(&folder) };
            gone.push(Excess {
                kind: "output",
                what: format!("of {} ({})", spool.agent.info.name, spool.agent.info.agent_id),
                bytes: dropped.as_ref().map_or(0, |bytes| *bytes),
                failed: dropped.err().map(|e| format!("cannot drop {}: {e}", folder.display())),
            });
        }
        Ok(gone)
    }

    /// The last end that is known of any agent of this home.
    fn newest_end(&self) -> Option<Timestamp> {
        let ended = self.roster.list(None).into_iter().filter(|info| !info.state.is_live());
        ended.filter_map(|info| last_moment(&self.roster.get(&info.agent_id)?)).max()
    }
}

/// When an agent that has ended did, or, where nobody saw it, when it wrote the last of its output. `None` where neither is
/// known. Blocking.
pub(super) fn last_moment(agent: &Agent) -> Option<Timestamp> {
    let seen = agent.info.state.exit().and_then(|exit| exit.ended_at.parse().ok());
    seen.or_else(|| Timestamp::try_from(spool::last_written(&agent.layout.output()).ok()??).ok())
}

/// The output of an ended agent.
#[derive(Debug, Clone)]
struct Spool {
    agent: Agent,
    ended: Timestamp,
    bytes: u64,
}

impl Spool {
    /// `None` where nothing of it is kept, and where it cannot be known how old it is: that stays.
    fn of(agent: Agent) -> Option<Self> {
        let bytes = spool::kept(&agent.layout.output()).ok().filter(|bytes| *bytes > 0)?;
        let ended = last_moment(&agent)?;
        Some(Self { agent, ended, bytes })
    }
}

/// Those that ended too long ago, and the oldest of those that are too much together.
fn over_bounds(mut spools: Vec<Spool>, most: Option<u64>, age: Option<Duration>, now: Timestamp) -> Vec<Spool> {
    spools.sort_by_key(|spool| std::cmp::Reverse(spool.ended));
    let mut kept: u64 = 0;
    let mut full = false;
    spools.retain(|spool| {
        full |= most.is_some_and(|most| kept.saturating_add(spool.bytes) > most);
        let goes = full || age.is_some_and(|age| is_past(age, spool.ended, now));
        kept += if goes { 0 } else { spool.bytes };
        goes
    });
    spools
}

/// None where even the last of all ends is that long ago: the clock has rather jumped than the time gone by.
fn age_to_go_by(age: Option<Duration>, newest: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    age.filter(|age| newest.is_some_and(|newest| !is_past(*age, newest, now)))
}

fn is_past(age: Duration, ended: Timestamp, now: Timestamp) -> bool {
    u64::try_from(now.duration_since(ended).as_secs()).unwrap_or(0) > age.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::Heard;
    use pu_protocol::layout::AgentLayout;
    use pu_protocol::{AgentInfo, AgentState, Exit};
    use pu_record::launch::LaunchRecord;
    use std::sync::Arc;

    fn spool(name: &str, days_ago: i64, bytes: u64, now: Timestamp) -> Spool {
        let ended = now - jiff::SignedDuration::from_hours(24 * days_ago);
        let exit = Exit { code: Some(0), signal: None, ended_at: ended.to_string(), left_running: vec![] };
        let info = AgentInfo {
            agent_id: name.into(),
            name: name.into(),
            agent: "terminal".into(),
            project_root: "/p".into(),
            worktree: None,
            branch: None,
            task: String::new(),
            created_at: String::new(),
            context_tokens: 0,
            size: pu_protocol::frame::TerminalSize::default(),
            resumes: None,
            activity: pu_protocol::Activity::default(),
            state: AgentState::Exited { exit },
        };
        let launch = Arc::new(LaunchRecord::default());
        let agent = Agent { info, layout: AgentLayout::new("/h"), launch, link: None, heard: Heard::default() };
        Spool { agent, ended, bytes }
    }

    #[test]
    fn what_is_too_old_goes_and_of_what_is_too_much_the_oldest() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let all = || vec![spool("old", 100, 5, now), spool("new", 1, 40, now), spool("mid", 10, 50, now)];
        let over = |most, days: Option<u64>| -> Vec<String> {
            let age = days.map(|days| Duration::from_secs(days * 86_400));
            over_bounds(all(), most, age, now).into_iter().map(|spool| spool.agent.info.name).collect()
        };
        assert!(over(None, None).is_empty() && over(Some(95), Some(100)).is_empty());
        assert_eq!(over(None, Some(90)), ["old"]);
        assert_eq!(over(Some(94), None), ["old"]);
        assert_eq!(over(Some(60), None), ["mid", "old"], "nothing that is older stays in its place");
        assert_eq!(over(Some(10), None), ["new", "mid", "old"]);
    }

    #[test]
    fn output_is_looked_at_where_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = spool("one", 0, 0, Timestamp::now());
        one.agent.layout = AgentLayout::new(folder.path());
        assert!(Spool::of(one.agent.clone()).is_none(), "there is none");
        spool::SpoolWriter::open(&one.agent.layout.output(), 0).unwrap().append(b"text").unwrap();
        assert_eq!(Spool::of(one.agent).unwrap().bytes, 4);
    }

    #[test]
    fn a_clock_that_jumped_makes_nothing_old() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let week = Duration::from_secs(7 * 86_400);
        let by = |days: i64| age_to_go_by(Some(week), Some(now - jiff::SignedDuration::from_hours(24 * days)), now);
        assert_eq!((by(6), by(8), age_to_go_by(Some(week), None, now)), (Some(week), None, None));
    }

    #[test]
    fn one_whose_end_nobody_saw_is_as_old_as_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = spool("one", 0, 0, Timestamp::now());
        one.agent.layout = AgentLayout::new(folder.path());
        one.agent.info.state = AgentState::Lost { reason: "a reboot".into() };
        one.agent.info.created_at = "2020-01-01T00:00:00Z".into();
        assert_eq!(last_moment(&one.agent), None);
        spool::SpoolWriter::open(&one.agent.layout.output(), 0).unwrap().append(b"text").unwrap();
        let ended = Spool::of(one.agent).unwrap().ended;
        assert!(Timestamp::now().duration_since(ended).as_secs().abs() < 60, "{ended}");
    }
}
