//! The agents that the daemon knows, live and ended, and how one of them is named.
//!
//! A table in memory; what of it must last is in the agents' own folders. It starts and ends nothing.

use super::activity::{Heard, activity};
use super::claims::{SessionClaim, SessionClaims};
use super::holds::{Holds, WorktreeHold};
use super::name;
use super::rebase::rebased;
use super::state::{IllegalTransition, News, next};
use crate::shims::ShimLink;
use pu_protocol::frame::Cue;
use pu_protocol::layout::AgentLayout;
use pu_protocol::{AgentInfo, ErrorBody, ErrorCode};
use pu_record::launch::LaunchRecord;
use pu_record::timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The shortest prefix of an id or a name that names an agent.
const PREFIX_MIN: usize = 4;

/// An agent as the daemon holds it.
#[derive(Debug, Clone)]
pub struct Agent {
    pub info: AgentInfo,
    pub layout: AgentLayout,
    pub launch: Arc<LaunchRecord>,
    /// There while its shim answers.
    pub link: Option<ShimLink>,
    /// What its shim told of what it is doing.
    pub heard: Heard,
}

impl Agent {
    /// Brings what it is doing in line with where it stands and what was heard. True if it is something else than before.
    fn settle_activity(&mut self) -> bool {
        let before = &self.info.activity;
        let next = activity(&self.info.state, &self.heard, before, &timestamp::now());
        let differs = next != *before;
        self.info.activity = next;
        differs
    }
}

/// Handle to the table. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// A plain mutex: it is held for look-ups and changes only, never across an await.
    agents: Arc<Mutex<BTreeMap<String, Agent>>>,
    /// Counts changes of state, for those who wait for one.
    changes: watch::Sender<u64>,
    /// Names given to agents that are being started.
    reserved: Arc<Mutex<BTreeSet<(PathBuf, String)>>>,
    /// Worktrees that agents which are being started join, or that are being removed.
    holds: Holds,
    /// Sessions that agents which are being resumed go on in.
    sessions: SessionClaims,
}

/// A name that nobody else gets while this lives.
#[derive(Debug)]
pub struct ReservedName {
    project: PathBuf,
    name: String,
    reserved: Arc<Mutex<BTreeSet<(PathBuf, String)>>>,
}

impl ReservedName {
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl Drop for ReservedName {
    fn drop(&mut self) {
        let key = (std::mem::take(&mut self.project), std::mem::take(&mut self.name));
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error("no agent is called {0:?}")]
    NotFound(String),
    #[error("several agents are called {name:?}: {candidates}")]
    Ambiguous { name: String, candidates: String },
}

/// Why an agent cannot be resumed.
#[derive(Debug, thiserror::Error)]
pub enum NotResumable {
    #[error("no agent has the id {0}")]
    NotFound(String),
    #[error("the agent {name} has not ended: it is {state}")]
    Live { name: String, state: &'static str },
    #[error("the agent {name} ({agent_id}) goes on already, as {by}")]
    Superseded { name: String, agent_id: String, by: String },
    #[error("an agent called {name} is being started just now")]
    Starting { name: String },
    #[error("the session {session_id} is in use: {by} works in it")]
    SessionInUse { session_id: String, by: String },
}

impl NotResumable {
    pub fn body(&self) -> ErrorBody {
        let (code, hint) = match self {
            Self::NotFound(_) => (ErrorCode::AgentNotFound, "`pu status --all-projects` lists them all"),
            Self::Live { .. } => (ErrorCode::AgentRunning, "`pu attach` shows it, `pu kill` ends it"),
            Self::Superseded { .. } => (ErrorCode::AgentRunning, "resume that one instead, once it has ended"),
            Self::Starting { .. } => (ErrorCode::AgentRunning, "`pu status` tells what becomes of it"),
            Self::SessionInUse { .. } => (
                ErrorCode::AgentRunning,
                "resume it once that one has ended, or with `--fresh` in a session of its own",
            ),
        };
        ErrorBody::new(code, self.to_string()).with_hint(hint)
    }
}

impl RosterError {
    pub fn body(&self) -> ErrorBody {
        match self {
            Self::NotFound(_) => ErrorBody::new(ErrorCode::AgentNotFound, self.to_string())
                .with_hint("`pu status --all-projects` lists them all"),
            Self::Ambiguous { .. } => {
                ErrorBody::new(ErrorCode::AgentAmbiguous, self.to_string()).with_hint("use more characters of the id")
            }
        }
    }
}

impl Roster {
    pub fn insert(&self, mut agent: Agent) {
        agent.settle_activity();
        self.lock().insert(agent.info.agent_id.clone(), agent);
    }

