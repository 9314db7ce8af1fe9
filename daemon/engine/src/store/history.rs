//! A project's `history.jsonl`: what was spawned, which context it got and why, how it ended.
//!
//! Only ever appended to, and begun anew when it has grown to half of its bounds: what there was is `history.1.jsonl` then,
//! in the place of what that held. Whoever is just writing to it still writes into a file that is read. Holds the names of
//! environment variables, never a value.

use super::lines::Lines;
use super::manifest::lock;
use super::{AgentRow, StoreError, WorktreeRow};
use jiff::Timestamp;
use pu_protocol::context::ContextReport;
use pu_protocol::layout::ProjectLayout;
use pu_record::{RecordError, atomic};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// As much of a file's end as is read: twice what one of the two has by the usual bounds.
const READ_MAX: u64 = 64 * 1024 * 1024;
/// As much of a file's beginning as is looked through for when it began.
const FIRST_MAX: u64 = 16 * 1024 * 1024;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HistoryEntry {
    Spawned {
        at: String,
        agent: AgentRow,
        prompt: String,
        /// Those that were named beside the prompt.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        context: Box<ContextReport>,
        /// The worktree that was made for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        worktree: Option<Box<WorktreeRow>>,
    },
    Ended {
        at: String,
        agent_id: String,
        name: String,
        state: pu_protocol::AgentState,
        /// What it left in its worktree otherwise than it found it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        touched: Vec<TouchedFile>,
    },
}

/// A file of the project and what has become of it: `added`, `modified` or `deleted`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TouchedFile {
    /// Relative to the project root.
    pub path: String,
    pub status: String,
}

/// Adds a line, durably.
pub fn append_history(project: &ProjectLayout, entry: &HistoryEntry) -> Result<(), StoreError> {
    let path = project.history();
    Ok(atomic::append_line(&path, &line_of(&path, entry)?)?)
}

/// As [`append_history`], to be followed by [`atomic::make_durable`].
pub(super) fn append_history_volatile(project: &ProjectLayout, entry: &HistoryEntry) -> Result<(), StoreError> {
    let path = project.history();
    Ok(atomic::append_line_volatile(&path, &line_of(&path, entry)?)?)
}

fn line_of(path: &Path, entry: &HistoryEntry) -> Result<String, StoreError> {
    Ok(serde_json::to_string(entry).map_err(|source| RecordError::Encode { path: path.into(), source })?)
}

/// The files of a project's history, the older one first.
pub(super) fn files(project: &ProjectLayout) -> [PathBuf; 2] {
    [project.older_history(), project.history()]
}

/// Calls `each` with every line of a history, the oldest first. Of a file that is far over its bounds, the end is read.
pub(super) fn each_line(project: &ProjectLayout, mut each: impl FnMut(&[u8])) -> Result<(), StoreError> {
    for path in files(project) {
        let failed = |source| RecordError::Io { act: "read", path: path.clone(), source };
        let mut lines = match Lines::end(&path, READ_MAX) {
            Ok(lines) => lines,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error).into()),
        };
        while let Some(line) = lines.next_line().map_err(failed)? {
            each(line);
        }
        if lines.too_long() > 0 {
            tracing::warn!(file = %path.display(), lines = lines.too_long(), "lines that are too long were passed over");
        }
    }
    Ok(())
}

/// Whether a line tells of this agent's spawn. Reads the files once; only asked about a spawn that was interrupted.
pub fn history_tells_of(project: &ProjectLayout, agent_id: &str) -> Result<bool, StoreError> {
    let mut tells = false;
    each_line(project, |line| {
        // A line that does not read (cut off by a full disk, or of a newer release) tells of nobody.
        if !tells && let Ok(HistoryEntry::Spawned { agent, .. }) = serde_json::from_slice(line) {
            tells = agent.agent_id == agent_id;
        }
    })?;
    Ok(tells)
}

/// How much of a history is kept at most; at least the later half of it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistoryBounds {
    /// `None`: any.
    pub bytes: Option<u64>,
    pub age: Option<Duration>,
}

/// Keeps a history within its bounds; answers how many bytes went by that, or, in a dry run, would.
pub fn bound_history(project: &ProjectLayout, bounds: HistoryBounds, dry_run: bool) -> Result<u64, StoreError> {
    let first = over_bounds(project, bounds)?;
    if dry_run || first == Over::default() {
        return Ok(first.goes.unwrap_or(0));
    }
    // Two daemons that begin a history anew at the same time would lose one: under the lock it is looked at once more.
    let _lock = lock(project)?;
    let Over { begins_anew, goes } = over_bounds(project, bounds)?;
    let [older, current] = files(project);
    if begins_anew {
        let failed = |source| RecordError::Io { act: "begin anew", path: current.clone(), source };
        std::fs::rename(&current, &older).map_err(failed)?;
    } else if goes.is_some() {
        atomic::remove_file(&older)?;
    }
    Ok(goes.unwrap_or(0))
}

/// What of a history is over its bounds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Over {
    /// The current file has grown to be the older one.
    begins_anew: bool,
    /// So many bytes of the older one go, empty or not.
    goes: Option<u64>,
}

