//! What is seen of projects: one that is new, one that is known, one that was moved, a copy, one that is gone.
//!
//! A project is known by its identity, and where it has none by its root and the folder that lies there. Nothing is trusted
//! by being seen: trust goes with a project that was moved, and with nothing else. Blocking: callers are on a blocking
//! thread; folders are looked at before any lock is taken, since their file system may hang.

use super::error::ProjectError;
use super::listed::ProjectState;
use super::registry::Projects;
use super::root;
use crate::store::{ProjectRow, Registry, read_identity};
use pu_protocol::Event;
use pu_protocol::layout::ProjectLayout;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// As many digits of an identity as tell a project that another one has taken the place of.
const ASIDE_DIGITS: usize = 8;

/// What a folder with a `.pu/` was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A project that nobody knew, or a copy of one.
    New,
    /// A known project that lay elsewhere.
    Moved { from: PathBuf },
    /// A known project where it was.
    Seen,
}

/// A folder as it was looked at.
#[derive(Debug)]
struct Seen {
    root: PathBuf,
    /// Whether there is a `.pu/` in it.
    is_project: bool,
    id: Option<String>,
    /// See [`root::mark_of`].
    folder: String,
}

impl Seen {
    fn at(root: PathBuf) -> Self {
        let is_project = root::is_project(&root);
        let id = if is_project { read_identity(&ProjectLayout::new(&root)) } else { None };
        Self { is_project, id, folder: root::mark_of(&root), root }
    }

    /// Whether it lies in another folder than the one that is noted.
    fn is_news_of(&self, row: &ProjectRow) -> bool {
        row.trusted && row.folder.as_ref() != Some(&self.folder)
    }

    /// Whether this is something else than what its user trusted there. What is known by its identity is that wherever and
    /// however it came back; what has lost it, or has another one than is noted (one of the two files may be damaged), is what
    /// it was as long as it is the same folder.
    fn is_another(&self, row: &ProjectRow) -> bool {
        let is_other_folder = || row.folder.as_ref().is_some_and(|folder| *folder != self.folder);
        row.trusted
            && match (&row.id, &self.id) {
                (Some(its), Some(id)) => its != id && row.folder.as_ref() != Some(&self.folder),
                _ => is_other_folder(),
            }
    }

    /// Whether it has another identity than what its user trusted. That one counts on: whoever writes into a trusted folder
    /// shall not choose by what its trust is known elsewhere.
    fn contradicts(&self, row: &ProjectRow) -> bool {
        row.trusted && row.id.is_some() && self.id.is_some() && row.id != self.id
    }
}

/// The registry as it is to be, and what there is to be told of that.
struct Draft {
    registry: Registry,
    now: String,
    /// Whether more than times is another than before.
    is_changed: bool,
    moves: Vec<(PathBuf, PathBuf)>,
    events: Vec<Event>,
}

impl Projects {
    /// Takes in that a folder with a `.pu/` is at `root`, a real path.
    pub fn found(&self, root: &Path) -> Result<Found, ProjectError> {
        let Some(seen) = self.look(root) else {
            self.gone(root)?;
            return Ok(Found::Seen);
        };
        Ok(self.take_in(&[seen], true)?.pop().unwrap_or(Found::Seen))
    }

    /// As [`Projects::found`] for all that a scan has found, with one write. Answers how many were new or moved.
    pub fn found_all(&self, roots: Vec<PathBuf>) -> Result<usize, ProjectError> {
        let seen: Vec<Seen> = roots.into_iter().filter_map(|root| self.look(&root)).collect();
        Ok(self.take_in(&seen, true)?.iter().filter(|found| **found != Found::Seen).count())
    }

    /// Takes in that a project, or its `.pu/`, may not be at `root` any more. Answers whether it is missing.
    pub fn gone(&self, root: &Path) -> Result<bool, ProjectError> {
        Ok(self.gone_all(&[root.to_owned()])? > 0)
    }

    /// As [`Projects::gone`] for all that went together: other projects are looked at once for all of them. Answers how many
    /// are missing.
    pub fn gone_all(&self, roots: &[PathBuf]) -> Result<usize, ProjectError> {
        let known: Vec<ProjectRow> = {
            let state = self.lock();
            roots.iter().filter_map(|root| state.registry.find(root).cloned()).collect()
        };
        let left: Vec<ProjectRow> = known.into_iter().filter(|row| !root::is_project(&row.root)).collect();
        let copies = self.copies_of(&left);
        if !copies.is_empty() {
            self.take_in(&copies, false)?;
        }
        let mut state = self.lock();
        let missing: Vec<PathBuf> =
            left.into_iter().map(|row| row.root).filter(|root| state.registry.find(root).is_some()).collect();
        let news: Vec<&PathBuf> = missing.iter().filter(|root| state.missing.insert((*root).clone())).collect();
        drop(state);
        for root in news {
            self.shared.events.publish(changed(root, ProjectState::Missing));
        }
        Ok(missing.len())
    }

