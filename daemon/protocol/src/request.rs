//! What a client may ask of the daemon.
//!
//! Requests say what is meant, not what was typed: defaults of the command line are settled before.

use crate::bytes::Base64Bytes;
use crate::context::TaskDescription;
use crate::frame::TerminalSize;
use crate::plugin::PluginTask;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A request. Where a request names an agent it takes an id, a unique prefix of one (four characters at least), or a
/// name; names are looked up in the project of `cwd` first, then everywhere; the beginning of a name will do in the
/// project of `cwd`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Opens a connection politely: who calls, and which protocol versions it speaks.
    Hello { client: String, client_version: String, protocol_min: u32, protocol_max: u32 },
    /// Whether the daemon is well.
    Health,
    /// Looks whether all that an agent needs is as it should be: the programs, the machine, the project of `cwd`.
    Doctor {
        #[serde(default)]
        cwd: Option<PathBuf>,
        /// The client's own program and release, to be held against the daemon's.
        #[serde(default)]
        client_program: Option<PathBuf>,
        #[serde(default)]
        client_version: Option<String>,
        /// The caller's environment, in which a spawn would look for programs. Never written to disk.
        #[serde(default)]
        env: BTreeMap<String, String>,
    },
    /// Makes a folder a project, trusted by the user who asks.
    Init { root: PathBuf },
    /// The projects that are known, by root; where there are more than an answer holds, page by page.
    ProjectList {
        /// Only those behind this root: the `next` of the answer before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<PathBuf>,
    },
    /// Makes a folder with a `.pu/` known. It is not trusted by that: `init` does that.
    ProjectAdd { root: PathBuf },
    /// Forgets a project. Its folder stays as it is.
    ProjectRemove {
        /// A name, a path from `cwd`, or an id or the beginning of one (four characters at least).
        project: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
        /// Even while agents of it run; they run on.
        #[serde(default)]
        force: bool,
    },
    /// One project: the one that is named as in `project_remove`, else that of `cwd`.
    ProjectShow {
        #[serde(default)]
        project: Option<String>,
        #[serde(default)]
        cwd: Option<PathBuf>,
    },
    /// What of the project of `cwd` can act, what of that its user allowed, and what changed since; nothing of it runs.
    TrustShow { cwd: PathBuf },
    /// Allows what can act in the project of `cwd`, if that is still what was shown.
    Trust {
        cwd: PathBuf,
        /// The one that was shown.
        digest: String,
    },
    /// Takes back what was allowed: nothing more of the project acts. What runs goes on.
    Untrust { cwd: PathBuf },
    /// Starts an agent.
    Spawn(Box<SpawnRequest>),
    /// Starts ended agents again, each under its name, in its folder and, where its program can, in its session.
    Resume(Box<ResumeRequest>),
    /// The agents of the project of `cwd`, or of all projects.
    Status {
        #[serde(default)]
        cwd: Option<PathBuf>,
        #[serde(default)]
        all_projects: bool,
    },
    /// What an agent is doing, and everything that tells so.
    AgentExplain {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
    },
    /// What ran in the project of `cwd`, or in all projects: with what context, and how it ended; the newest first.
    History {
        #[serde(default)]
        cwd: Option<PathBuf>,
        #[serde(default)]
        all_projects: bool,
        /// Only lives of this agent: a name, or an id or the beginning of one.
        #[serde(default)]
        agent: Option<String>,
        /// Only agents of this type.
        #[serde(default)]
        agent_type: Option<String>,
        /// Only those in this state.
        #[serde(default)]
        state: Option<String>,
        /// Only those that were started then or later, RFC 3339.
        #[serde(default)]
        since: Option<String>,
        /// Only those whose context had this spec, by id or path.
        #[serde(default)]
        spec: Option<String>,
        /// At most so many; 50 if absent.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// A piece of an agent's output, at most 512 KiB an answer.
    Logs {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
        /// From this offset on.
        #[serde(default)]
        since: Option<u64>,
        /// The last so many bytes; ignored when `since` is given.
        #[serde(default)]
        tail: Option<u64>,
        #[serde(default)]
        max_bytes: Option<u32>,
    },
    /// Where an agent's shim listens: the client connects there itself.
    Attach {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
    },
    /// Types bytes into an agent's terminal.
    Input {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
        data: Base64Bytes,
    },
    /// Gives an agent's terminal another size.
    Resize {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
        size: TerminalSize,
    },
    /// Ends agents: SIGTERM to all their processes, then, after the grace, SIGKILL.
    Kill {
        #[serde(default)]
        cwd: Option<PathBuf>,
        #[serde(default)]
        agents: Vec<String>,
        /// Every agent in this worktree.
        #[serde(default)]
        worktree: Option<String>,
        /// Every agent of the project that works in a worktree.
        #[serde(default)]
        all: bool,
        /// With `all`: those that work in the project root too.
        #[serde(default)]
        include_root: bool,
        /// Milliseconds; the configured grace if absent.
        #[serde(default)]
        grace_ms: Option<u64>,
    },
    /// Removes what ended agents left: records, and worktrees and branches that hold nothing unsaved.
    Clean {
        #[serde(default)]
        cwd: Option<PathBuf>,
        #[serde(default)]
        all_projects: bool,
        /// Only these agents.
        #[serde(default)]
        agents: Vec<String>,
        /// Say what would go; remove nothing.
        #[serde(default)]
        dry_run: bool,
    },
    /// What context a task would get, and why.
    ContextExplain {
        cwd: PathBuf,
        #[serde(default)]
        task: TaskDescription,
        /// Send the rendered context too.
        #[serde(default)]
        with_text: bool,
        /// A folder whose specs are searched in place of the project's, absolute.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        specs: Option<PathBuf>,
        /// Only these assemblers, by name, in the chain's order, be they switched off or not; the chain as it is if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chain: Option<Vec<String>>,
        /// For whoever scores rankings: the task alone, whatever is changed where the caller stands, and candidates
        /// without titles and reasons.
        #[serde(default)]
        ranking: bool,
        /// Paths that should be indexed; those that are not come back as `unknown`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        expected: Vec<String>,
    },
    /// What context an agent got, and why.
    ContextShow {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
    },
    /// Notes that specs which an agent was given were not wanted for its task: later rankings count that.
    ContextDrop {
        agent: String,
        #[serde(default)]
        cwd: Option<PathBuf>,
        /// Ids or paths of specs that its context had.
        specs: Vec<String>,
    },
    /// What was learnt from earlier tasks of the project of `cwd`, and from its commits.
    ContextLearned { cwd: PathBuf },
    /// Erases what was learnt from earlier tasks; what commits teach is the repository's and stays.
    ContextForget {
        cwd: PathBuf,
        /// Ids of agents, beginnings of them, or names.
        #[serde(default)]
        agents: Vec<String>,
        /// All that was learnt.
        #[serde(default)]
        all: bool,
    },
    /// The specs of the project of `cwd`, by path; where there are more than an answer holds, page by page.
    SpecList {
        cwd: PathBuf,
        /// Only the one at this path from the root, those in this folder, or those that this glob fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// Only of one of these kinds: `spec`, `rule` for every rule file, or a tool, as in the answer.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kinds: Vec<String>,
        /// Only rule files of one of these modes: `always`, `globs`, `model`, `manual`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        modes: Vec<String>,
        /// Only with all of these tags.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        /// Only what this agent loads by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        native: Option<String>,
        /// Only those behind this path: the `next` of the answer before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// One spec: its front matter, its sections, its text.
    SpecShow {
        cwd: PathBuf,
        /// Its id or path, or an id that it alone defines.
        spec: String,
        /// Send the text of this section, by its id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        section: Option<String>,
        /// Send the text of all of it.
        #[serde(default)]
        with_text: bool,
    },
    /// The specs that the index finds for a text, as plugins see them.
    SpecSearch {
        cwd: PathBuf,
        text: String,
        /// Fields with what each counts: `body`, `title`, `path`, `headings`, `tags`, `lead`, `section`, `near`; the ranking
        /// as it is if empty.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        fields: BTreeMap<String, f32>,
        /// 10 if absent, 200 at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
    /// Looks what is wrong with the specs and rule files of the project of `cwd`.
    SpecLint {
        cwd: PathBuf,
        /// Only what is found in these, each as the `path` of `spec_list`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<String>,
    },
    /// The plugins of the project of `cwd`: its chain, what is switched off, what is pinned.
    PluginList { cwd: PathBuf },
    /// What a component says of itself; runs nothing.
    PluginInspect {
        cwd: PathBuf,
        /// The name of a plugin of the chain, or the absolute path of a component.
        plugin: String,
    },
    /// Makes a plugin of a core module and a manifest.
    PluginEncode {
        /// A core module that carries the contract's types, as `wit-bindgen` leaves them, or a component of the contract.
        core: PathBuf,
        /// The manifest, as JSON.
        manifest: PathBuf,
        out: PathBuf,
    },
    /// Runs one plugin, alone, on tasks; at most 200 a request.
    PluginRun {
        cwd: PathBuf,
        /// As in `plugin_inspect`.
        plugin: String,
        /// A folder whose specs it sees, absolute; the project's if absent.
        #[serde(default)]
        specs: Option<PathBuf>,
        tasks: Vec<PluginTask>,
    },
    /// Measures one plugin on a task.
    PluginBench {
        cwd: PathBuf,
        plugin: String,
        #[serde(default)]
        task: TaskDescription,
        /// At most 10,000.
        rounds: u32,
    },
    /// Copies a component into the project, pins it in `plugins.lock` and, where the chain is configured, adds it there.
    PluginAdd {
        cwd: PathBuf,
        /// The component, absolute.
        component: PathBuf,
        /// Its manifest's name if absent.
        #[serde(default)]
        name: Option<String>,
        /// Where it came from, for the lock: a path or a reference.
        source: String,
        /// What its entry in the chain grants it from now on, beside what it did: `state`, `history`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        grants: Vec<String>,
    },
    /// Takes a plugin out of the project: file, pin and entry in the chain.
    PluginRemove { cwd: PathBuf, name: String },
    /// Switches a plugin of the chain on or off.
    PluginSwitch {
        cwd: PathBuf,
        name: String,
        enabled: bool,
        /// As in `plugin_add`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        grants: Vec<String>,
    },
    /// What is configured in the project of `cwd`, and where; without one, for the user alone.
    ConfigShow {
        #[serde(default)]
        cwd: Option<PathBuf>,
        /// Only this key, or what is in this table, as the keys of the answer are written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Looks for projects below these folders, once; below the configured ones if none is given. What is found is known, not
    /// trusted.
    ProjectScan {
        /// Absolute.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roots: Vec<PathBuf>,
    },
    /// From here on the connection carries events.
    Subscribe {
        /// Only events of the project of this folder.
        #[serde(default)]
        cwd: Option<PathBuf>,
    },
    /// Stops the daemon.
    Shutdown {
        /// End the agents too. By default a standalone daemon leaves them running and a managed one ends them.
        #[serde(default)]
        stop_agents: Option<bool>,
    },
}

/// Everything a spawn needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpawnRequest {
    /// The folder the user stands in; its project is the agent's project.
    pub cwd: PathBuf,
    #[serde(flatten)]
    pub task: TaskDescription,
    /// Derived from the prompt if absent.
    pub name: Option<String>,
    pub placement: Placement,
    /// Run this shell command instead of the agent definition's.
    pub command: Option<String>,
    /// Further arguments for the agent's program.
    pub agent_args: Vec<String>,
    pub no_context: bool,
    pub size: Option<TerminalSize>,
    /// The caller's environment: the agent gets this one, not the daemon's. Never written to disk.
    pub env: BTreeMap<String, String>,
}

/// Which agents go on, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ResumeRequest {
    pub cwd: PathBuf,
    pub agents: Vec<String>,
    /// Every agent of the project that did not end of its own accord and that nobody killed by name: those that a restart
    /// of the machine took, whose end nobody saw, or that ended with their daemon.
    pub all: bool,
    /// With `all`: those of all projects.
    pub all_projects: bool,
    /// What is to be done now: the next message of a session that goes on, an addition to the task of one that begins anew.
    pub prompt: String,
    /// Begin anew with the task, even where the session could go on.
    pub fresh: bool,
    pub size: Option<TerminalSize>,
    /// The caller's environment, as in a spawn. Never written to disk.
    pub env: BTreeMap<String, String>,
}

/// Where an agent works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Placement {
    /// A worktree of its own, on branch `pu/<name>`, from `base` (the current commit if absent).
    NewWorktree {
        #[serde(default)]
        base: Option<String>,
    },
    /// A worktree that an earlier agent made.
    Worktree { name: String },
    /// The project root itself.
    Root,
}

impl Default for Placement {
    fn default() -> Self {
        Self::NewWorktree { base: None }
    }
}

impl Request {
    /// The `type` of every request, in the order of the documentation.
    pub const TYPES: &'static [&'static str] = &[
        "hello",
        "health",
        "doctor",
        "init",
        "project_list",
        "project_add",
        "project_remove",
        "project_show",
        "trust_show",
        "trust",
        "untrust",
        "spawn",
        "resume",
        "status",
        "agent_explain",
        "history",
        "logs",
        "attach",
        "input",
        "resize",
        "kill",
        "clean",
        "context_explain",
        "context_show",
        "context_drop",
        "context_learned",
        "context_forget",
        "spec_list",
        "spec_show",
        "spec_search",
        "spec_lint",
        "plugin_list",
        "plugin_inspect",
        "plugin_encode",
        "plugin_run",
        "plugin_bench",
        "plugin_add",
        "plugin_remove",
        "plugin_switch",
        "config_show",
        "project_scan",
        "subscribe",
        "shutdown",
    ];
}
