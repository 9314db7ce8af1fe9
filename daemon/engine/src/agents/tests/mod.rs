//! Tests of the room through its public door: launches as tables, worktrees in real repositories.

mod cleaning;
mod commits;
mod exclude;
mod hooks;
mod launch;
mod repository;
mod scratch;
mod touched;
mod worktree;
