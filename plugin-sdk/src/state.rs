//! What the plugin keeps from one task to the next: a few small values, its own in each project, where the user granted
//! it `state`. `wit/context.wit` says what holds for them, and which failures there are.
//!
//! A plugin that calls something here asks for the grant by that, and does not run without it. In tests a
//! `MockState` stands in for the host:
//!
//! ```
//! use pu_plugin_sdk::{Failure, MockState, state};
//!
//! /// How many tasks there were, this one included.
//! fn tasks() -> Result<u8, Failure> {
//!     let before = state::get("tasks")?.and_then(|value| value.first().copied()).unwrap_or(0);
//!     state::set("tasks", &[before + 1])?;
//!     Ok(before + 1)
//! }
//!
//! let mut kept = MockState::default().with("tasks", &[4]);
//! assert_eq!(kept.during(tasks), Ok(5));
//! assert_eq!(kept.get("tasks"), Some(&[5][..]));
//! ```

#[cfg(target_arch = "wasm32")]
use crate::__guest::state as host;
use crate::Failure;
#[cfg(not(target_arch = "wasm32"))]
use crate::mock::state as host;

/// The value of a key, if it has one.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    host::get(key)
}

/// Sets a key's value. Kept if the call succeeds and an agent is started for the task.
pub fn set(key: &str, value: &[u8]) -> Result<(), Failure> {
    host::set(key, value)
}

/// Takes a key out; that it is not there is no failure.
pub fn delete(key: &str) -> Result<(), Failure> {
    host::delete(key)
}

/// The keys that begin with this, sorted by their bytes.
pub fn keys(prefix: &str) -> Result<Vec<String>, Failure> {
    host::keys(prefix)
}
