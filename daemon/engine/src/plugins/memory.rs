//! What one call sees and changes of a plugin's state: what was there when it began, and its own changes, within the
//! contract's bounds.
//!
//! In memory only. Where state lies, and whether a change is kept, is for those who hand it in and take it back.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::contract::{ReadFailure, StateEntries};

/// The contract's bounds; `context.wit` names them.
const KEY_MAX: usize = 256;
const VALUE_MAX: usize = 64 << 10;
const BYTES_MAX: usize = 1 << 20;
const KEYS_MAX: usize = 4096;

/// What a call changed: a key's new value, or none where it was taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateChanges {
    values: BTreeMap<String, Option<Vec<u8>>>,
}

impl StateChanges {
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Makes the changes to a plugin's state as it is by now: all of them, or none where that would be more than a state
    /// may have, since calls at the same time each had room for themselves only.
    pub fn apply(&self, entries: &mut StateEntries) -> Result<(), ReadFailure> {
        let mut next = entries.clone();
        for (key, value) in &self.values {
            match value {
                Some(value) => next.insert(key.clone(), value.clone()),
                None => next.remove(key),
            };
        }
        if !Size::of(entries).may_become(Size::of(&next)) {
            return Err(full());
        }
        *entries = next;
        Ok(())
    }
}

/// How much a state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    /// Of keys and values.
    bytes: usize,
    keys: usize,
}

impl Size {
    fn of(entries: &StateEntries) -> Self {
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        Self { bytes, keys: entries.len() }
    }

    /// Whether it is within the bounds then, or at least no larger than it is: a file that was edited by hand may be.
    fn may_become(self, next: Self) -> bool {
        next.bytes <= BYTES_MAX.max(self.bytes) && next.keys <= KEYS_MAX.max(self.keys)
    }
}

/// The state of one plugin, as one call has it.
#[derive(Debug)]
pub(super) struct Memory {
    before: Arc<StateEntries>,
    changes: StateChanges,
    /// With the changes.
    size: Size,
}

impl Memory {
    pub(super) fn new(before: Arc<StateEntries>) -> Self {
        let size = Size::of(&before);
        Self { before, changes: StateChanges::default(), size }
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<&[u8]>, ReadFailure> {
        check_key(key)?;
        Ok(self.value(key))
    }

    pub(super) fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), ReadFailure> {
        check_key(&key)?;
        if value.len() > VALUE_MAX {
            let message = format!("a value has at most {VALUE_MAX} bytes, and this one {}", value.len());
            return Err(ReadFailure::new("value_too_large", message));
        }
        let without = self.size_without(&key);
        let next = Size { bytes: without.bytes + key.len() + value.len(), keys: without.keys + 1 };
        if !self.size.may_become(next) {
            return Err(full());
        }
        self.size = next;
        self.changes.values.insert(key, Some(value));
        Ok(())
    }

    /// A key that is not there is taken out too: another call may have set it meanwhile.
    pub(super) fn delete(&mut self, key: String) -> Result<(), ReadFailure> {
        check_key(&key)?;
        self.size = self.size_without(&key);
        self.changes.values.insert(key, None);
        Ok(())
    }

    /// Sorted by their bytes.
    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        let range: (Bound<&str>, Bound<&str>) = (Bound::Included(prefix), Bound::Unbounded);
        let begins = |key: &&String| key.starts_with(prefix);
        let before = self.before.range::<str, _>(range).map(|(key, _)| key).take_while(begins);
        let unchanged = before.filter(|key| !self.changes.values.contains_key(*key));
        let changed = self.changes.values.range::<str, _>(range).take_while(|(key, _)| key.starts_with(prefix));
        let set = changed.filter(|(_, value)| value.is_some()).map(|(key, _)| key);
        let mut keys: Vec<String> = unchanged.chain(set).cloned().collect();
        keys.sort_unstable();
        keys
    }

    pub(super) fn into_changes(self) -> StateChanges {
        self.changes
    }

    fn value(&self, key: &str) -> Option<&[u8]> {
        match self.changes.values.get(key) {
            Some(changed) => changed.as_deref(),
            None => self.before.get(key).map(Vec::as_slice),
        }
    }

    fn size_without(&self, key: &str) -> Size {
        match self.value(key) {
            Some(value) => Size { bytes: self.size.bytes - key.len() - value.len(), keys: self.size.keys - 1 },
            None => self.size,
        }
    }
}

fn check_key(key: &str) -> Result<(), ReadFailure> {
    if (1..=KEY_MAX).contains(&key.len()) && !key.contains(char::is_control) {
        return Ok(());
    }
    Err(ReadFailure::new("bad_key", format!("a key has 1 to {KEY_MAX} bytes and no control characters")))
}