    /// Takes in that a known project was moved to `root`, where somebody stands, or that something else lies there now than
    /// what was trusted. Makes nothing known otherwise.
    pub(super) fn recognise(&self, root: &Path) -> Result<(), ProjectError> {
        let here = self.lock().registry.find(root).cloned();
        if here.is_none() && !root::holds_project(root, &self.shared.home) {
            return Ok(());
        }
        let seen = Seen::at(root.to_owned());
        let is_settled = match (&here, &seen.id) {
            (Some(row), Some(id)) => row.id.as_ref() == Some(id) && !seen.is_news_of(row),
            (Some(row), None) => !seen.is_another(row),
            (None, Some(id)) => self.lock().registry.find_by_id(id).is_none(),
            (None, None) => true,
        };
        if is_settled { Ok(()) } else { self.take_in(&[seen], false).map(drop) }
    }

    /// A folder with a `.pu/`, or the project that it is a worktree of.
    fn look(&self, root: &Path) -> Option<Seen> {
        let root = root::owner(root, &self.shared.home).unwrap_or_else(|| root.to_owned());
        root::holds_project(&root, &self.shared.home).then(|| Seen::at(root))
    }

    /// Known copies of projects that are gone: those may have been moved by copying them, from one file system to another.
    /// One copy of each is it then.
    fn copies_of(&self, rows: &[ProjectRow]) -> Vec<Seen> {
        let mut ids: HashSet<&str> = rows.iter().filter_map(|row| row.id.as_deref()).collect();
        let mut copies = Vec::new();
        if ids.is_empty() {
            return copies;
        }
        let nameless: Vec<PathBuf> = {
            let state = self.lock();
            state.registry.projects.iter().filter(|row| row.id.is_none()).map(|row| row.root.clone()).collect()
        };
        for root in nameless {
            let Some(seen) = self.look(&root) else { continue };
            if seen.id.as_deref().is_some_and(|id| ids.remove(id)) {
                copies.push(seen);
                if ids.is_empty() {
                    break;
                }
            }
        }
        copies
    }

    /// Takes in what was seen, in its order; `enters` says whether what is not known becomes known.
    fn take_in(&self, seen: &[Seen], enters: bool) -> Result<Vec<Found>, ProjectError> {
        loop {
            let before = self.lock().registry.clone();
            let mut draft = Draft::of(before.clone());
            let found: Vec<Found> = seen.iter().map(|one| draft.take_in(one, enters)).collect();
            let mut state = self.lock();
            if state.registry != before {
                // Somebody else was faster, and what was found may be known by now.
                continue;
            }
            if draft.is_changed {
                draft.registry.write(&self.shared.home.projects())?;
            }
            let Draft { registry, moves, mut events, .. } = draft;
            state.registry = registry;
            for one in seen {
                if state.missing.remove(&one.root)
                    && let Some(row) = state.registry.find(&one.root)
                {
                    events.push(changed(&row.root, ProjectState::of_one_there(row)));
                }
            }
            let mut ended = Vec::new();
            for (from, to) in &moves {
                state.missing.remove(from);
                state.open.remove(from);
                state.open.remove(to);
                // Under the lock, so that nobody sees the project in one place and its agents in the other.
                ended.extend(self.shared.roster.move_project(from, to));
            }
            drop(state);
            events.into_iter().for_each(|event| self.shared.events.publish(event));
            self.after_moves(moves.iter().map(|(_, to)| to.as_path()), &ended);
            return Ok(found);
        }
    }
}

impl Draft {
    fn of(registry: Registry) -> Self {
        let now = jiff::Timestamp::now().to_string();
        Self { registry, now, is_changed: false, moves: Vec::new(), events: Vec::new() }
    }

