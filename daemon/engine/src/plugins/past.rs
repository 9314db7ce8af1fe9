//! The project's past tasks, a page at a time. Pure: who hands them in has read them.

use super::contract::{PastTask, ReadFailure};

/// The contract's bound; `context.wit` names it.
const PAGE_MAX: u32 = 200;

/// What an item of a list costs beside its texts, in bytes: one without any is handed over all the same.
const ITEM: usize = 32;

/// A page of the tasks, of which the newest is the first, and where the next page starts.
pub(super) fn page<'t>(
    tasks: &'t [PastTask],
    cursor: Option<&str>,
    limit: u32,
) -> Result<(&'t [PastTask], Option<String>), ReadFailure> {
    let bad_cursor = || ReadFailure::new("bad_cursor", "it is no cursor of a page before");
    let start = match cursor {
        None => 0,
        Some(cursor) => cursor.parse::<usize>().map_err(|_| bad_cursor())?,
    };
    let rest = tasks.get(start..).ok_or_else(bad_cursor)?;
    let length = rest.len().min(limit.clamp(1, PAGE_MAX) as usize);
    let next = (length < rest.len()).then(|| (start + length).to_string());
    Ok((&rest[..length], next))
}

/// What a task costs of the bytes that a call may read.
pub(super) fn size(task: &PastTask) -> usize {
    let all = |texts: &[String]| texts.iter().map(|text| ITEM + text.len()).sum::<usize>();
    let files: usize = task.touched_files.iter().map(|file| ITEM + file.path.len() + file.status.len()).sum();
    let extra: usize = task.extra.iter().map(|attr| ITEM + attr.key.len() + attr.value.len()).sum();
    let short =
        ITEM + task.id.len() + task.agent.len() + task.outcome.len() + task.branch.as_deref().map_or(0, str::len);
    short + task.prompt.len() + all(&task.tags) + all(&task.picked) + files + extra
}

#[cfg(test)]
mod tests {
    use super::super::contract::ChangedFile;
    use super::*;

    fn tasks(number: usize) -> Vec<PastTask> {
        (0..number).map(|n| PastTask { id: n.to_string(), ..PastTask::default() }).collect()
    }

    #[test]
    fn pages_have_every_task_once() {
        for (number, limit) in [(0, 5), (5, 5), (7, 2), (450, 1_000), (3, 0)] {
            let tasks = tasks(number);
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let (page, next) = page(&tasks, cursor.as_deref(), limit).unwrap();
                assert!(page.len() <= PAGE_MAX as usize);
                seen.extend_from_slice(page);
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, tasks);
        }
    }

    #[test]
    fn a_cursor_that_is_none_is_told() {
        for cursor in ["", "x", "-1", "4", "99999999999999999999"] {
            assert_eq!(page(&tasks(3), Some(cursor), 5).unwrap_err().code, "bad_cursor", "{cursor}");
        }
    }

    #[test]
    fn all_texts_of_a_task_count_and_so_do_items_that_have_none() {
        let task = PastTask {
            id: "1".into(),
            prompt: "22".into(),
            tags: vec!["333".into()],
            picked: vec!["4444".into()],
            ..PastTask::default()
        };
        assert_eq!(size(&task), 10 + 3 * ITEM, "the task, its tag and its pick");
        let task = PastTask { touched_files: vec![ChangedFile::default(); 1_000], ..PastTask::default() };
        assert_eq!(size(&task), 1_001 * ITEM);
    }
}
