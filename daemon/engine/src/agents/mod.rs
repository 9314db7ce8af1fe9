//! Agents: what kinds there are, how one is started, which folder and branch it works in.
//!
//! In the order in which a spawn uses it: a definition ([`Definitions`]), a name ([`name`]), a worktree
//! ([`Repository::create_worktree`]), a plan ([`plan`]) and its files ([`handed`]). Everything here blocks; callers in
//! the daemon use `spawn_blocking`. This room starts no agent: that is done by the shims.

mod activity;
mod changes;
mod chosen;
mod claims;
mod cleaning;
mod commits;
mod definition;
mod definitions;
mod delivery;
mod error;
mod exclude;
mod git;
pub mod handed;
mod holds;
mod launch;
mod lifecycle;
mod limits;
pub mod name;
mod outcome;
mod program;
mod rebase;
mod repair;
mod repository;
mod roster;
mod session;
mod signals;
mod state;
mod template;
mod touched;
mod worktree;

#[cfg(test)]
mod tests;

pub use activity::Heard;
pub use changes::{ChangedFile, changed_files};
pub use claims::SessionClaim;
pub use cleaning::{Inspection, KeepReason, Outcome, Removal};
pub use commits::{Commit, CommitLog, read_commits};
pub use definition::{AgentDefinition, DefinitionTable, Delivery};
pub use definitions::{Definitions, FALLBACK_AGENT};
pub use error::{AgentsError, Result};
pub use git::Git;
pub use holds::WorktreeHold;
pub use launch::{HandedFile, LaunchPlan, LaunchRequest, ResumedSession, plan};
pub use lifecycle::{Lifecycle, Trace};
pub use outcome::{LearnSwitch, outcome_so_far};
pub use rebase::rebased;
pub use repository::Repository;
pub use roster::{Agent, NotResumable, ReservedName, Roster, RosterError};
pub use session::{SessionPlace, find_session};
pub use signals::{Signals, TitleSign, Word};
pub use template::{Placeholder, Template, UnknownPlaceholder};
pub use worktree::{CreatedWorktree, ListedWorktree, Undone, branch_of};