fn over_bounds(project: &ProjectLayout, bounds: HistoryBounds) -> Result<Over, StoreError> {
    let [older, current] = files(project);
    let half_age = bounds.age.map(|age| age / 2);
    let is_too_old = |at: Option<SystemTime>| {
        let age = at.and_then(|at| SystemTime::now().duration_since(at).ok());
        half_age.zip(age).is_some_and(|(half, age)| age > half)
    };
    let length = |path: &Path| match std::fs::metadata(path) {
        Ok(found) => Ok(Some((found.len(), found.modified().ok()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecordError::Io { act: "look at", path: path.to_owned(), source: error }),
    };
    let begins_anew = length(&current)?.is_some_and(|(bytes, _)| {
        bytes > 0 && (bounds.bytes.is_some_and(|most| bytes >= most / 2) || is_too_old(first_moment(&current)))
    });
    let goes = length(&older)?.filter(|(_, written)| begins_anew || is_too_old(*written)).map(|(bytes, _)| bytes);
    Ok(Over { begins_anew, goes })
}

/// When the first line of a history was written.
fn first_moment(path: &Path) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Dated {
        at: Timestamp,
    }
    let mut lines = Lines::beginning(path, FIRST_MAX).ok()?;
    // A line that was cut off is dated nowhere.
    while let Some(line) = lines.next_line().ok()? {
        if let Ok(line) = serde_json::from_slice::<Dated>(line) {
            return SystemTime::try_from(line.at).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn project() -> (tempfile::TempDir, ProjectLayout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = ProjectLayout::new(folder.path());
        std::fs::create_dir_all(layout.root()).unwrap();
        (folder, layout)
    }

    fn spawned(id: &str, at: Timestamp) -> HistoryEntry {
        HistoryEntry::Spawned {
            at: at.to_string(),
            agent: AgentRow { agent_id: id.into(), ..AgentRow::default() },
            prompt: "p".repeat(1_000),
            tags: Vec::new(),
            context: Box::default(),
            worktree: None,
        }
    }

    #[test]
    fn a_history_is_bounded_by_size_and_its_later_half_stays() {
        let (_folder, project) = project();
        let bounds = HistoryBounds { bytes: Some(20_000), age: None };
        let mut dropped = 0;
        for i in 0..100 {
            append_history(&project, &spawned(&format!("id-{i}"), Timestamp::now())).unwrap();
            let foreseen = bound_history(&project, bounds, true).unwrap();
            assert_eq!(bound_history(&project, bounds, false).unwrap(), foreseen);
            dropped += foreseen;
            let kept: u64 = files(&project).iter().filter_map(|path| path.metadata().ok()).map(|m| m.len()).sum();
            assert!(kept <= 22_000, "{kept}");
        }
        assert!(dropped > 50_000, "{dropped}");
        for (id, kept) in [("id-0", false), ("id-95", true), ("id-99", true)] {
            assert_eq!(history_tells_of(&project, id).unwrap(), kept, "{id}");
        }
    }

    #[test]
    fn a_history_is_bounded_by_age_and_without_bounds_by_nothing() {
        let (_folder, project) = project();
        let week = Duration::from_secs(7 * 86_400);
        let old = Timestamp::now() - week;
        append_history(&project, &spawned("old", old)).unwrap();
        assert_eq!(bound_history(&project, HistoryBounds::default(), false).unwrap(), 0);
        assert!(!project.older_history().exists());
        let bounds = |age| HistoryBounds { bytes: None, age: Some(age) };
        bound_history(&project, bounds(week * 3), false).unwrap();
        assert!(project.history().exists(), "it is younger than half of that");
        bound_history(&project, bounds(week), false).unwrap();
        assert!(project.older_history().exists() && history_tells_of(&project, "old").unwrap());
        append_history(&project, &spawned("new", Timestamp::now())).unwrap();
        let past = SystemTime::now() - week;
        File::options().append(true).open(project.older_history()).unwrap().set_modified(past).unwrap();
        assert!(bound_history(&project, bounds(week), true).unwrap() > 0, "a dry run tells and drops nothing");
        assert!(bound_history(&project, bounds(week), false).unwrap() > 0);
        assert!(!history_tells_of(&project, "old").unwrap() && history_tells_of(&project, "new").unwrap());
    }

    /// As an untrusted clone may bring it.
    #[test]
    fn a_history_of_zeros_tells_of_nobody() {
        let (_folder, project) = project();
        File::create(project.history()).unwrap().set_len(1 << 34).unwrap();
        assert!(!history_tells_of(&project, "one").unwrap());
        assert_eq!(first_moment(&project.history()), None);
        append_history(&project, &spawned("one", Timestamp::now())).unwrap();
        assert!(history_tells_of(&project, "one").unwrap(), "what is behind them is read");
    }

    /// What 0.1.0 wrote is read by this release.
    #[test]
    fn the_history_of_each_release_is_read() {
        let text = include_str!("released/history-0.1.0.jsonl");
        let lines: Vec<HistoryEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [HistoryEntry::Spawned { agent, context, .. }, HistoryEntry::Ended { state, touched, .. }] = &lines[..]
        else {
            panic!("{lines:?}")
        };
        assert_eq!((agent.name.as_str(), context.picks[0].spec.as_str()), ("fix-auth", "AUTH"));
        assert_eq!((state.exit().unwrap().code, touched[0].path.as_str()), (Some(0), "src/auth.rs"));
    }
}
