//! Which folder each watch is of.
//!
//! Pure bookkeeping. A watch stays with its folder when that is moved, so a folder may be met again under another path.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// The number of a watch.
pub(super) type Watch = i32;

/// Invariant: both maps hold the same pairs.
#[derive(Debug, Default)]
pub(super) struct Table {
    by_watch: HashMap<Watch, Arc<Path>>,
    by_path: BTreeMap<Arc<Path>, Watch>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.by_watch.len()
    }

    pub(super) fn all(&self) -> Vec<Watch> {
        self.by_watch.keys().copied().collect()
    }

    pub(super) fn has(&self, folder: &Path) -> bool {
        self.by_path.contains_key(folder)
    }

    pub(super) fn folder(&self, watch: Watch) -> Option<&Arc<Path>> {
        self.by_watch.get(&watch)
    }

    /// Notes a watch; answers the one that the path had before, if that is of another folder.
    pub(super) fn put(&mut self, folder: &Path, watch: Watch) -> Option<Watch> {
        if self.by_path.get(folder) == Some(&watch) {
            return None;
        }
        // The folder was moved here.
        if let Some(earlier) = self.by_watch.remove(&watch) {
            self.by_path.remove(&earlier);
        }
        let folder: Arc<Path> = folder.into();
        let replaced = self.by_path.insert(Arc::clone(&folder), watch);
        if let Some(replaced) = replaced {
            self.by_watch.remove(&replaced);
        }
        self.by_watch.insert(watch, folder);
        replaced
    }

    pub(super) fn drop_watch(&mut self, watch: Watch) {
        if let Some(folder) = self.by_watch.remove(&watch) {
            self.by_path.remove(&folder);
        }
    }

    /// Takes out those at `folder` and below it that are not to stay.
    pub(super) fn take_from(&mut self, folder: &Path, stays: impl Fn(&Path) -> bool) -> Vec<Watch> {
        let from = (Bound::Included(folder), Bound::Unbounded);
        let all = self.by_path.range::<Path, _>(from).take_while(|(path, _)| path.starts_with(folder));
        let taken: Vec<Watch> = all.filter(|(path, _)| !stays(path)).map(|(_, watch)| *watch).collect();
        for watch in &taken {
            self.drop_watch(*watch);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_met_elsewhere_is_there_and_no_longer_where_it_was() {
        let mut table = Table::default();
        assert_eq!(table.put(Path::new("/r/a"), 1), None);
        assert_eq!(table.put(Path::new("/r/b"), 1), None);
        assert!(!table.has(Path::new("/r/a")) && table.len() == 1);
        assert_eq!(table.put(Path::new("/r/b"), 2), Some(1), "another folder of that name");
        assert_eq!((table.folder(1), table.folder(2).map(|f| &**f)), (None, Some(Path::new("/r/b"))));
    }

    #[test]
    fn what_lies_below_goes_with_a_folder_and_what_only_looks_alike_stays() {
        let mut table = Table::default();
        for (watch, path) in ["/r", "/r/a", "/r/a/x", "/r/a/y/z", "/r/a-b", "/r/ab"].iter().enumerate() {
            table.put(Path::new(path), i32::try_from(watch).unwrap());
        }
        let mut taken = table.take_from(Path::new("/r/a"), |path| path.ends_with("x"));
        taken.sort_unstable();
        assert_eq!((taken, table.len()), (vec![1, 3], 4));
        table.drop_watch(99);
        table.drop_watch(0);
        assert!(!table.has(Path::new("/r")) && table.has(Path::new("/r/a/x")));
    }
}
