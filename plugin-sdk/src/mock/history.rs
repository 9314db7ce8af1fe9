//! Past tasks for tests, handed out in the same pages and with the same failures as the host's.

use std::cell::RefCell;

use crate::Failure;
use crate::history::{Page, PastTask, Query};

/// The contract's bound; `context.wit` names it.
const PAGE_MAX: u32 = 200;

thread_local! {
    /// What the plugin that runs on this thread can look back on, if it was granted that.
    static IN_PLACE: RefCell<Option<MockHistory>> = const { RefCell::new(None) };
}

/// What agents of the project were asked to do before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MockHistory {
    /// The oldest first.
    tasks: Vec<PastTask>,
}

impl MockHistory {
    /// These tasks and one more, newer than they are.
    #[must_use]
    pub fn with(mut self, task: PastTask) -> Self {
        self.tasks.push(task);
        self
    }

    /// Runs `call`, within which [`crate::history`] is this one. Without this, `recent` fails as `unavailable`.
    pub fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        let _restore = Restore(IN_PLACE.replace(Some(self.clone())));
        call()
    }

    fn recent(&self, query: &Query) -> Result<Page, Failure> {
        let bad_cursor = || Failure::new("bad_cursor", "it is no cursor of a page before");
        let start = match &query.cursor {
            None => 0,
            Some(cursor) => cursor.parse::<usize>().map_err(|_| bad_cursor())?,
        };
        let left = self.tasks.len().checked_sub(start).ok_or_else(bad_cursor)?;
        let length = left.min(query.limit.clamp(1, PAGE_MAX) as usize);
        let tasks = self.tasks.iter().rev().skip(start).take(length).cloned().collect();
        Ok(Page { tasks, next: (length < left).then(|| (start + length).to_string()) })
    }
}

/// Puts back what was in place before, whatever happens.
struct Restore(Option<MockHistory>);

impl Drop for Restore {
    fn drop(&mut self) {
        IN_PLACE.set(self.0.take());
    }
}

pub(crate) fn recent(query: &Query) -> Result<Page, Failure> {
    IN_PLACE.with_borrow(|past| match past {
        Some(past) => past.recent(query),
        None => Err(Failure::new("unavailable", "there is no past here: run the plugin within MockHistory::during")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(number: usize) -> MockHistory {
        (0..number)
            .fold(MockHistory::default(), |past, n| past.with(PastTask { id: n.to_string(), ..PastTask::default() }))
    }

    #[test]
    fn pages_go_from_the_newest_to_the_oldest() {
        let ids = past(5).during(|| {
            let (mut ids, mut query) = (Vec::new(), Query::newest(2));
            loop {
                let page = recent(&query)?;
                ids.extend(page.tasks.into_iter().map(|task| task.id));
                query.cursor = page.next;
                if query.cursor.is_none() {
                    return Ok::<_, Failure>(ids);
                }
            }
        });
        assert_eq!(ids.unwrap(), ["4", "3", "2", "1", "0"]);
        assert_eq!(past(0).during(|| recent(&Query::newest(9))).unwrap(), Page::default());
    }

    #[test]
    fn each_failure_is_the_host_s() {
        assert_eq!(recent(&Query::newest(1)).unwrap_err().code, "unavailable");
        for cursor in ["x", "6"] {
            let query = Query { cursor: Some(cursor.to_owned()), ..Query::newest(1) };
            assert_eq!(past(5).during(|| recent(&query)).unwrap_err().code, "bad_cursor");
        }
    }
}