    fn take_in(&mut self, seen: &Seen, enters: bool) -> Found {
        let Seen { root, id, .. } = seen;
        let here = self.registry.find(root).map(|row| row.id.clone());
        let Some(id) = id else {
            return match here {
                // Its identity may have gone with all that git does not track; it has its place.
                Some(its) => self.stays(seen, its),
                None => self.enters(root, None, enters),
            };
        };
        let elsewhere = self.registry.find_by_id(id).filter(|row| row.root != *root).map(|row| row.root.clone());
        match (elsewhere, here) {
            (Some(from), here) if has_left(&from, id, matches!(here, Some(None))) => {
                self.moves_in(&from, root);
                self.notes_folder(seen);
                Found::Moved { from }
            }
            // A copy. It gets an identity of its own once its user makes it a project.
            (Some(_), Some(_)) => self.stays(seen, None),
            (Some(_), None) => self.enters(root, None, enters),
            (None, Some(_)) => self.stays(seen, Some(id.clone())),
            (None, None) => self.enters(root, Some(id.clone()), enters),
        }
    }

    fn enters(&mut self, root: &Path, id: Option<String>, enters: bool) -> Found {
        if !enters {
            return Found::Seen;
        }
        let (first_seen, last_seen) = (self.now.clone(), Some(self.now.clone()));
        self.registry.put(ProjectRow { root: root.into(), id, first_seen, last_seen, ..ProjectRow::default() });
        self.is_changed = true;
        self.events.push(Event::ProjectAdded { root: root.into(), name: root::name_of(root), trusted: false });
        Found::New
    }

    /// The row of this root is of what lies there, which is known by `id`.
    fn stays(&mut self, seen: &Seen, id: Option<String>) -> Found {
        let Some(row) = self.registry.find_mut(&seen.root) else { return Found::Seen };
        if seen.is_another(row) {
            let its = row.id.clone();
            return self.replaces(seen, its.as_deref(), id);
        }
        row.last_seen = Some(self.now.clone());
        if row.id != id && !seen.contradicts(row) {
            row.id = id;
            self.is_changed = true;
        }
        self.notes_folder(seen);
        Found::Seen
    }

    /// Something else lies in the place of a project that its user trusted: that trust was not meant for it. Where the
    /// project that was has an identity, it is kept until it is found by that.
    fn replaces(&mut self, seen: &Seen, its: Option<&str>, id: Option<String>) -> Found {
        match its {
            Some(its) => self.shift(&seen.root, &aside(&seen.root, its)),
            None => {
                self.registry.remove(&seen.root);
                self.is_changed = true;
            }
        }
        // Without a `.pu/` it is what any repository is that nobody has worked in yet.
        self.enters(&seen.root, id, seen.is_project)
    }

    /// A project that is trusted may come back in another folder: from a backup, from another disk.
    fn notes_folder(&mut self, seen: &Seen) {
        let Some(row) = self.registry.find_mut(&seen.root).filter(|row| seen.is_news_of(row)) else { return };
        row.folder = Some(seen.folder.clone());
        self.is_changed = true;
    }

    /// The project at `from` lies at `root` now. Whatever is known there makes room: a row without an identity was that of a
    /// copy, and one with an identity is of a project that has gone elsewhere and may be found again.
    fn moves_in(&mut self, from: &Path, root: &Path) {
        match self.registry.find(root).map(|row| row.id.clone()) {
            Some(Some(id)) => self.shift(root, &aside(root, &id)),
            Some(None) => self.registry.remove(root),
            None => {}
        }
        self.shift(from, root);
    }

    fn shift(&mut self, from: &Path, to: &Path) {
        let Some(row) = self.registry.find_mut(from) else { return };
        row.move_to(to.to_owned(), &self.now);
        row.last_seen = Some(self.now.clone());
        self.is_changed = true;
        self.moves.push((from.to_owned(), to.to_owned()));
        self.events.push(Event::ProjectMoved { from: from.into(), root: to.into(), name: root::name_of(to) });
    }
}

/// Whether the project of this identity is no longer at `root`, where it was last. A root that is a link by now leads to it
/// in its new place. While its folder is there, only without its identity, a copy that is known as one stays a copy.
fn has_left(root: &Path, id: &str, is_known_copy: bool) -> bool {
    if !root::canonical(root).is_ok_and(|real| real == root) || !root::is_project(root) {
        return true;
    }
    match read_identity(&ProjectLayout::new(root)) {
        Some(there) => there != id,
        None => !is_known_copy,
    }
}

/// Where a project is kept that another one has taken the place of, until it is found: a root that no folder has.
fn aside(root: &Path, id: &str) -> PathBuf {
    let digits = &id[..id.len().min(ASIDE_DIGITS)];
    root.with_file_name(format!("{}~{digits}", root::name_of(root)))
}