    pub fn remove(&self, agent_id: &str) -> Option<Agent> {
        let removed = self.lock().remove(agent_id);
        self.changes.send_modify(|count| *count += 1);
        removed
    }

    pub fn get(&self, agent_id: &str) -> Option<Agent> {
        self.lock().get(agent_id).cloned()
    }

    /// All agents, of one project or of all, oldest first.
    pub fn list(&self, project: Option<&Path>) -> Vec<AgentInfo> {
        let agents = self.lock();
        let mut found: Vec<AgentInfo> = agents
            .values()
            .filter(|agent| project.is_none_or(|root| agent.info.project_root == root))
            .map(|agent| agent.info.clone())
            .collect();
        found.sort_by(|a, b| (&a.created_at, &a.agent_id).cmp(&(&b.created_at, &b.agent_id)));
        found
    }

    /// The agents of a project that was moved are found in its new place from here on. Answers those that have ended.
    pub fn move_project(&self, from: &Path, to: &Path) -> Vec<AgentInfo> {
        let mut agents = self.lock();
        let theirs = agents.values_mut().filter(|agent| agent.info.project_root == from);
        let moved = theirs.map(|agent| {
            agent.info.project_root = to.to_owned();
            agent.launch = Arc::new(rebased(&agent.launch, from, to));
            agent.info.clone()
        });
        moved.filter(|info| !info.state.is_live()).collect()
    }

    pub fn live_count(&self) -> usize {
        self.lock().values().filter(|agent| agent.info.state.is_live()).count()
    }

    /// Finds the agent that a person means: by id, by a name in their project, by a name anywhere, by a
    /// prefix of an id, by the beginning of a name in their project.
    pub fn find(&self, called: &str, project: Option<&Path>) -> Result<Agent, RosterError> {
        let agents = self.lock();
        if let Some(agent) = agents.get(called) {
            return Ok(agent.clone());
        }
        let here = |agent: &&Agent| project.is_some_and(|root| agent.info.project_root == root);
        // A name means the last life of an agent; the earlier ones have their ids.
        let earlier: BTreeSet<&str> = agents.values().filter_map(|agent| agent.info.resumes.as_deref()).collect();
        let is_last = |agent: &&Agent| !earlier.contains(agent.info.agent_id.as_str());
        let named = |agent: &&Agent| agent.info.name == called && is_last(agent);
        let prefixed = |agent: &&Agent| called.len() >= PREFIX_MIN && agent.info.agent_id.starts_with(called);
        let begins =
            |agent: &&Agent| called.len() >= PREFIX_MIN && agent.info.name.starts_with(called) && is_last(agent);
        let ways: [Vec<&Agent>; 4] = [
            agents.values().filter(named).filter(here).collect(),
            agents.values().filter(named).collect(),
            agents.values().filter(prefixed).collect(),
            agents.values().filter(begins).filter(here).collect(),
        ];
        // A name that an ended agent had and a live one has means the live one.
        for found in ways {
            let live: Vec<&Agent> = found.iter().copied().filter(|a| a.info.state.is_live()).collect();
            match (found.as_slice(), live.as_slice()) {
                ([], _) => {}
                ([only], _) | (_, [only]) => return Ok((*only).clone()),
                (several, _) => {
                    let candidates = several.iter().map(|a| a.info.agent_id.as_str()).collect::<Vec<_>>().join(", ");
                    return Err(RosterError::Ambiguous { name: called.into(), candidates });
                }
            }
        }
        Err(RosterError::NotFound(called.into()))
    }

    /// Keeps a name of a project for an agent that is about to be started; `None` if an agent has it or is getting it.
    pub fn reserve(&self, project: &Path, name: &str) -> Option<ReservedName> {
        let agents = self.lock();
        if agents.values().any(|a| a.info.project_root == project && name::same(&a.info.name, name)) {
            return None;
        }
        // The table stays locked until the name is reserved: nobody gets it in between.
        self.hold_name(project, name)
    }

    /// As [`Roster::reserve`], whether or not an agent of the table has the name: for one that is on its way already.
    pub fn hold_name(&self, project: &Path, name: &str) -> Option<ReservedName> {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if reserved.iter().any(|(root, taken)| root == project && name::same(taken, name)) {
            return None;
        }
        reserved.insert((project.into(), name.into()));
        Some(ReservedName { project: project.into(), name: name.into(), reserved: Arc::clone(&self.reserved) })
    }

