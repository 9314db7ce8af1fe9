//! What cannot be watched, and when it is looked at again instead.
//!
//! Pure bookkeeping. It is bounded twice: in how many parts there are, and in how much of the time is spent looking.

use super::scan::{Place, Root, Start};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// With more parts than this whole roots are looked at.
const PARTS_MAX: usize = 256;
/// Looking takes one in so many parts of the time at most.
const REST: u32 = 20;

#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Vec<Start>,
    /// Roots, as they are configured, whose disks come and go without a word.
    always: BTreeSet<PathBuf>,
    /// When the last look ended, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Parts {
    pub(super) fn len(&self) -> usize {
        self.parts.len() + self.always.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks at a root again and again for as long as the daemon lives.
    pub(super) fn look_always(&mut self, given: &Path) {
        self.always.insert(given.to_owned());
    }

    /// Whether there are roots among them whose disks come and go.
    pub(super) fn holds_disks(&self) -> bool {
        !self.always.is_empty()
    }

    /// Begins anew, for another configuration.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What was found out about these places takes the place of what was known of them.
    pub(super) fn replace(&mut self, looked_at: &[PathBuf], unwatched: Vec<Start>, depth: u32) {
        self.parts.retain(|part| !looked_at.iter().any(|folder| part.folder.starts_with(folder)));
        self.parts.extend(unwatched);
        if self.parts.len() > PARTS_MAX {
            let mut whole: Vec<Start> = Vec::new();
            for root in self.parts.drain(..).filter_map(|part| root_of(&part)) {
                if !whole.iter().any(|known| known.folder == root.real) {
                    whole.push(Start { folder: root.real.clone(), place: Place::Below(root), left: depth });
                }
            }
            self.parts = whole;
        }
    }

    /// All that is to be looked at.
    pub(super) fn starts(&self, depth: u32) -> Vec<Start> {
        let always = self.always.iter().map(|given| Start { folder: given.clone(), place: Place::Root, left: depth });
        self.parts.iter().cloned().chain(always).collect()
    }

    /// Some folder of them, to name one.
    pub(super) fn some(&self) -> Option<&Path> {
        self.parts.first().map(|part| part.folder.as_path()).or_else(|| self.always.first().map(PathBuf::as_path))
    }

    pub(super) fn looked(&mut self, now: Instant, took: Duration) {
        self.last = Some((now, took));
    }

    /// When to look next; never, where everything is watched.
    pub(super) fn due(&mut self, every: Duration, now: Instant) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let (at, took) = *self.last.get_or_insert((now, Duration::ZERO));
        Some(at + every.max(took * REST))
    }
}

fn root_of(part: &Start) -> Option<Arc<Root>> {
    match &part.place {
        Place::Below(root) => Some(Arc::clone(root)),
        Place::Root => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::*;

    fn parts(count: usize) -> Vec<Start> {
        let rules = Rules::below(Path::new("/r"), &[], Path::new("/none")).unwrap();
        let root = Arc::new(Root { given: "/r".into(), real: "/r".into(), rules });
        let part =
            |number| Start { folder: format!("/r/{number}").into(), place: Place::Below(Arc::clone(&root)), left: 1 };
        (0..count).map(part).collect()
    }

    #[test]
    fn what_was_looked_at_is_known_anew() {
        let mut known = Parts::default();
        known.replace(&[], parts(3), 6);
        known.replace(&["/r/1".into()], Vec::new(), 6);
        assert_eq!(known.len(), 2);
        known.replace(&["/r".into()], parts(1), 6);
        assert_eq!((known.len(), known.some()), (1, Some(Path::new("/r/0"))));
    }

    #[test]
    fn too_many_parts_are_one_root() {
        let mut known = Parts::default();
        known.replace(&[], parts(PARTS_MAX + 1), 6);
        let starts = known.starts(6);
        assert_eq!((starts.len(), starts[0].folder.as_path(), starts[0].left), (1, Path::new("/r"), 6));
    }

    #[test]
    fn nothing_to_look_at_wakes_nobody_and_a_long_look_is_followed_by_a_long_rest() {
        let (mut known, now, every) = (Parts::default(), Instant::now(), Duration::from_secs(30));
        assert_eq!(known.due(every, now), None);
        assert!(!known.holds_disks());
        known.look_always(Path::new("/mnt/code"));
        assert!(known.holds_disks());
        assert_eq!(known.due(every, now), Some(now + every));
        known.looked(now, Duration::from_secs(1));
        assert_eq!(known.due(every, now), Some(now + every));
        known.looked(now, Duration::from_secs(9));
        assert_eq!(known.due(every, now), Some(now + Duration::from_secs(180)));
        known.clear();
        assert!(known.is_empty());
    }
}