fn full() -> ReadFailure {
    let message = format!("a plugin's state has at most {} KiB and {KEYS_MAX} keys", BYTES_MAX >> 10);
    ReadFailure::new("state_full", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(of: &[(&str, &str)]) -> StateEntries {
        of.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
    }

    fn memory(of: &[(&str, &str)]) -> Memory {
        Memory::new(Arc::new(entries(of)))
    }

    fn code<T>(outcome: Result<T, ReadFailure>) -> String {
        outcome.err().map(|failure| failure.code).unwrap_or_default()
    }

    #[test]
    fn a_call_sees_what_was_there_and_its_own_changes() {
        let mut memory = memory(&[("a", "1"), ("b", "2"), ("b/x", "3")]);
        memory.set("b/y".into(), b"4".to_vec()).unwrap();
        memory.set("a".into(), b"5".to_vec()).unwrap();
        memory.delete("b".into()).unwrap();
        memory.delete("none".into()).unwrap();
        assert_eq!(memory.get("a"), Ok(Some(&b"5"[..])));
        assert_eq!((memory.get("b"), memory.get("c")), (Ok(None), Ok(None)));
        assert_eq!(memory.keys(""), ["a", "b/x", "b/y"]);
        assert_eq!(memory.keys("b/"), ["b/x", "b/y"]);
        assert!(memory.keys("c").is_empty());
        let mut kept = entries(&[("a", "1"), ("b", "2"), ("b/x", "3"), ("none", "of another call"), ("other", "6")]);
        memory.into_changes().apply(&mut kept).unwrap();
        assert_eq!(kept, entries(&[("a", "5"), ("b/x", "3"), ("b/y", "4"), ("other", "6")]));
    }

    #[test]
    fn a_key_that_is_none_is_refused_by_every_call() {
        let long = "k".repeat(KEY_MAX + 1);
        for key in ["", "a\nb", "a\u{7f}", "\0", long.as_str()] {
            let mut memory = memory(&[]);
            assert_eq!(code(memory.get(key)), "bad_key");
            assert_eq!(code(memory.set(key.into(), Vec::new())), "bad_key");
            assert_eq!(code(memory.delete(key.into())), "bad_key");
            assert!(memory.into_changes().is_empty());
        }
        assert_eq!(memory(&[]).set("é".repeat(KEY_MAX / 2), Vec::new()), Ok(()));
    }

    #[test]
    fn a_state_takes_no_more_than_it_may_have_and_deleting_makes_room() {
        let mut memory = memory(&[]);
        assert_eq!(code(memory.set("k".into(), vec![0; VALUE_MAX + 1])), "value_too_large");
        let mut written = 0;
        while memory.set(format!("{written:02}"), vec![0; VALUE_MAX]).is_ok() {
            written += 1;
        }
        assert_eq!(written, BYTES_MAX / (VALUE_MAX + 2));
        assert_eq!(code(memory.set("more".into(), vec![0; VALUE_MAX])), "state_full");
        assert_eq!(memory.get("more"), Ok(None), "nothing of it was written");
        assert_eq!(memory.set("00".into(), vec![1; VALUE_MAX]), Ok(()), "a value in place of another is no growth");
        memory.delete("01".into()).unwrap();
        assert_eq!(memory.set("more".into(), vec![0; VALUE_MAX - 2]), Ok(()));
    }

    #[test]
    fn a_state_has_so_many_keys() {
        let mut memory = memory(&[]);
        for n in 0..KEYS_MAX {
            memory.set(n.to_string(), Vec::new()).unwrap();
        }
        assert_eq!(code(memory.set("one more".into(), Vec::new())), "state_full");
        memory.delete("7".into()).unwrap();
        assert_eq!(memory.set("one more".into(), Vec::new()), Ok(()));
    }

    #[test]
    fn what_does_not_fit_beside_the_changes_of_others_is_left_out_whole() {
        let mut memory = memory(&[]);
        for n in 0..10 {
            memory.set(format!("mine/{n}"), vec![0; VALUE_MAX]).unwrap();
        }
        let changes = memory.into_changes();
        let theirs: StateEntries = (0..10).map(|n| (format!("theirs/{n}"), vec![0; VALUE_MAX])).collect();
        let mut entries = theirs.clone();
        assert_eq!(code(changes.apply(&mut entries)), "state_full");
        assert_eq!(entries, theirs);
    }

    #[test]
    fn a_state_that_is_too_large_already_may_shrink() {
        let large: StateEntries = (0..20).map(|n| (format!("{n:02}"), vec![0; VALUE_MAX])).collect();
        let mut memory = Memory::new(Arc::new(large));
        assert_eq!(code(memory.set("more".into(), vec![0])), "state_full");
        memory.set("00".into(), vec![0; 10]).unwrap();
        memory.delete("01".into()).unwrap();
        assert_eq!(code(memory.set("more".into(), vec![0])), "state_full", "it is too large still");
        assert_eq!(memory.keys("").len(), 19);
    }
}
