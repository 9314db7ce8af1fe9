//! What the daemon answers.
//!
//! One answer a request; only `subscribe` is followed by more lines.

use crate::activity::AgentExplanation;
use crate::bytes::Base64Bytes;
use crate::config::ConfigReport;
use crate::context::ContextReport;
use crate::discovery::ScanReport;
use crate::doctor::Finding;
use crate::error::ErrorBody;
use crate::event::EventLine;
use crate::history::PastRun;
use crate::learned::LearnedReport;
use crate::plugin::{PluginInfo, PluginInspection, PluginRun, PluginTimes};
use crate::project::{FoundFiles, ProjectDetail, ProjectInfo};
use crate::spec::{SpecDetail, SpecFinding, SpecInfo, SpecMatch};
use crate::trust::{TrustPart, TrustReport};
use crate::{AgentInfo, Exit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    /// To `hello`.
    HelloReport { protocol_version: u32, engine_version: String, capabilities: Vec<String> },
    /// To `health`.
    HealthReport(HealthReport),
    /// To `doctor`.
    DoctorReport { findings: Vec<Finding> },
    /// To `init`.
    InitReport(InitReport),
    /// To `project_list`: some of `total`, by root; the others are behind `next`.
    ProjectListReport {
        projects: Vec<ProjectInfo>,
        total: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<PathBuf>,
    },
    /// To `project_show` and `project_add`; to `project_remove`, as it was.
    ProjectReport(Box<ProjectDetail>),
    /// To `trust_show`, `trust` and `untrust`.
    TrustReport(Box<TrustReport>),
    /// To `spawn`.
    SpawnReport(Box<SpawnReport>),
    /// To `resume`.
    ResumeReport { resumed: Vec<ResumedAgent>, failed: Vec<FailedAgent> },
    /// To `status`.
    StatusReport(StatusReport),
    /// To `agent_explain`.
    AgentExplainReport(Box<AgentExplanation>),
    /// To `history`: the newest first, and how many more there are that were asked for; and, of all projects, which of them
    /// cannot tell theirs, and why.
    HistoryReport {
        runs: Vec<PastRun>,
        more: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// To `logs`.
    LogsReport(LogsReport),
    /// To `attach`.
    AttachReport { agent: AgentInfo, socket: PathBuf, shim_protocol: u32 },
    /// To `input` and `resize`.
    Done,
    /// To `kill`.
    KillReport { killed: Vec<KilledAgent>, failed: Vec<FailedAgent> },
    /// To `clean`.
    CleanReport { items: Vec<CleanItem>, dry_run: bool },
    /// To `context_explain` and `context_show`.
    ContextReport(ContextAnswer),
    /// To `context_drop`: the specs as they are called, those included that were dropped before.
    ContextDropReport { agent_id: String, name: String, dropped: Vec<String> },
    /// To `context_learned`.
    LearnedReport(LearnedReport),
    /// To `context_forget`: how many tasks.
    ForgetReport { forgotten: u32 },
    /// To `spec_list`: some of `total`, by path; the others are behind `next`.
    SpecListReport {
        specs: Vec<SpecInfo>,
        total: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// To `spec_show`.
    SpecReport(Box<SpecDetail>),
    /// To `spec_search`: the best first.
    SpecSearchReport { hits: Vec<SpecMatch> },
    /// To `spec_lint`: how many specs were looked at, how much was found, and what, by path and line; `more` of it is not
    /// listed, for want of room.
    SpecLintReport {
        specs: u32,
        errors: u32,
        warnings: u32,
        notes: u32,
        findings: Vec<SpecFinding>,
        #[serde(default)]
        more: u32,
    },
    /// To `plugin_list`.
    PluginListReport { plugins: Vec<PluginInfo> },
    /// To `plugin_inspect` and `plugin_encode`.
    PluginInspection(Box<PluginInspection>),
    /// To `plugin_run`: one for each task, in their order; fewer where the line has no room for more.
    PluginRunReport { plugin: String, runs: Vec<PluginRun> },
    /// To `plugin_bench`.
    PluginBenchReport { plugin: String, times: PluginTimes },
    /// To `plugin_add`, `plugin_remove` and `plugin_switch`: how the plugin stands now, and the files that changed.
    PluginChanged { plugin: Box<PluginInfo>, changed: Vec<PathBuf> },
    /// To `config_show`.
    ConfigReport(ConfigReport),
    /// To `project_scan`.
    ProjectScanReport(ScanReport),
    /// To `subscribe`.
    Subscribed { seq: u64 },
    /// On a subscribed connection.
    Event(EventLine),
    /// On a subscribed connection that read too slowly: so many events are missing here.
    EventsLost { missed: u64 },
    /// To `shutdown`.
    ShutdownReport { stopped_agents: u32, left_running: u32 },
    /// To anything that failed.
    Error(ErrorBody),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthReport {
    pub pid: u32,
    pub uptime_seconds: u64,
    pub protocol_version: u32,
    pub engine_version: String,
    /// Known projects.
    pub projects: u32,
    /// Live agents.
    pub agent_count: u32,
    /// Whether the daemon belongs to an application.
    #[serde(default)]
    pub managed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InitReport {
    pub root: PathBuf,
    pub name: String,
    /// Files that were written; empty when the project was complete already.
    pub created: Vec<String>,
    pub specs: u32,
    /// What these are, by kind: specs first, then the rule files of each tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundFiles>,
    /// Files under the spec folders that are not indexed, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// What of the project can act from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<TrustPart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpawnReport {
    pub agent_id: String,
    pub name: String,
    pub agent: String,
    pub project_root: PathBuf,
    /// Relative to the project root; absent with `root`.
    pub worktree: Option<String>,
    pub branch: Option<String>,
    pub pid: i32,
    /// How the context reached the agent: `system`, `prompt`, `file`, `env`, or `none`; `session` where the session that
    /// goes on has it already.
    pub delivery: String,
    pub context: ContextReport,
}

/// An agent that goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResumedAgent {
    #[serde(flatten)]
    pub started: SpawnReport,
    /// The id that it had before: its output and its exit from then stay under that one.
    pub resumes: String,
    /// Its program's session, where that goes on and has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Why it began anew with its task, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_because: Option<String>,
    /// The context that it had before.
    pub context_before: ContextReport,
    /// Whether its context is another text than before.
    pub context_changed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusReport {
    /// Oldest first: all live ones, and the 500 ended ones that were started last.
    pub agents: Vec<AgentInfo>,
    /// How many older ended agents there are besides.
    #[serde(default)]
    pub more: u32,
    /// Agent folders that the daemon does not recognise; it leaves them alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unrecognised: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogsReport {
    /// Where `data` begins, counted in bytes from the agent's start.
    pub offset: u64,
    /// Where to go on.
    pub next_offset: u64,
    /// Where the output ended when this was read.
    pub end: u64,
    /// Bytes before `offset` that were asked for and are no longer kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    pub data: Base64Bytes,
    /// Whether the agent still runs: if not, `end` is final.
    pub live: bool,
}

/// Bytes that are not there: from `from` up to, not including, `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    pub from: u64,
    pub to: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KilledAgent {
    pub agent_id: String,
    pub name: String,
    #[serde(flatten)]
    pub exit: Exit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedAgent {
    /// As it was named in the request; the root of a project where it is all of its agents.
    pub agent: String,
    #[serde(flatten)]
    pub error: ErrorBody,
}

/// One thing that `clean` removed, would remove, or keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CleanItem {
    /// `record`, `worktree` or `branch`; `output` or `history` for what is over its bounds; `project` where a whole project
    /// could not be looked at.
    pub kind: String,
    /// The agent's name and id, the worktree's folder, the branch's name, the project's root.
    pub what: String,
    /// Empty where the item is no agent's.
    pub agent_id: String,
    /// Whether it goes (or went).
    pub removed: bool,
    /// Why it stays, where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_because: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContextAnswer {
    #[serde(flatten)]
    pub report: ContextReport,
    /// The rendered context, where it was asked for and is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Paths that the request expected and that are no indexed spec's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}
