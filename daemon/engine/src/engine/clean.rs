//! `clean`: removes what ended agents left. Records go; a worktree and its branch go only where nothing in them would be
//! lost, and whatever stays is named with the reason.

use super::failure::Failure;
use super::state::Engine;
use crate::agents::{
    self, Agent, AgentsError, Git, Inspection, Outcome, Repository, ReservedName, WorktreeHold, branch_of, handed,
};
use crate::projects::Project;
use crate::store::{read_manifest, update_manifest};
use pu_protocol::answer::CleanItem;
use pu_protocol::{AgentInfo, Answer, ErrorCode, Event};
use pu_record::atomic;
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A project that hangs keeps those after it waiting no longer than this.
const SWEEP_LIMIT: Duration = Duration::from_secs(120);

impl Engine {
    pub(super) async fn clean(
        &self,
        cwd: Option<PathBuf>,
        all_projects: bool,
        called: Vec<String>,
        dry_run: bool,
    ) -> Result<Answer, Failure> {
        let scope = if all_projects { None } else { self.project_root(cwd.clone()).await };
        let mut named = BTreeSet::new();
        for name in &called {
            let agent_id = self.agent(name, cwd.clone()).await?.info.agent_id;
            // An agent goes with its earlier lives: what is left of those is of no use without its worktree.
            named.extend(self.roster.earlier_lives(&agent_id));
            named.insert(agent_id);
        }
        let mut by_project: BTreeMap<PathBuf, Vec<AgentInfo>> = BTreeMap::new();
        for info in self.roster.list(if named.is_empty() { scope.as_deref() } else { None }) {
            by_project.entry(info.project_root.clone()).or_default().push(info);
        }
        let trusted = scope.clone().filter(|root| named.is_empty() && self.projects.is_trusted(root));
        if let Some(root) = &trusted {
            // A project whose agents are all cleaned may still have a worktree that was kept.
            by_project.entry(root.clone()).or_default();
        }
        let mut items = Vec::new();
        for (root, agents) in by_project {
            let project = self.projects.by_root(&root);
            let sweep = Sweep { engine: self.clone(), project, agents, named: named.clone(), dry_run };
            // What one project refuses does not hide what was removed in another.
            let swept = tokio::time::timeout(SWEEP_LIMIT, self.slowly_within(&root, move || sweep.run())).await;
            let swept = swept.unwrap_or_else(|_| Err(does_not_answer(&root))).flatten();
            items.extend(swept.unwrap_or_else(|failure| vec![refused(&root, &failure)]));
        }
        Ok(Answer::CleanReport { items, dry_run })
    }
}

/// One project's part of a `clean`.
struct Sweep {
    engine: Engine,
    project: Arc<Project>,
    agents: Vec<AgentInfo>,
    /// Only these agents; all that have ended if empty.
    named: BTreeSet<String>,
    dry_run: bool,
}

/// A worktree that nobody works in any more.
struct Unused {
    name: String,
    /// The agent it was made for.
    agent_id: String,
    /// Nobody begins to work in it, nor gets its name, while this lives. A dry run keeps nobody out.
    _kept_out: Option<(WorktreeHold, Option<ReservedName>)>,
}

impl Sweep {
    fn run(&self) -> Result<Vec<CleanItem>, Failure> {
        let mut items = Vec::new();
        let mut kept_worktrees = BTreeSet::new();
        for unused in self.unused_worktrees(&mut items)? {
            if !self.worktree(&unused, &mut items) {
                kept_worktrees.insert(unused.name.clone());
            }
        }
        let records = self.agents.iter().filter(|info| self.meant(info));
        items.extend(records.map(|info| self.record(info, &kept_worktrees)));
        // What was removed until then is told in any case.
        if self.named.is_empty()
            && let Err(failure) = self.over_bounds(&mut items)
        {
            items.push(refused(&self.project.root, &failure));
        }
        Ok(items)
    }