    /// An ended agent and its name, for its next life: nobody else resumes it while the name is held.
    ///
    /// Invariant: no agent lives twice. It is refused while it lives, once it goes on as another, and while anybody of its
    /// name is being started; whoever is started stands in the table before its name is let go.
    pub fn reserve_again(&self, agent_id: &str) -> Result<(Agent, ReservedName), NotResumable> {
        let agents = self.lock();
        let Some(agent) = agents.get(agent_id) else { return Err(NotResumable::NotFound(agent_id.into())) };
        let info = &agent.info;
        let name = || info.name.clone();
        if info.state.is_live() {
            return Err(NotResumable::Live { name: name(), state: info.state.name() });
        }
        let same_name =
            |other: &&Agent| other.info.project_root == info.project_root && name::same(&other.info.name, &info.name);
        let next = agents.values().find(|other| other.info.resumes.as_deref() == Some(agent_id));
        if let Some(by) = next.or_else(|| agents.values().filter(same_name).find(|other| other.info.state.is_live())) {
            let by = by.info.agent_id.clone();
            return Err(NotResumable::Superseded { name: name(), agent_id: agent_id.into(), by });
        }
        let held = self.hold_name(&info.project_root, &info.name);
        Ok((agent.clone(), held.ok_or_else(|| NotResumable::Starting { name: name() })?))
    }

    /// The ids that an agent had in its earlier lives, the last one first.
    pub fn earlier_lives(&self, agent_id: &str) -> Vec<String> {
        let agents = self.lock();
        let mut lives: Vec<String> = Vec::new();
        let mut of = agent_id;
        while let Some(earlier) = agents.get(of).and_then(|agent| agent.info.resumes.as_deref()) {
            if lives.iter().any(|known| known == earlier) {
                break;
            }
            lives.push(earlier.to_owned());
            of = earlier;
        }
        lives
    }

    /// Whether an agent goes on under another id.
    pub fn is_earlier_life(&self, agent_id: &str) -> bool {
        self.lock().values().any(|agent| agent.info.resumes.as_deref() == Some(agent_id))
    }

    /// Whether any agent but this one, in whatever life of its, works or has worked in this folder.
    pub fn others_work_in(&self, folder: &Path, agent_id: &str) -> bool {
        !self.others(agent_id, |agent| agent.launch.cwd == folder).is_empty()
    }

    /// Those agents that are not this one in an earlier life.
    pub fn others(&self, agent_id: &str, which: impl Fn(&Agent) -> bool) -> Vec<Agent> {
        let own = self.earlier_lives(agent_id);
        let is_own = |id: &str| id == agent_id || own.iter().any(|life| life == id);
        let agents = self.lock();
        agents.values().filter(|agent| !is_own(&agent.info.agent_id) && which(agent)).cloned().collect()
    }

    /// Keeps a session that was found for an agent from being found for another one; `None` where it is another's.
    pub fn claim_session(&self, session_id: &str, agent_id: &str) -> Option<SessionClaim> {
        let other = || self.others(agent_id, |agent| has_session(agent, session_id)).into_iter().next();
        self.sessions.claim(session_id, agent_id, || other().map(|agent| agent.info.agent_id)).ok()
    }

    /// Keeps a session that is an agent's by its record for it, so that no two work in one.
    ///
    /// Invariant: of those that have one session on record (a user may have named it twice) one at a time is resumed, and
    /// none while another lives. Whoever is resumed stands in the table before its claim is let go.
    pub fn hold_session(&self, session_id: &str, agent_id: &str) -> Result<SessionClaim, NotResumable> {
        let lives_in_it = |agent: &Agent| agent.info.state.is_live() && has_session(agent, session_id);
        let other = || self.others(agent_id, lives_in_it).into_iter().next();
        let claimed = self.sessions.claim(session_id, agent_id, || other().map(|agent| agent.info.agent_id));
        claimed.map_err(|by| {
            let named = self.get(&by).map(|agent| format!("{} ({by})", agent.info.name));
            NotResumable::SessionInUse { session_id: session_id.into(), by: named.unwrap_or(by) }
        })
    }

    /// Keeps a worktree from being removed, for an agent that is about to be started in it; `None` while it is.
    pub fn join_worktree(&self, project: &Path, name: &str) -> Option<WorktreeHold> {
        self.holds.join(project, name)
    }

    /// Keeps agents out of a worktree that is about to be removed; `None` while one is being started in it.
    pub fn withhold_worktree(&self, project: &Path, name: &str) -> Option<WorktreeHold> {
        self.holds.withhold(project, name)
    }