fn changed(root: &Path, state: ProjectState) -> Event {
    Event::ProjectChanged { root: root.into(), name: root::name_of(root), state: state.name().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;
    use crate::store::write_identity;
    use pu_protocol::layout::HomeLayout;
    use std::fs::rename;

    struct Ground {
        _folder: tempfile::TempDir,
        base: PathBuf,
        projects: Projects,
    }

    impl Ground {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = std::fs::canonicalize(folder.path()).unwrap();
            std::fs::create_dir(base.join("home")).unwrap();
            let projects = Projects::open(HomeLayout::new(base.join("home")), Events::default()).unwrap();
            Self { _folder: folder, base, projects }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.base.join(name)
        }

        /// A trusted project.
        fn project(&self, name: &str) -> PathBuf {
            std::fs::create_dir_all(self.at(name)).unwrap();
            self.projects.init(&self.at(name)).unwrap();
            self.at(name)
        }

        fn found(&self, name: &str) -> Found {
            self.projects.found(&self.at(name)).unwrap()
        }

        fn copy(&self, from: &str, to: &str) {
            std::fs::create_dir_all(self.at(to)).unwrap();
            let id = read_identity(&ProjectLayout::new(self.at(from))).unwrap();
            write_identity(&ProjectLayout::new(self.at(to)), &id).unwrap();
        }

        /// The registry as the next daemon reads it: names, each with whether it is trusted.
        fn rows(&self) -> Vec<(String, bool)> {
            let registry = Registry::read(&HomeLayout::new(self.at("home")).projects()).unwrap();
            let mut rows: Vec<(String, bool)> =
                registry.projects.iter().map(|row| (root::name_of(&row.root), row.trusted)).collect();
            rows.sort();
            rows
        }
    }

    fn rows(expected: &[(&str, bool)]) -> Vec<(String, bool)> {
        expected.iter().map(|(name, trusted)| ((*name).to_owned(), *trusted)).collect()
    }

    #[test]
    fn what_is_new_becomes_known_once_and_is_not_trusted() {
        let ground = Ground::new();
        std::fs::create_dir_all(ground.at("clone/.pu")).unwrap();
        assert_eq!((ground.found("clone"), ground.found("clone")), (Found::New, Found::Seen));
        assert_eq!(ground.rows(), rows(&[("clone", false)]));
        assert_eq!(ground.found("nowhere"), Found::Seen);
        assert_eq!(ground.rows().len(), 1);
    }

    #[test]
    fn a_project_that_was_moved_is_the_same_one() {
        let ground = Ground::new();
        let from = ground.project("a");
        rename(&from, ground.at("b")).unwrap();
        assert!(ground.projects.gone(&from).unwrap());
        assert_eq!(ground.found("b"), Found::Moved { from: from.clone() });
        assert_eq!(ground.rows(), rows(&[("b", true)]));
        assert!(!ground.projects.gone(&from).unwrap(), "nothing is known there any more");
        assert_eq!(ground.projects.moved_since(&from, "2001-01-01T00:00:00Z"), Some(ground.at("b")));
        // Seen by whoever stands there, and with a link in its old place.
        rename(ground.at("b"), ground.at("c")).unwrap();
        std::os::unix::fs::symlink(ground.at("c"), ground.at("b")).unwrap();
        assert_eq!(ground.projects.root_of(&ground.at("b")), Some(ground.at("c")));
        assert_eq!(ground.rows(), rows(&[("c", true)]));
    }

    #[test]
    fn a_copy_is_not_trusted_and_gets_an_identity_of_its_own() {
        let ground = Ground::new();
        let original = ground.project("a");
        ground.copy("a", "b");
        assert_eq!((ground.found("b"), ground.found("b")), (Found::New, Found::Seen));
        assert_eq!(ground.rows(), rows(&[("a", true), ("b", false)]));
        // What git does not track may go, identity included: the original is there for all that.
        std::fs::remove_dir_all(original.join(".pu/state")).unwrap();
        assert_eq!((ground.found("b"), ground.found("a")), (Found::Seen, Found::Seen));
        assert_eq!(ground.rows(), rows(&[("a", true), ("b", false)]));
        ground.project("b");
        ground.project("a");
        let [a, b] = ["a", "b"].map(|name| read_identity(&ProjectLayout::new(ground.at(name))).unwrap());
        assert_ne!(a, b);
        assert_eq!(ground.rows(), rows(&[("a", true), ("b", true)]));
    }

    #[test]
    fn a_copy_whose_original_is_deleted_is_the_project() {
        let ground = Ground::new();
        let original = ground.project("a");
        ground.copy("a", "b");
        assert_eq!(ground.found("b"), Found::New);
        std::fs::remove_dir_all(&original).unwrap();
        assert!(!ground.projects.gone(&original).unwrap(), "it is known elsewhere");
        assert_eq!(ground.rows(), rows(&[("b", true)]));
    }

    #[test]
    fn projects_that_go_together_are_each_looked_for() {
        let ground = Ground::new();
        let originals = ["a", "b", "c"].map(|name| ground.project(name));
        for (from, to) in [("a", "x"), ("b", "y"), ("b", "z")] {
            ground.copy(from, to);
            ground.found(to);
        }
        let mut heard = ground.projects.shared.events.subscribe();
        originals.iter().for_each(|root| std::fs::remove_dir_all(root).unwrap());
        assert_eq!(ground.projects.gone_all(&originals).unwrap(), 1, "only one has no copy");
        assert_eq!(ground.rows(), rows(&[("c", true), ("x", true), ("y", true), ("z", false)]));
        let mut told = Vec::new();
        while let Ok(line) = heard.events.try_recv() {
            told.push(match line.event {
                Event::ProjectMoved { root, .. } => root::name_of(&root),
                Event::ProjectChanged { name, state, .. } => format!("{name} {state}"),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(told, ["x", "y", "c missing"]);
    }

    #[test]
    fn projects_that_change_places_keep_what_is_theirs() {
        let ground = Ground::new();
        let (a, b) = (ground.project("a"), ground.project("b"));
        std::fs::create_dir_all(ground.at("c/.pu")).unwrap();
        ground.found("c");
        rename(&a, ground.at("tmp")).unwrap();
        rename(&b, &a).unwrap();
        rename(ground.at("tmp"), &b).unwrap();
        assert_eq!(ground.projects.found_all(vec![a.clone(), b.clone(), ground.at("c")]).unwrap(), 2);
        assert_eq!(ground.rows(), rows(&[("a", true), ("b", true), ("c", false)]));
        assert_eq!(ground.projects.moved_since(&a, "2001-01-01T00:00:00Z"), Some(b.clone()));
        assert_eq!(ground.projects.moved_since(&b, "2001-01-01T00:00:00Z"), Some(a));
    }

    #[test]
    fn another_project_in_the_place_of_a_trusted_one_is_not_trusted() {
        let ground = Ground::new();
        let a = ground.project("a");
        std::fs::remove_dir_all(&a).unwrap();
        std::fs::create_dir(&a).unwrap();
        write_identity(&ProjectLayout::new(&a), "0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(ground.found("a"), Found::New);
        assert_eq!(ground.rows()[0], ("a".to_owned(), false));
        assert!(ground.rows()[1].0.starts_with("a~"), "the one that was is kept: {:?}", ground.rows());
    }

    /// A damaged registry, or an identity that came with a checkout.
    #[test]
    fn the_same_folder_with_another_identity_is_the_project_and_keeps_its_own() {
        let ground = Ground::new();
        let a = ground.project("a");
        let its = read_identity(&ProjectLayout::new(&a));
        std::fs::remove_dir_all(a.join(".pu/state")).unwrap();
        write_identity(&ProjectLayout::new(&a), "0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!((ground.found("a"), ground.rows()), (Found::Seen, rows(&[("a", true)])));
        let registry = Registry::read(&ground.projects.shared.home.projects()).unwrap();
        assert_eq!(registry.find(&a).unwrap().id, its);
    }

    /// A clone brings no identity, and lies where nobody asks for trust any more.
    #[test]
    fn a_clone_in_the_place_of_a_trusted_project_is_not_trusted() {
        let ground = Ground::new();
        let a = ground.project("a");
        rename(&a, ground.at("was")).unwrap();
        std::fs::create_dir_all(a.join(".pu")).unwrap();
        // Whoever stands there is enough.
        assert_eq!(ground.projects.root_of(&a), Some(a.clone()));
        assert_eq!(ground.rows()[0], ("a".to_owned(), false));
        assert!(matches!(ground.projects.trusted(&a), Err(ProjectError::Untrusted(_))));
        // What lay there has lost nothing.
        assert!(matches!(ground.found("was"), Found::Moved { .. }));
        assert_eq!(ground.rows(), rows(&[("a", false), ("was", true)]));
        std::fs::remove_dir_all(&a).unwrap();
        rename(ground.at("was"), &a).unwrap();
        assert!(matches!(ground.found("a"), Found::Moved { .. }));
        assert_eq!(ground.rows()[0], ("a".to_owned(), true));
    }

    /// What git cleans away asks for nothing, and a repository of the user's that is new there begins anew.
    #[test]
    fn the_same_folder_without_its_identity_is_the_project_and_a_new_one_without_a_pu_is_none() {
        let ground = Ground::new();
        let a = ground.project("a");
        std::fs::remove_dir_all(a.join(".pu/state")).unwrap();
        assert_eq!((ground.found("a"), ground.rows()), (Found::Seen, rows(&[("a", true)])));
        let project = ground.projects.trusted(&a).unwrap();
        ground.projects.settle(&project).unwrap();
        rename(&a, ground.at("was")).unwrap();
        std::fs::create_dir_all(a.join(".git")).unwrap();
        let fresh = ground.projects.trusted(&a).unwrap();
        assert!(ground.projects.settle(&fresh).unwrap(), "it becomes a project, and that is told");
        assert!(matches!(ground.found("was"), Found::Moved { .. }));
        assert_eq!(ground.rows(), rows(&[("a", true), ("was", true)]));
    }

    /// From a backup, say: with its identity it is what it was, in whichever folder.
    #[test]
    fn a_project_that_comes_back_in_another_folder_keeps_its_trust() {
        let ground = Ground::new();
        let a = ground.project("a");
        let id = read_identity(&ProjectLayout::new(&a)).unwrap();
        rename(&a, ground.at("was")).unwrap();
        std::fs::create_dir(&a).unwrap();
        write_identity(&ProjectLayout::new(&a), &id).unwrap();
        ground.projects.trusted(&a).unwrap();
        std::fs::remove_dir_all(a.join(".pu/state")).unwrap();
        ground.projects.trusted(&a).unwrap();
        assert_eq!(ground.rows(), rows(&[("a", true)]));
    }

    #[test]
    fn nothing_takes_the_place_of_what_an_older_release_trusted_and_is_gone() {
        let ground = Ground::new();
        let a = ground.project("a");
        std::fs::remove_dir_all(&a).unwrap();
        let file = HomeLayout::new(ground.at("home")).projects();
        let old = format!(r#"{{"version":1,"projects":[{{"root":{a:?},"trusted":true,"first_seen":"then"}}]}}"#);
        pu_record::atomic::write_atomic(&file, old.as_bytes(), 0o600).unwrap();
        let projects = Projects::open(HomeLayout::new(ground.at("home")), Events::default()).unwrap();
        assert_eq!(projects.trusted_unseen(), std::slice::from_ref(&a));
        projects.check_unchanged(&a).unwrap();
        assert_eq!(projects.trusted_unseen(), [] as [PathBuf; 0]);
        std::fs::create_dir_all(a.join(".pu")).unwrap();
        assert!(matches!(projects.trusted(&a), Err(ProjectError::Untrusted(_))));
    }

    #[test]
    fn only_what_changes_more_than_a_time_is_written() {
        let ground = Ground::new();
        ground.project("a");
        let file = HomeLayout::new(ground.at("home")).projects();
        let before = std::fs::read(&file).unwrap();
        assert_eq!(ground.found("a"), Found::Seen);
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_worktree_is_the_project_that_it_was_made_from() {
        let ground = Ground::new();
        let root = ground.project("a");
        std::fs::create_dir_all(root.join(".pu/worktrees/w/.pu")).unwrap();
        assert_eq!(ground.found("a/.pu/worktrees/w"), Found::Seen);
        assert_eq!(ground.rows(), rows(&[("a", true)]));
    }

    #[test]
    fn what_goes_and_comes_back_is_told_once_each() {
        let ground = Ground::new();
        let root = ground.project("a");
        let mut heard = ground.projects.shared.events.subscribe();
        rename(root.join(".pu"), root.join("away")).unwrap();
        assert!(ground.projects.gone(&root).unwrap() && ground.projects.gone(&root).unwrap());
        rename(root.join("away"), root.join(".pu")).unwrap();
        assert_eq!((ground.found("a"), ground.found("a")), (Found::Seen, Found::Seen));
        let mut states = Vec::new();
        while let Ok(line) = heard.events.try_recv() {
            let Event::ProjectChanged { state, .. } = line.event else { panic!("{line:?}") };
            states.push(state);
        }
        assert_eq!(states, ["missing", "trusted"]);
    }
}