    /// What is kept of ended agents and is over its bounds: it goes by itself sooner or later, and now with the rest.
    fn over_bounds(&self, items: &mut Vec<CleanItem>) -> Result<(), Failure> {
        let gone = items.iter().filter(|item| item.kind == "record" && item.removed);
        let gone: BTreeSet<String> = gone.map(|item| item.agent_id.clone()).collect();
        let over = self.engine.bound(&self.project, &gone, self.dry_run)?;
        items.extend(over.into_iter().map(|excess| CleanItem {
            kind: excess.kind.into(),
            what: format!("{}, {} KiB", excess.what, excess.bytes.div_ceil(1024)),
            // Not one agent's to be named: it goes with whatever is asked for.
            agent_id: String::new(),
            removed: excess.failed.is_none(),
            kept_because: excess.failed,
        }));
        Ok(())
    }

    fn meant(&self, info: &AgentInfo) -> bool {
        if self.named.is_empty() { !info.state.is_live() } else { self.named.contains(&info.agent_id) }
    }

    fn repository(&self) -> agents::Result<Repository> {
        Repository::open(Git::in_environment(std::env::vars_os())?, &self.project.root)
    }

    fn unused_worktrees(&self, items: &mut Vec<CleanItem>) -> Result<Vec<Unused>, Failure> {
        let mut unused = Vec::new();
        for (name, reserved) in self.worktree_names(items)? {
            // Asked before, so that nobody is kept out for nothing, and after, since agents may start until then.
            if self.left_by(&name)?.is_none() {
                continue;
            }
            // Otherwise an agent is being started in it.
            let Some(hold) = self.engine.roster.withhold_worktree(&self.project.root, &name) else { continue };
            if let Some(agent_id) = self.left_by(&name)? {
                let kept_out = (!self.dry_run).then_some((hold, reserved));
                unused.push(Unused { name, agent_id, _kept_out: kept_out });
            }
        }
        Ok(unused)
    }

    /// The agent that a worktree was made for, empty if that is not known; `None` if the worktree is not meant or somebody
    /// works in it.
    fn left_by(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.project.layout.worktree(name);
        let is_here = |worktree: &Option<String>| worktree.as_ref().is_some_and(|w| path.ends_with(w));
        // The manifest knows an agent from its commit on, the roster a moment later.
        let manifest = read_manifest(&self.project.layout)?;
        let agents = self.engine.roster.list(Some(&self.project.root));
        let users: Vec<&AgentInfo> = agents.iter().filter(|info| is_here(&info.worktree)).collect();
        let in_use = users.iter().any(|info| info.state.is_live())
            || manifest.agents.iter().any(|agent| is_here(&agent.worktree));
        let meant = self.named.is_empty() || users.iter().any(|info| self.named.contains(&info.agent_id));
        let agent_id = users.first().map(|info| info.agent_id.clone()).unwrap_or_default();
        Ok((meant && !in_use).then_some(agent_id))
    }

    /// Those of the manifest, and those that git knows in our folder and no manifest does: left by a spawn that was cut
    /// off, unless one is being made at this moment.
    fn worktree_names(&self, items: &mut Vec<CleanItem>) -> Result<BTreeMap<String, Option<ReservedName>>, Failure> {
        let repository = self.repository();
        if repository.as_ref().is_err_and(has_no_worktrees) {
            return Ok(BTreeMap::new());
        }
        let manifest = read_manifest(&self.project.layout)?;
        let mut names: BTreeMap<String, Option<ReservedName>> =
            manifest.worktrees.into_iter().map(|row| (row.name, None)).collect();
        // A repository that cannot be opened is told of with each worktree of the manifest.
        let Some(repository) = repository.ok().filter(|_| self.named.is_empty()) else { return Ok(names) };
        let listed = repository.worktrees().unwrap_or_else(|error| {
            items.push(refused(&self.project.root, &error.into()));
            Vec::new()
        });
        // On another branch than ours it is the user's own.
        for worktree in listed.into_iter().filter(|w| w.branch.as_ref() == Some(&branch_of(&w.name))) {
            if let Some(reserved) = self.engine.roster.reserve(&self.project.root, &worktree.name) {
                names.entry(worktree.name).or_insert(Some(reserved));
            }
        }
        Ok(names)
    }

