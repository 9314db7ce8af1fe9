//! Where everything lies: the one place in which a file or folder name of PurePoint is spelled.
//!
//! Pure path arithmetic. It never touches the disk, creates nothing and checks nothing.

use std::path::{Path, PathBuf};

/// The longest socket path that both Linux (108 bytes) and macOS (104 bytes) accept, without the closing NUL.
pub const SOCKET_PATH_MAX: usize = 103;

/// A user's PurePoint folder: `$PU_HOME`, by default `~/.pu`. Everything in it is 0700/0600.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeLayout {
    root: PathBuf,
}

impl HomeLayout {
    /// The layout of the home at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// `$PU_HOME` if it is set and not empty, else `.pu` in the user's home folder; `None` without either.
    pub fn from_values(pu_home: Option<PathBuf>, user_home: Option<PathBuf>) -> Option<Self> {
        pu_home.filter(|p| !p.as_os_str().is_empty()).or_else(|| user_home.map(|h| h.join(".pu"))).map(Self::new)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }
    pub fn daemon_socket(&self) -> PathBuf {
        self.root.join("daemon.sock")
    }
    pub fn daemon_pid(&self) -> PathBuf {
        self.root.join("daemon.pid")
    }
    pub fn daemon_lock(&self) -> PathBuf {
        self.root.join("daemon.lock")
    }
    pub fn daemon_log(&self) -> PathBuf {
        self.root.join("daemon.log")
    }
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }
    pub fn projects(&self) -> PathBuf {
        self.root.join("projects.json")
    }
    /// Plugins that the user wants in every project.
    pub fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }
    /// Compiled plugins. The key that they are sealed with lies beside it: `cache.key`.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }
    /// Spec indexes, a folder a project.
    pub fn index(&self) -> PathBuf {
        self.root.join("index")
    }
    /// What the latest commits of projects said and touched, a file a project.
    pub fn commits(&self) -> PathBuf {
        self.root.join("commits")
    }
    /// The folder above all agents' folders.
    pub fn agents(&self) -> PathBuf {
        self.root.join("agents")
    }
    pub fn agent(&self, agent_id: &str) -> AgentLayout {
        AgentLayout::new(self.agents().join(agent_id))
    }
}

/// One agent's folder: `PU_HOME/agents/<id>/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLayout {
    root: PathBuf,
}

impl AgentLayout {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// What was asked for, written by the daemon before the shim starts.
    pub fn launch(&self) -> PathBuf {
        self.root.join("launch.json")
    }
    /// Who the shim and its child are, written by the shim.
    pub fn shim(&self) -> PathBuf {
        self.root.join("shim.json")
    }
    pub fn socket(&self) -> PathBuf {
        self.root.join("shim.sock")
    }
    /// The folder of the output spool.
    pub fn output(&self) -> PathBuf {
        self.root.join("output")
    }
    /// How the agent ended, written by the shim before its socket closes.
    pub fn exit(&self) -> PathBuf {
        self.root.join("exit.json")
    }
    /// There once the folder and the branch of the agent's worktree were surely made by its own spawn.
    pub fn claimed(&self) -> PathBuf {
        self.root.join("claimed")
    }
    /// There once the spawn stands in the project's manifest and history.
    pub fn committed(&self) -> PathBuf {
        self.root.join("committed")
    }
    /// The shim's own complaints.
    pub fn shim_log(&self) -> PathBuf {
        self.root.join("shim.log")
    }
}

/// A project's `.pu/` folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectLayout {
    root: PathBuf,
}

impl ProjectLayout {
    /// The name of the folder that makes a folder a project.
    pub const FOLDER: &'static str = ".pu";

    /// The layout of the project whose root (the folder that holds `.pu/`) is `project_root`.
    pub fn new(project_root: impl AsRef<Path>) -> Self {
        Self { root: project_root.as_ref().join(Self::FOLDER) }
    }
    pub fn root(&self) -> &Path {
        &self.root
    }
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }
    pub fn gitignore(&self) -> PathBuf {
        self.root.join(".gitignore")
    }
    /// The live agents and worktrees.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }
    /// Held while the manifest is changed.
    pub fn manifest_lock(&self) -> PathBuf {
        self.root.join("manifest.lock")
    }
    /// What was spawned, with which context and why, and how it ended: a line an event, only ever appended to.
    pub fn history(&self) -> PathBuf {
        self.root.join("history.jsonl")
    }
    /// What `history.jsonl` held before it was begun anew, since it had grown to half of its bounds.
    pub fn older_history(&self) -> PathBuf {
        self.root.join("history.1.jsonl")
    }
    /// Agent definitions that the project brings.
    pub fn agents(&self) -> PathBuf {
        self.root.join("agents")
    }
    pub fn prompts(&self) -> PathBuf {
        self.root.join("prompts")
    }
    pub fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }
    pub fn plugins_lock(&self) -> PathBuf {
        self.root.join("plugins.lock")
    }
    /// What plugins keep from one task to the next.
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }
    /// What one plugin keeps. `name` is a plugin's: lower-case letters, digits and `-`.
    pub fn plugin_state(&self, name: &str) -> PathBuf {
        self.state().join(format!("{name}.json"))
    }
    /// What the project is known by, wherever it lies.
    pub fn identity(&self) -> PathBuf {
        self.state().join("id")
    }
    /// What came of the project's tasks, a line a task: what ranking learns from.
    pub fn learned(&self) -> PathBuf {
        self.state().join("learned.jsonl")
    }
    /// Held while what a plugin keeps, or what is learnt, is changed.
    pub fn state_lock(&self) -> PathBuf {
        self.state().join("lock")
    }
    /// Context maps.
    pub fn context(&self) -> PathBuf {
        self.root.join("context")
    }
    pub fn worktrees(&self) -> PathBuf {
        self.root.join("worktrees")
    }
    pub fn worktree(&self, name: &str) -> PathBuf {
        self.worktrees().join(name)
    }
    /// What one agent is handed as files: in the folder that the agent works in, so that a sandboxed one can read it.
    pub fn handed(&self, agent_id: &str) -> PathBuf {
        self.root.join("run").join(agent_id)
    }
    pub fn context_file(&self, agent_id: &str) -> PathBuf {
        self.handed(agent_id).join("context.md")
    }
}
