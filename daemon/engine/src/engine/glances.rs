//! Looks at many folders for what is told of each, without waiting for those that do not answer.
//!
//! A file system that hangs keeps the thread that looks there. That one is left where it is, nobody else is sent there until
//! it is back, and the rest is looked at by another. It knows nothing of what is looked for.

use crate::store::ProjectRow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// What takes longer than this to look at does not answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// With more than so many that do not answer, all that is left is told without a look.
const GIVEN_UP_MAX: usize = 4;

/// Handle to those that do not answer. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Glances {
    /// Roots at which a thread hangs. Held for a look or a change, and while an answer is handed over: whoever has given up
    /// an answer has noted so before the thread can say that it has come.
    unanswered: Arc<Mutex<HashSet<PathBuf>>>,
}

impl Glances {
    /// What `look` finds of each project, in their order; nothing for one that does not answer.
    pub(super) async fn at_all<T: Send + 'static>(
        &self,
        rows: &Arc<[ProjectRow]>,
        patience: Duration,
        look: impl Fn(&ProjectRow) -> T + Send + Sync + 'static,
    ) -> Vec<Option<T>> {
        let look = Arc::new(look);
        let (mut found, mut given_up) = (Vec::with_capacity(rows.len()), 0);
        while found.len() < rows.len() && given_up < GIVEN_UP_MAX {
            let first = found.len();
            let (sender, mut receiver) = mpsc::unbounded_channel();
            let (glances, theirs, look) = (self.clone(), Arc::clone(rows), Arc::clone(&look));
            tokio::task::spawn_blocking(move || glances.look_from(&theirs[first..], &*look, &sender));
            loop {
                match tokio::time::timeout(patience, receiver.recv()).await {
                    Ok(Some(seen)) => found.push(seen),
                    Ok(None) => break,
                    Err(_) => {
                        let mut unanswered = self.lock();
                        receiver.close();
                        while let Ok(seen) = receiver.try_recv() {
                            found.push(seen);
                        }
                        if let Some(row) = rows.get(found.len()) {
                            unanswered.insert(row.root.clone());
                            found.push(None);
                            given_up += 1;
                        }
                        break;
                    }
                }
            }
            if found.len() == first {
                // The look has panicked: the next one is not to meet the same.
                found.push(None);
            }
        }
        found.resize_with(rows.len(), || None);
        found
    }

    /// One thread's look at one after the other, for as long as somebody waits for what it finds.
    fn look_from<T>(
        &self,
        rows: &[ProjectRow],
        look: &(impl Fn(&ProjectRow) -> T + ?Sized),
        sender: &mpsc::UnboundedSender<Option<T>>,
    ) {
        for row in rows {
            let seen = (!self.is_unanswered(&row.root)).then(|| look(row));
            let has_looked = seen.is_some();
            let mut unanswered = self.lock();
            if sender.send(seen).is_err() {
                if has_looked {
                    unanswered.remove(&row.root);
                }
                return;
            }
        }
    }

    fn is_unanswered(&self, root: &Path) -> bool {
        self.lock().contains(root)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn rows(names: &[&str]) -> Arc<[ProjectRow]> {
        names.iter().map(|name| ProjectRow { root: name.into(), ..ProjectRow::default() }).collect()
    }

    #[test]
    fn one_that_does_not_answer_keeps_nobody_waiting_and_is_asked_again_once_it_does() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (glances, rows) = (Glances::default(), rows(&["a", "hung", "b"]));
        let (let_go, waits) = channel::<()>();
        let waits = Mutex::new(waits);
        let look = move |row: &ProjectRow| {
            if row.root == Path::new("hung") {
                // Until the test lets go, and never again.
                let _ = waits.lock().unwrap().recv();
            }
            row.root.clone()
        };
        let seen = |name: &str| Some(PathBuf::from(name));
        let patience = Duration::from_millis(200);
        let found = runtime.block_on(glances.at_all(&rows, patience, look));
        assert_eq!(found, [seen("a"), None, seen("b")]);
        let root = |row: &ProjectRow| row.root.clone();
        let found = runtime.block_on(glances.at_all(&rows, patience, root));
        assert_eq!(found, [seen("a"), None, seen("b")], "nobody else is sent there");
        drop(let_go);
        while glances.is_unanswered(Path::new("hung")) {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let found = runtime.block_on(glances.at_all(&rows, patience, root));
        assert_eq!(found, [seen("a"), seen("hung"), seen("b")]);
    }
}