    /// Answers whether the worktree is (or would be) gone. One that cannot be looked at stays, and keeps no other.
    fn worktree(&self, unused: &Unused, items: &mut Vec<CleanItem>) -> bool {
        let Unused { name, agent_id, .. } = unused;
        let shown = relative(&self.project.layout.worktree(name), &self.project.root);
        let looked_at = self.repository().and_then(|found| Ok((found.inspect_worktree(name)?, found)));
        let (inspected, repository) = match looked_at {
            Ok(found) => found,
            Err(error) => {
                items.extend(item("worktree", shown, agent_id, Outcome::Kept(error.to_string())));
                return false;
            }
        };
        let (worktree, branch) = if self.dry_run {
            foreseen(&inspected)
        } else {
            let removal = repository.remove_worktree(&inspected);
            (removal.worktree, removal.branch)
        };
        let gone = !matches!(worktree, Outcome::Kept(_)) && !matches!(branch, Outcome::Kept(_));
        items.extend(item("worktree", shown, agent_id, worktree));
        items.extend(item("branch", inspected.branch.unwrap_or_default(), agent_id, branch));
        if gone && !self.dry_run {
            let updated = update_manifest(&self.project.layout, |manifest| manifest.remove_worktree(name));
            items.extend(updated.err().map(|error| refused(&self.project.root, &error.into())));
        }
        gone
    }

    fn record(&self, info: &AgentInfo, kept_worktrees: &BTreeSet<String>) -> CleanItem {
        let worktree = info.worktree.as_deref().and_then(|path| path.rsplit('/').next());
        let mut kept_because = if info.state.is_live() {
            Some(format!("the agent is {}", info.state.name()))
        } else {
            worktree.filter(|name| kept_worktrees.contains(*name)).map(|_| "its worktree stays".to_owned())
        };
        if kept_because.is_none()
            && !self.dry_run
            && let Some(agent) = self.engine.roster.get(&info.agent_id)
        {
            kept_because = self.remove_record(&agent).err().map(|failure| failure.body.message);
        }
        CleanItem {
            kind: "record".into(),
            what: format!("{} ({})", info.name, info.agent_id),
            agent_id: info.agent_id.clone(),
            removed: kept_because.is_none(),
            kept_because,
        }
    }

    fn remove_record(&self, agent: &Agent) -> Result<(), Failure> {
        handed::remove(&agent.launch.cwd, &agent.info.agent_id)?;
        atomic::remove_folder(agent.layout.root())?;
        self.engine.roster.remove(&agent.info.agent_id);
        // A row that stays names an agent that nobody knows, and is passed over.
        let _ = update_manifest(&self.project.layout, |manifest| manifest.remove_stopped(&agent.info.agent_id));
        self.engine.announce(Event::AgentRemoved {
            agent_id: agent.info.agent_id.clone(),
            name: agent.info.name.clone(),
            project_root: agent.info.project_root.clone(),
        });
        Ok(())
    }
}

/// A project whose folder is gone, or is no working tree of a repository (any more), has no worktrees.
fn has_no_worktrees(error: &AgentsError) -> bool {
    match error {
        AgentsError::NotARepository { .. } | AgentsError::BareRepository { .. } => true,
        AgentsError::Io { source, .. } => matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        _ => false,
    }
}

fn does_not_answer(root: &Path) -> Failure {
    let message = format!("{} does not answer: what is removed there after all is not told", root.display());
    Failure::new(ErrorCode::TimedOut, message)
}

/// Something of a project that could not be looked at, or the whole of it.
fn refused(root: &Path, failure: &Failure) -> CleanItem {
    CleanItem {
        kind: "project".into(),
        what: root.display().to_string(),
        agent_id: String::new(),
        removed: false,
        kept_because: Some(failure.body.message.clone()),
    }
}

/// What a removal would do.
fn foreseen(inspected: &Inspection) -> (Outcome, Outcome) {
    let fate = |there: bool| match inspected.kept_because() {
        _ if !there => Outcome::Absent,
        Some(reason) => Outcome::Kept(reason),
        None => Outcome::Removed,
    };
    (fate(inspected.worktree.is_some()), fate(inspected.branch.is_some()))
}

fn item(kind: &str, what: String, agent_id: &str, outcome: Outcome) -> Option<CleanItem> {
    let (removed, kept_because) = match outcome {
        Outcome::Absent => return None,
        Outcome::Removed => (true, None),
        Outcome::Kept(reason) => (false, Some(reason)),
    };
    Some(CleanItem { kind: kind.into(), what, agent_id: agent_id.into(), removed, kept_because })
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
