//! `clean`: removes what ended agents left. Records go; a worktree and its branch go only where nothing in them would be
//! lost, and whatever stays is named with the reason.

use super::failure::Failure;
use super::state::Engine;
use crate::agents::{Agent, AgentsError, Git, Inspection, Outcome, Repository, branch_of, handed};
use crate::projects::Project;
use crate::store::{Manifest, read_manifest, update_manifest};
use pu_protocol::answer::CleanItem;
use pu_protocol::{AgentInfo, Answer, Event};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
            named.insert(self.agent(name, cwd.clone()).await?.info.agent_id);
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
            items.extend(
                self.slowly(move || sweep.run().unwrap_or_else(|failure| vec![refused(&root, failure)])).await?,
            );
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

impl Sweep {
    fn run(&self) -> Result<Vec<CleanItem>, Failure> {
        let mut items = Vec::new();
        let mut kept_worktrees = BTreeSet::new();
        for (name, agent_id) in self.worktrees()? {
            let found = self.worktree(&name, &agent_id, &mut items)?;
            if !found {
                kept_worktrees.insert(name);
            }
        }
        for info in self.agents.iter().filter(|info| self.meant(info)) {
            items.push(self.record(info, &kept_worktrees)?);
        }
        Ok(items)
    }

    fn meant(&self, info: &AgentInfo) -> bool {
        if self.named.is_empty() { !info.state.is_live() } else { self.named.contains(&info.agent_id) }
    }

    /// The worktrees that nobody works in any more, each with the agent it was made for.
    fn worktrees(&self) -> Result<Vec<(String, String)>, Failure> {
        let manifest = read_manifest(&self.project.layout)?;
        let users = |name: &str| {
            let path = self.project.layout.worktree(name);
            self.agents.iter().filter(move |info| info.worktree.as_ref().is_some_and(|w| path.ends_with(w)))
        };
        let mut found = Vec::new();
        for name in self.worktree_names(&manifest)? {
            // The manifest knows an agent from its commit on, the roster a moment later.
            let path = self.project.layout.worktree(&name);
            let in_use = users(&name).any(|info| info.state.is_live())
                || manifest.agents.iter().any(|agent| agent.worktree.as_ref().is_some_and(|w| path.ends_with(w)));
            let meant = self.named.is_empty() || users(&name).any(|info| self.named.contains(&info.agent_id));
            if meant && !in_use {
                let agent_id = users(&name).next().map(|info| info.agent_id.clone()).unwrap_or_default();
                found.push((name, agent_id));
            }
        }
        Ok(found)
    }

    /// Those of the manifest, and those that git knows in our folder and no manifest does: left by a spawn that was cut
    /// off, unless one is being made at this moment.
    fn worktree_names(&self, manifest: &Manifest) -> Result<BTreeSet<String>, Failure> {
        let mut names: BTreeSet<String> = manifest.worktrees.iter().map(|row| row.name.clone()).collect();
        if !self.named.is_empty() {
            return Ok(names);
        }
        let repository =
            Git::in_environment(std::env::vars_os()).and_then(|git| Repository::open(git, &self.project.root));
        let listed = match repository {
            Ok(repository) => repository.worktrees()?,
            Err(AgentsError::NotARepository { .. } | AgentsError::GitMissing) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        // On another branch than ours it is the user's own.
        for worktree in listed.into_iter().filter(|w| w.branch.as_ref() == Some(&branch_of(&w.name))) {
            if self.engine.roster.reserve(&self.project.root, &worktree.name).is_some() {
                names.insert(worktree.name);
            }
        }
        Ok(names)
    }

    /// Answers whether the worktree is (or would be) gone.
    fn worktree(&self, name: &str, agent_id: &str, items: &mut Vec<CleanItem>) -> Result<bool, Failure> {
        let repository = Repository::open(Git::in_environment(std::env::vars_os())?, &self.project.root)?;
        let inspected = repository.inspect_worktree(name)?;
        let shown = self.project.layout.worktree(name);
        let (worktree, branch) = if self.dry_run {
            foreseen(&inspected)
        } else {
            let removal = repository.remove_worktree(&inspected);
            (removal.worktree, removal.branch)
        };
        let gone = !matches!(worktree, Outcome::Kept(_)) && !matches!(branch, Outcome::Kept(_));
        if gone && !self.dry_run {
            update_manifest(&self.project.layout, |manifest| manifest.remove_worktree(name))?;
        }
        items.extend(item("worktree", relative(&shown, &self.project.root), agent_id, worktree));
        items.extend(item("branch", inspected.branch.unwrap_or_default(), agent_id, branch));
        Ok(gone)
    }

    fn record(&self, info: &AgentInfo, kept_worktrees: &BTreeSet<String>) -> Result<CleanItem, Failure> {
        let worktree = info.worktree.as_deref().and_then(|path| path.rsplit('/').next());
        let kept_because = if info.state.is_live() {
            Some(format!("the agent is {}", info.state.name()))
        } else {
            worktree.filter(|name| kept_worktrees.contains(*name)).map(|_| "its worktree stays".to_owned())
        };
        if kept_because.is_none()
            && !self.dry_run
            && let Some(agent) = self.engine.roster.get(&info.agent_id)
        {
            self.remove_record(&agent)?;
        }
        Ok(CleanItem {
            kind: "record".into(),
            what: format!("{} ({})", info.name, info.agent_id),
            agent_id: info.agent_id.clone(),
            removed: kept_because.is_none(),
            kept_because,
        })
    }

    fn remove_record(&self, agent: &Agent) -> Result<(), Failure> {
        handed::remove(&agent.launch.cwd, &agent.info.agent_id)?;
        let folder = agent.layout.root();
        std::fs::remove_dir_all(folder).map_err(|e| {
            Failure::new(pu_protocol::ErrorCode::Io, format!("cannot remove {}: {e}", folder.display()))
        })?;
        self.engine.roster.remove(&agent.info.agent_id);
        self.engine.announce(Event::AgentRemoved {
            agent_id: agent.info.agent_id.clone(),
            name: agent.info.name.clone(),
            project_root: agent.info.project_root.clone(),
        });
        Ok(())
    }
}

/// A project in which nothing could be looked at.
fn refused(root: &Path, failure: Failure) -> CleanItem {
    CleanItem {
        kind: "project".into(),
        what: root.display().to_string(),
        agent_id: String::new(),
        removed: false,
        kept_because: Some(failure.body.message),
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
