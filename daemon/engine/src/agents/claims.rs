//! Sessions that agents are just being resumed in: until the agent stands in the roster with its session, nobody else may
//! find the same one.
//!
//! Holds ids only; whose a session is otherwise, whoever claims it says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Default)]
pub(super) struct SessionClaims {
    held: Arc<Mutex<BTreeSet<String>>>,
}

/// A session that nobody else is resumed in while this lives.
#[derive(Debug)]
pub struct SessionClaim {
    id: String,
    claims: SessionClaims,
}

impl SessionClaims {
    /// `None` where somebody else has claimed it, or has it: that is looked at under the same lock.
    pub(super) fn claim(&self, id: &str, is_taken: impl FnOnce() -> bool) -> Option<SessionClaim> {
        let mut held = self.lock();
        if held.contains(id) || is_taken() {
            return None;
        }
        held.insert(id.to_owned());
        Some(SessionClaim { id: id.to_owned(), claims: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SessionClaim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.id);
    }
}
