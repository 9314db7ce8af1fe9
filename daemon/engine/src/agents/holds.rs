//! Who needs a worktree just now: spawns that join it, or a `clean` that removes it, never both.
//!
//! A table in memory that lasts as long as the requests do; agents that work in a worktree stand in the roster.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A project's root and the name of a worktree in it.
type Key = (PathBuf, String);

/// Handle to the table. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds {
    held: Arc<Mutex<HashMap<Key, Held>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// By so many spawns.
    Joined(usize),
    /// By one that removes it.
    Withheld,
}

/// A worktree that is held for as long as this lives.
#[derive(Debug)]
pub struct WorktreeHold {
    key: Key,
    holds: Holds,
}

impl Holds {
    /// For a spawn; `None` while somebody removes the worktree.
    pub(super) fn join(&self, project: &Path, name: &str) -> Option<WorktreeHold> {
        self.hold(project, name, |held| match held {
            None => Some(Held::Joined(1)),
            Some(Held::Joined(others)) => Some(Held::Joined(others + 1)),
            Some(Held::Withheld) => None,
        })
    }

    /// For a removal; `None` while anybody holds the worktree.
    pub(super) fn withhold(&self, project: &Path, name: &str) -> Option<WorktreeHold> {
        self.hold(project, name, |held| held.is_none().then_some(Held::Withheld))
    }

    fn hold(&self, project: &Path, name: &str, next: impl Fn(Option<Held>) -> Option<Held>) -> Option<WorktreeHold> {
        let key = (project.to_owned(), name.to_owned());
        let mut held = self.lock();
        let now = next(held.get(&key).copied())?;
        held.insert(key.clone(), now);
        drop(held);
        Some(WorktreeHold { key, holds: self.clone() })
    }

    /// Each change under this lock is one assignment; a panic leaves the old or the new.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WorktreeHold {
    fn drop(&mut self) {
        let mut held = self.holds.lock();
        match held.get_mut(&self.key) {
            Some(Held::Joined(spawns)) if *spawns > 1 => *spawns -= 1,
            _ => {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spawns_share_a_worktree_and_a_removal_shares_with_nobody() {
        let holds = Holds::default();
        let root = Path::new("/p");
        let (first, second) = (holds.join(root, "x").unwrap(), holds.join(root, "x").unwrap());
        assert!(holds.withhold(root, "x").is_none());
        drop(first);
        assert!(holds.withhold(root, "x").is_none(), "the second one is still at it");
        drop(second);
        let removal = holds.withhold(root, "x").unwrap();
        assert!(holds.join(root, "x").is_none() && holds.withhold(root, "x").is_none());
        assert!(holds.join(root, "y").is_some() && holds.join(Path::new("/q"), "x").is_some());
        drop(removal);
        assert!(holds.join(root, "x").is_some());
    }
}
