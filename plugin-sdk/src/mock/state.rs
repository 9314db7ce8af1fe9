//! A plugin's state for tests: the same calls, bounds and failures as the host's, kept in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::Failure;

/// The contract's bounds; `context.wit` names them.
const KEY_MAX: usize = 256;
const VALUE_MAX: usize = 64 << 10;
const BYTES_MAX: usize = 1 << 20;
const KEYS_MAX: usize = 4096;

thread_local! {
    /// What the plugin that runs on this thread has, if it was granted any.
    static IN_PLACE: RefCell<Option<MockState>> = const { RefCell::new(None) };
}

/// What a plugin keeps from one task to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MockState {
    entries: BTreeMap<String, Vec<u8>>,
}

impl MockState {
    /// This state and one more value.
    #[must_use]
    pub fn with(mut self, key: &str, value: &[u8]) -> Self {
        self.entries.insert(key.to_owned(), value.to_vec());
        self
    }

    /// What is kept under a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.entries.get(key).map(Vec::as_slice)
    }

    /// Runs `call`, within which [`crate::state`] is this one, as the host runs a plugin for a spawn: what is changed is
    /// kept if it succeeds, and only then. Without this, all calls of `state` fail as `unavailable`.
    pub fn during<T, E>(&mut self, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let restore = Restore(IN_PLACE.replace(Some(self.clone())));
        let answer = call();
        let changed = IN_PLACE.take();
        drop(restore);
        if let (Ok(_), Some(changed)) = (&answer, changed) {
            *self = changed;
        }
        answer
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Result<(), Failure> {
        if value.len() > VALUE_MAX {
            return Err(Failure::new("value_too_large", format!("a value has at most {VALUE_MAX} bytes")));
        }
        let others = self.entries.iter().filter(|(known, _)| *known != key);
        let (bytes, keys) = others.fold((0, 0), |(bytes, keys), (k, v)| (bytes + k.len() + v.len(), keys + 1));
        if bytes + key.len() + value.len() > BYTES_MAX || keys + 1 > KEYS_MAX {
            let message = format!("a plugin's state has at most {} KiB and {KEYS_MAX} keys", BYTES_MAX >> 10);
            return Err(Failure::new("state_full", message));
        }
        self.entries.insert(key.to_owned(), value.to_vec());
        Ok(())
    }
}

/// Puts back what was in place before, whatever happens.
struct Restore(Option<MockState>);

impl Drop for Restore {
    fn drop(&mut self) {
        IN_PLACE.set(self.0.take());
    }
}

pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    check_key(key)?;
    in_place(|state| Ok(state.entries.get(key).cloned()))
}

pub(crate) fn set(key: &str, value: &[u8]) -> Result<(), Failure> {
    check_key(key)?;
    in_place(|state| state.set(key, value))
}

pub(crate) fn delete(key: &str) -> Result<(), Failure> {
    check_key(key)?;
    in_place(|state| {
        state.entries.remove(key);
        Ok(())
    })
}

pub(crate) fn keys(prefix: &str) -> Result<Vec<String>, Failure> {
    in_place(|state| Ok(state.entries.keys().filter(|key| key.starts_with(prefix)).cloned().collect()))
}

fn in_place<T>(work: impl FnOnce(&mut MockState) -> Result<T, Failure>) -> Result<T, Failure> {
    IN_PLACE.with_borrow_mut(|state| match state {
        Some(state) => work(state),
        None => Err(Failure::new("unavailable", "there is no state here: run the plugin within MockState::during")),
    })
}

fn check_key(key: &str) -> Result<(), Failure> {
    if (1..=KEY_MAX).contains(&key.len()) && !key.contains(char::is_control) {
        return Ok(());
    }
    Err(Failure::new("bad_key", format!("a key has 1 to {KEY_MAX} bytes and no control characters")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state;

    #[test]
    fn what_a_call_changes_is_kept_if_it_succeeds() {
        let mut kept = MockState::default().with("a/1", b"1").with("a/2", b"2").with("b", b"3");
        let listed = kept.during(|| {
            state::set("a/3", b"new")?;
            state::delete("a/1")?;
            state::delete("none")?;
            state::keys("a/")
        });
        assert_eq!(listed.unwrap(), ["a/2", "a/3"]);
        assert_eq!((kept.get("a/1"), kept.get("a/3")), (None, Some(&b"new"[..])));
        let before = kept.clone();
        let failed = kept.during(|| state::set("c", b"4").and_then(|()| Err::<(), _>(Failure::new("no", "no"))));
        assert_eq!((failed.unwrap_err().code.as_str(), kept), ("no", before));
    }

    #[test]
    fn each_failure_is_the_host_s() {
        assert_eq!(state::get("a").unwrap_err().code, "unavailable");
        let code = |call: fn() -> Result<(), Failure>| MockState::default().during(call).unwrap_err().code;
        assert_eq!(code(|| state::get("").map(drop)), "bad_key");
        assert_eq!(code(|| state::set("a\n", b"")), "bad_key");
        assert_eq!(code(|| state::delete(&"k".repeat(KEY_MAX + 1))), "bad_key");
        assert_eq!(code(|| state::set("a", &[0; VALUE_MAX + 1])), "value_too_large");
        let fill = || (0..20).try_for_each(|n| state::set(&n.to_string(), &[0; VALUE_MAX]));
        assert_eq!(MockState::default().during(fill).unwrap_err().code, "state_full");
    }

    #[test]
    fn one_within_another_and_a_panic_leave_what_was_there() {
        let mut outer = MockState::default().with("who", b"outer");
        let seen = outer.during(|| {
            let inner = std::panic::catch_unwind(|| {
                MockState::default().during(|| -> Result<(), Failure> { panic!("{:?}", state::get("who")) })
            });
            assert!(inner.is_err());
            state::get("who")
        });
        assert_eq!(seen.unwrap().as_deref(), Some(&b"outer"[..]));
        assert_eq!(state::get("who").unwrap_err().code, "unavailable");
    }
}
