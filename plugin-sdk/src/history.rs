//! What agents of the project were asked to do before, and what came of it, where the user granted the plugin `history`.
//! `wit/context.wit` says what each field means.
//!
//! A plugin that calls [`recent`] asks for the grant by that, and does not run without it. In tests a `MockHistory` stands
//! in for the host:
//!
//! ```
//! use pu_plugin_sdk::history::{PastTask, Query, recent};
//! use pu_plugin_sdk::{Failure, MockHistory};
//!
//! /// The specs that the last task had.
//! fn last_specs() -> Result<Vec<String>, Failure> {
//!     let page = recent(&Query::newest(1))?;
//!     Ok(page.tasks.into_iter().flat_map(|task| task.picked).collect())
//! }
//!
//! let past = MockHistory::default().with(PastTask { picked: vec!["LEDGER".into()], ..PastTask::default() });
//! assert_eq!(past.during(last_specs), Ok(vec!["LEDGER".to_owned()]));
//! ```

#[cfg(target_arch = "wasm32")]
use crate::__guest as host;
#[cfg(not(target_arch = "wasm32"))]
use crate::mock::history as host;
use crate::{Attr, ChangedFile, Failure};

/// Which page of the past tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// None for the newest tasks, then [`Page::next`].
    pub cursor: Option<String>,
    /// At most 200.
    pub limit: u32,
    pub extra: Vec<Attr>,
}

impl Query {
    /// At most so many of the newest tasks.
    pub fn newest(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }
}

/// A task that an agent was started for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastTask {
    /// Names the agent.
    pub id: String,
    pub prompt: String,
    pub tags: Vec<String>,
    pub agent: String,
    pub branch: Option<String>,
    /// `running`, `exited`, `killed`, `lost`, `exit_unknown`, or a word of a later contract.
    pub outcome: String,
    pub exit_code: Option<i32>,
    /// Ids of the specs that its context had, the best first.
    pub picked: Vec<String>,
    /// What it left in its worktree otherwise than it found it.
    pub touched_files: Vec<ChangedFile>,
    /// RFC 3339.
    pub started: Option<String>,
    pub extra: Vec<Attr>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The newest first.
    pub tasks: Vec<PastTask>,
    /// None after the last page.
    pub next: Option<String>,
}

/// The past tasks, the newest first, a page at a time.
pub fn recent(query: &Query) -> Result<Page, Failure> {
    host::recent(query)
}
