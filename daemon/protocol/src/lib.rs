//! PurePoint's wire: what the daemon and its clients say to each other, what a shim and those attached to it say to
//! each other, and where the files lie that they share.
//!
//! Bare types and pure functions. This crate never opens a file, a socket or a process.
//!
//! The daemon's protocol is newline-delimited JSON. Each line is an object tagged by `type`; a request may carry an
//! `id`, which its answer repeats. Adding a field or a type never breaks a client (both sides ignore what they do not
//! know); a change that would is a new [`PROTOCOL_VERSION`].

pub mod activity;
pub mod agent;
pub mod answer;
pub mod bytes;
pub mod config;
pub mod context;
pub mod discovery;
pub mod doctor;
pub mod envelope;
pub mod error;
pub mod event;
pub mod frame;
pub mod history;
pub mod layout;
pub mod learned;
pub mod plugin;
pub mod project;
pub mod request;
pub mod schema;
pub mod spec;
pub mod trust;

pub use activity::{Activity, Confidence, Doing, Evidence, Source};
pub use agent::{AgentInfo, AgentState, Exit};
pub use answer::Answer;
pub use bytes::Base64Bytes;
pub use doctor::{Finding, FindingState};
pub use envelope::{AnswerLine, RequestId, RequestLine};
pub use error::{ErrorBody, ErrorCode};
pub use event::{Event, EventLine};
pub use request::{Placement, Request, ResumeRequest, SpawnRequest};

/// The version of the daemon's protocol. A daemon serves exactly this one; `hello` finds out whether a client speaks it.
pub const PROTOCOL_VERSION: u32 = 1;

/// The longest line either side may send, in bytes, its newline included. Larger data goes in chunks.
pub const LINE_MAX: usize = 1024 * 1024;
