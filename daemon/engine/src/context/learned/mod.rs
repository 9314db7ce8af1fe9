//! What earlier tasks of a project teach about which specs a task needs: agents' outcomes and the repository's commits.
//!
//! `earlier` is one of them and what it says of a spec, `lessons` finds those that are like a task, `lift` lets them count in
//! a ranking, `inspect` shows them. The two files that all of it comes from are read again when they change; the commits'
//! is written here, away from any assembly. That something cannot be read is told and fails nothing.
//!
//! Why this is the host's and no assembler's: it has to count against what somebody proposed, not only for it, and in the
//! same way whoever proposed it. It proposes nothing.

mod earlier;
mod inspect;
mod lessons;
mod lift;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use pu_protocol::layout::{HomeLayout, ProjectLayout};
use pu_record::{atomic, json};
use sha2::{Digest as _, Sha256};

use crate::agents::{CommitLog, read_commits};
use crate::store;
use earlier::Earlier;
pub(super) use inspect::{called, report};
pub(super) use lessons::Lessons;
pub(super) use lift::apply;

/// How often it is looked whether there are new commits.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What is known of the past of projects; one for the daemon.
#[derive(Debug)]
pub(super) struct Learning {
    /// The folder of what is known of commits.
    commits: PathBuf,
    /// By root. Held for look-ups.
    known: Mutex<HashMap<PathBuf, Known>>,
    /// When commits were looked at last, by root.
    looked: Mutex<HashMap<PathBuf, Instant>>,
}

#[derive(Debug)]
struct Known {
    stamps: [Option<Stamp>; 2],
    lessons: Arc<Lessons>,
}

/// What tells a file from the one that was read.
type Stamp = (SystemTime, u64, u64);

impl Learning {
    pub(super) fn new(home: &HomeLayout) -> Self {
        Self { commits: home.commits(), known: Mutex::default(), looked: Mutex::default() }
    }

    /// What the past of the project at `root` teaches, as its files stand now. Blocks.
    pub(super) fn lessons(&self, root: &Path) -> Arc<Lessons> {
        let layout = ProjectLayout::new(root);
        let commits = self.commits_of(root);
        let stamps = [stamp(&layout.learned()), stamp(&commits)];
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(root).filter(|known| known.stamps == stamps) {
            return Arc::clone(&known.lessons);
        }
        drop(known);
        // Two that ask at the same time may both read.
        let lessons = Arc::new(read(root, &layout, &commits));
        known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(root.to_owned(), Known { stamps, lessons: Arc::clone(&lessons) });
        lessons
    }

    /// Sees whether the repository of the project at `root` has new commits, unless that was done a moment ago and nobody
    /// asks for it to be done `anew`. Runs git, and waits for it.
    pub(super) fn look_back(&self, root: &Path, anew: bool) {
        let path = self.commits_of(root);
        if !self.begin_look(root, &path, anew) {
            return;
        }
        let known: Option<CommitLog> = json::read_if_present(&path).ok().flatten();
        let written = match read_commits(root, known.as_ref().map(|known| known.head.as_str())) {
            Ok(None) => return,
            Ok(Some(log)) => {
                atomic::create_private_folder(&self.commits).and_then(|()| json::write_volatile(&path, &log))
            }
            Err(error) => return tracing::debug!(%error, "the commits of a project are not known"),
        };
        match written {
            // So that the next task need not wait for that.
            Ok(()) => drop(self.lessons(root)),
            Err(error) => tracing::warn!(%error, "what commits teach is not kept"),
        }
    }

    fn begin_look(&self, root: &Path, path: &Path, anew: bool) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let by_this_daemon = looked.get(root).is_some_and(|at| now.duration_since(*at) < LOOK_EVERY);
        let by_another = || stamp(path).and_then(|(at, ..)| at.elapsed().ok()).is_some_and(|age| age < LOOK_EVERY);
        if !anew && (by_this_daemon || by_another()) {
            return false;
        }
        looked.insert(root.to_owned(), now);
        true
    }

    fn commits_of(&self, root: &Path) -> PathBuf {
        let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
        let key: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.commits.join(format!("{key}.json"))
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len(), found.ino()))
}

/// The earlier tasks of a project, the newest agent's first, then the newest commit.
fn read(root: &Path, layout: &ProjectLayout, commits: &Path) -> Lessons {
    let (mut all, mut warnings) = (Vec::new(), Vec::new());
    match store::read_outcomes(layout) {
        Ok(outcomes) => {
            if outcomes.damaged > 0 {
                let lines = if outcomes.damaged == 1 { "line" } else { "lines" };
                warnings.push(format!(
                    "{} {lines} of what was learnt could not be read and were passed over: see .pu/state/learned.jsonl",
                    outcomes.damaged
                ));
            }
            all.extend(outcomes.tasks.into_iter().rev().map(|task| Earlier::of_agent(task, root)));
        }
        Err(error) => warnings.push(format!("what was learnt cannot be read: {error}")),
    }
    match json::read_if_present::<CommitLog>(commits) {
        Ok(log) => all.extend(log.unwrap_or_default().commits.into_iter().map(Earlier::of_commit)),
        // It is made anew at the next look.
        Err(error) => tracing::debug!(%error, "what is known of commits is passed over"),
    }
    Lessons::of(all, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Outcome, record_outcome};

    fn outcome(id: &str) -> Outcome {
        Outcome { agent_id: id.into(), prompt: "Round the totals".into(), ..Outcome::default() }
    }

    #[test]
    fn the_past_is_read_again_when_it_has_changed_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let (root, layout) = (folder.path(), ProjectLayout::new(folder.path()));
        std::fs::create_dir_all(layout.root()).unwrap();
        let learning = Learning::new(&HomeLayout::new(folder.path().join("home")));
        let nothing = learning.lessons(root);
        assert!(nothing.is_empty() && nothing.warnings.is_empty());
        assert!(Arc::ptr_eq(&nothing, &learning.lessons(root)));
        record_outcome(&layout, outcome("a")).unwrap();
        let one = learning.lessons(root);
        assert!(!one.is_empty());
        assert!(Arc::ptr_eq(&one, &learning.lessons(root)));
        atomic::append_line(&layout.learned(), "{").unwrap();
        let warnings = learning.lessons(root).warnings.clone();
        assert!(warnings[0].starts_with("1 line of what was learnt could not be read"), "{warnings:?}");
    }

    #[test]
    fn commits_are_looked_at_once_in_a_while_or_when_somebody_asks() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let home = HomeLayout::new(folder.path().join("home"));
        let learning = Learning::new(&home);
        let path = learning.commits_of(root);
        learning.look_back(root, false);
        assert!(path.exists(), "no repository is an answer too");
        atomic::write_atomic(&path, b"{", 0o600).unwrap();
        learning.look_back(root, false);
        assert_eq!(std::fs::read(&path).unwrap(), b"{", "a moment ago");
        assert!(learning.lessons(root).is_empty());
        learning.look_back(root, true);
        assert_ne!(std::fs::read(&path).unwrap(), b"{");
        atomic::write_atomic(&path, b"{", 0o600).unwrap();
        Learning::new(&home).look_back(root, false);
        assert_eq!(std::fs::read(&path).unwrap(), b"{", "another daemon, a moment ago");
    }
}
