//! PurePoint's daemon, the control plane: it knows projects, specs, plugins and agents, and answers requests.
//!
//! It owns no PTY and no agent process: each agent has a shim of its own, which outlives the daemon.
//!
//! A room uses the rooms that stand to its right here, never one to its left:
//! `ipc → engine → projects → context → {specs, plugins} → agents → shims → store`; all of them write to `events` and open
//! files of a project through `beneath`, and `gates` bounds what each project may take up.

pub mod agents;
mod beneath;
pub mod context;
pub mod engine;
pub mod events;
pub mod gates;
pub mod ipc;
mod log;
mod platform;
pub mod plugins;
pub mod projects;
pub mod server;
pub mod shims;
pub mod specs;
pub mod store;
