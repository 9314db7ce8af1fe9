//! Sessions that agents are just being resumed in: until the agent stands in the roster with its session, nobody else may
//! find the same one.
//!
//! Holds ids only; whose a session is otherwise, whoever claims it says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Default)]
pub(super) struct SessionClaims {
    /// Each with the agent that it is held for.
    held: Arc<Mutex<BTreeMap<String, String>>>,
}

/// A session that nobody else is resumed in while this lives.
#[derive(Debug)]
pub struct SessionClaim {
    id: String,
    claims: SessionClaims,
}

impl SessionClaims {
    /// For an agent; where somebody else has claimed it, or (`holder`) has it otherwise, the id of that one. Both are looked
    /// at under the same lock.
    pub(super) fn claim(
        &self,
        id: &str,
        agent_id: &str,
        holder: impl FnOnce() -> Option<String>,
    ) -> Result<SessionClaim, String> {
        let mut held = self.lock();
        if let Some(by) = held.get(id).cloned().or_else(holder) {
            return Err(by);
        }
        held.insert(id.to_owned(), agent_id.to_owned());
        Ok(SessionClaim { id: id.to_owned(), claims: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SessionClaim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.id);
    }
}