    /// Waits until an agent is no longer live; answers it as it is then, or `None` if it is not known (any more).
    pub async fn ended(&self, agent_id: &str) -> Option<AgentInfo> {
        let mut changes = self.changes.subscribe();
        loop {
            let info = self.get(agent_id)?.info;
            if !info.state.is_live() {
                return Some(info);
            }
            if changes.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Applies news to an agent; answers the agent as it is then, or `None` if nothing changed.
    pub fn apply(&self, agent_id: &str, news: News) -> Result<Option<AgentInfo>, IllegalTransition> {
        let mut agents = self.lock();
        let Some(agent) = agents.get_mut(agent_id) else { return Ok(None) };
        let state = next(&agent.info.state, news)?;
        if !state.is_live() {
            agent.link = None;
        }
        if state == agent.info.state {
            return Ok(None);
        }
        agent.info.state = state;
        agent.settle_activity();
        let info = agent.info.clone();
        self.changes.send_modify(|count| *count += 1);
        Ok(Some(info))
    }

    /// Takes in what an agent's shim tells of it; answers the agent as it is then, or `None` if it does the same as before.
    pub fn hear(&self, agent_id: &str, cue: Cue) -> Option<AgentInfo> {
        let mut agents = self.lock();
        let agent = agents.get_mut(agent_id)?;
        agent.heard.take(cue);
        agent.settle_activity().then(|| agent.info.clone())
    }

    pub fn set_link(&self, agent_id: &str, link: Option<ShimLink>) {
        if let Some(agent) = self.lock().get_mut(agent_id) {
            agent.link = link;
        }
    }

    /// A panic while the lock was held cannot leave the table half-changed: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Agent>> {
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_session(agent: &Agent, session_id: &str) -> bool {
    agent.launch.commit.pointer("/agent/session_id").and_then(Value::as_str) == Some(session_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::{Activity, AgentState, Doing, Source};

    fn insert(roster: &Roster, id: &str, state: AgentState, resumes: Option<&str>) {
        let info = AgentInfo {
            agent_id: id.into(),
            name: "fix".into(),
            agent: "terminal".into(),
            project_root: "/p".into(),
            worktree: None,
            branch: None,
            task: String::new(),
            created_at: id.into(),
            context_tokens: 0,
            size: pu_protocol::frame::TerminalSize::default(),
            resumes: resumes.map(str::to_owned),
            activity: Activity::default(),
            state,
        };
        let launch = Arc::new(LaunchRecord { cwd: "/p".into(), ..LaunchRecord::default() });
        let (layout, heard) = (AgentLayout::new("/h/agents"), Heard::default());
        roster.insert(Agent { info, layout, launch, link: None, heard });
    }

    #[test]
    fn agents_move_with_their_project_and_those_of_others_stay() {
        let roster = Roster::default();
        insert(&roster, "aaaa1111", lost(), None);
        insert(&roster, "bbbb2222", AgentState::Running { pid: 7 }, None);
        let ended = roster.move_project(Path::new("/p"), Path::new("/q/p"));
        assert_eq!(ended.iter().map(|info| info.agent_id.as_str()).collect::<Vec<_>>(), ["aaaa1111"]);
        assert_eq!((roster.list(Some(Path::new("/p"))).len(), roster.list(Some(Path::new("/q/p"))).len()), (0, 2));
        assert_eq!(roster.get("bbbb2222").unwrap().launch.cwd, Path::new("/q/p"));
        assert!(roster.move_project(Path::new("/p"), Path::new("/r")).is_empty());
        assert_eq!(roster.find("fix", Some(Path::new("/q/p"))).unwrap().info.agent_id, "bbbb2222");
    }

    fn lost() -> AgentState {
        AgentState::Lost { reason: "a reboot".into() }
    }

    #[test]
    fn an_agent_is_resumed_by_one_at_a_time_and_only_in_its_last_life() {
        let roster = Roster::default();
        insert(&roster, "aaaa1111", lost(), None);
        let (agent, held) = roster.reserve_again("aaaa1111").unwrap();
        assert_eq!(agent.info.agent_id, "aaaa1111");
        assert!(matches!(roster.reserve_again("aaaa1111"), Err(NotResumable::Starting { .. })));
        assert!(roster.reserve(Path::new("/p"), "fix").is_none(), "no other agent gets its name");
        insert(&roster, "bbbb2222", AgentState::Running { pid: 7 }, Some("aaaa1111"));
        drop(held);
        assert!(
            matches!(roster.reserve_again("aaaa1111"), Err(NotResumable::Superseded { by, .. }) if by == "bbbb2222")
        );
        assert!(matches!(roster.reserve_again("bbbb2222"), Err(NotResumable::Live { .. })));
        assert!(matches!(roster.reserve_again("cccc3333"), Err(NotResumable::NotFound(_))));
    }

    #[test]
    fn what_is_heard_is_told_once_and_an_end_outweighs_it() {
        let roster = Roster::default();
        insert(&roster, "aaaa1111", AgentState::Running { pid: 7 }, None);
        let doing = || roster.get("aaaa1111").unwrap().info.activity.state;
        assert_eq!(doing(), Doing::Unknown);
        let cue = |state| Cue { source: Source::Hook, state: Some(state), ..Cue::default() };
        let told = roster.hear("aaaa1111", cue(Doing::Blocked)).unwrap();
        assert_eq!((told.activity.state, doing()), (Doing::Blocked, Doing::Blocked));
        assert_eq!(roster.hear("aaaa1111", cue(Doing::Blocked)), None);
        assert_eq!(roster.hear("none", cue(Doing::Idle)), None);
        let gone = News::Vanished { reason: "gone".into() };
        let ended = roster.apply("aaaa1111", gone).unwrap().unwrap();
        assert_eq!((ended.activity.state, ended.activity.evidence.source), (Doing::Unknown, Source::Life));
        assert_eq!(roster.hear("aaaa1111", cue(Doing::Working)), None, "too late");
    }

    #[test]
    fn a_name_means_the_last_life_and_an_id_any() {
        let roster = Roster::default();
        insert(&roster, "aaaa1111", lost(), None);
        insert(&roster, "bbbb2222", lost(), Some("aaaa1111"));
        insert(&roster, "cccc3333", lost(), Some("bbbb2222"));
        for (called, id) in [("fix", "cccc3333"), ("aaaa", "aaaa1111"), ("bbbb2222", "bbbb2222")] {
            assert_eq!(roster.find(called, Some(Path::new("/p"))).unwrap().info.agent_id, id, "{called}");
        }
        assert_eq!(roster.earlier_lives("cccc3333"), ["bbbb2222", "aaaa1111"]);
        assert!(roster.is_earlier_life("bbbb2222") && !roster.is_earlier_life("cccc3333"));
        assert!(!roster.others_work_in(Path::new("/p"), "cccc3333"));
        assert!(roster.others_work_in(Path::new("/p"), "aaaa1111"), "a later life is another");
    }
    #[test]
    fn a_session_is_claimed_by_one_agent_and_only_where_it_is_no_others() {
        let roster = Roster::default();
        insert(&roster, "aaaa1111", lost(), None);
        insert(&roster, "bbbb2222", lost(), None);
        let claim = roster.claim_session("s", "aaaa1111").unwrap();
        assert!(roster.claim_session("s", "bbbb2222").is_none(), "it is being resumed");
        assert!(roster.claim_session("t", "bbbb2222").is_some());
        drop(claim);
        assert!(roster.claim_session("s", "bbbb2222").is_some(), "that came to nothing");
        let mut agent = roster.get("aaaa1111").unwrap();
        let commit = serde_json::json!({ "agent": { "session_id": "s" } });
        agent.launch = Arc::new(LaunchRecord { commit, ..LaunchRecord::default() });
        roster.insert(agent);
        assert!(roster.claim_session("s", "bbbb2222").is_none(), "it is on record");
        assert!(roster.claim_session("s", "aaaa1111").is_some(), "as its own");
    }
    /// As it can be where a user named one session for two agents.
    #[test]
    fn of_two_with_one_session_one_at_a_time_is_resumed() {
        let roster = Roster::default();
        let with_session = |id: &str, state: AgentState| {
            insert(&roster, id, state, None);
            let mut agent = roster.get(id).unwrap();
            let commit = serde_json::json!({ "agent": { "session_id": "s" } });
            agent.launch = Arc::new(LaunchRecord { commit, ..LaunchRecord::default() });
            roster.insert(agent);
        };
        with_session("aaaa1111", lost());
        with_session("bbbb2222", lost());
        let claim = roster.hold_session("s", "aaaa1111").unwrap();
        let told = |agent_id: &str| roster.hold_session("s", agent_id).unwrap_err().to_string();
        assert!(told("bbbb2222").contains("fix (aaaa1111)"), "{}", told("bbbb2222"));
        with_session("cccc3333", AgentState::Running { pid: 7 });
        drop(claim);
        assert!(told("bbbb2222").contains("fix (cccc3333)"), "{}", told("bbbb2222"));
        with_session("cccc3333", lost());
        assert!(roster.hold_session("s", "bbbb2222").is_ok(), "nobody works in it any more");
    }
}
