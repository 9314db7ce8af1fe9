//! What is told of projects, how one of them is named, and how one is forgotten.
//!
//! Looks at folders and starts nothing. Blocking: callers are on a blocking thread.

use super::error::ProjectError;
use super::registry::Projects;
use super::root;
use crate::store::ProjectRow;
use pu_protocol::Event;
use std::path::{Path, PathBuf};

/// The shortest beginning of an identity that names a project.
const PREFIX_MIN: usize = 4;

/// Whether a project may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectState {
    Trusted,
    /// Trusted, and something that can act is not what was allowed.
    Changed,
    /// Seen, and not trusted.
    Known,
    /// Its root, or the `.pu/` in it, is not there.
    Missing,
}

impl ProjectState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Changed => "changed",
            Self::Known => "known",
            Self::Missing => "missing",
        }
    }

    pub(super) fn of_one_there(row: &ProjectRow) -> Self {
        if row.trusted { Self::Trusted } else { Self::Known }
    }

    /// Whether it is changed is not looked at: that takes a look at all its files.
    fn of(row: &ProjectRow) -> Self {
        if root::is_project(&row.root) { Self::of_one_there(row) } else { Self::Missing }
    }
}

/// A project as the registry and its folder tell of it.
#[derive(Debug, Clone)]
pub struct ListedProject {
    pub row: ProjectRow,
    pub name: String,
    pub state: ProjectState,
}

impl ListedProject {
    /// After a look at its folder.
    pub fn of(row: ProjectRow) -> Self {
        Self { name: root::name_of(&row.root), state: ProjectState::of(&row), row }
    }

    /// As the registry alone has it.
    pub fn unseen(row: ProjectRow) -> Self {
        Self { name: root::name_of(&row.root), state: ProjectState::of_one_there(&row), row }
    }
}

impl Projects {
    /// All that are known, by root, but those up to `after`. No folder is looked at.
    pub fn rows(&self, after: Option<&Path>) -> Vec<ProjectRow> {
        let mut rows = self.lock().registry.projects.clone();
        rows.retain(|row| after.is_none_or(|after| row.root.as_path() > after));
        rows.sort_by(|a, b| a.root.cmp(&b.root));
        rows
    }

    /// The project at this root: as the registry has it, else as one that nobody has seen yet.
    pub fn at(&self, root: &Path) -> Result<ListedProject, ProjectError> {
        let known = self.lock().registry.find(root).cloned();
        match known {
            Some(row) => Ok(ListedProject::of(row)),
            None if root::holds_project(root, &self.shared.home) => {
                Ok(ListedProject::of(ProjectRow { root: root.to_owned(), ..ProjectRow::default() }))
            }
            None => Err(ProjectError::NotYet(root.to_owned())),
        }
    }

    /// The project that a folder is in.
    pub fn around(&self, folder: &Path) -> Result<ListedProject, ProjectError> {
        self.at(&self.find(folder)?)
    }

    /// The project that somebody means who stands in `cwd`: a path, a name, or an identity or the beginning of one.
    pub fn named(&self, called: &str, cwd: Option<&Path>) -> Result<ListedProject, ProjectError> {
        if is_path(called) {
            let path = path_of(called, cwd);
            // One whose folder is gone can still be named.
            return self.around(&path).or_else(|error| {
                let known = self.lock().registry.find(&path).cloned();
                known.map(ListedProject::of).ok_or(error)
            });
        }
        self.row_called(called).map(ListedProject::of)
    }

    /// Where the project lies, or a folder of it, that somebody means who stands in `cwd`, going by names and paths alone: the
    /// file system is not asked.
    pub fn place_of(&self, called: &str, cwd: Option<&Path>) -> Result<PathBuf, ProjectError> {
        if is_path(called) { Ok(path_of(called, cwd)) } else { Ok(self.row_called(called)?.root) }
    }

    /// The one project of this name, or with an identity that begins so.
    fn row_called(&self, called: &str) -> Result<ProjectRow, ProjectError> {
        let rows = self.lock().registry.projects.clone();
        let has_name = |row: &&ProjectRow| root::name_of(&row.root) == called;
        let begins =
            |row: &&ProjectRow| called.len() >= PREFIX_MIN && row.id.as_ref().is_some_and(|id| id.starts_with(called));
        let ways: [Vec<&ProjectRow>; 2] =
            [rows.iter().filter(has_name).collect(), rows.iter().filter(begins).collect()];
        match ways.into_iter().find(|found| !found.is_empty()).as_deref() {
            None | Some([]) => Err(ProjectError::NotFound(called.to_owned())),
            Some([only]) => Ok((*only).clone()),
            Some(several) => {
                let roots = several.iter().map(|row| row.root.clone()).collect();
                Err(ProjectError::Ambiguous { called: called.to_owned(), roots })
            }
        }
    }

    /// Makes the project in a folder known, as discovery would.
    pub fn add(&self, folder: &Path) -> Result<ListedProject, ProjectError> {
        let folder = root::canonical(folder)?;
        root::check(&folder)?;
        let root = root::owner(&folder, &self.shared.home).unwrap_or(folder);
        if root::holds_project(&root, &self.shared.home) {
            self.found(&root)?;
        }
        self.at(&root)
    }

    /// Forgets the project at this root. Nothing of its folder is touched.
    pub fn remove(&self, root: &Path) -> Result<(), ProjectError> {
        let mut state = self.lock();
        if state.registry.find(root).is_none() {
            return Err(ProjectError::NotFound(root.display().to_string()));
        }
        let mut registry = state.registry.clone();
        registry.remove(root);
        registry.write(&self.shared.home.projects())?;
        state.registry = registry;
        state.open.remove(root);
        state.missing.remove(root);
        drop(state);
        self.shared.events.publish(Event::ProjectRemoved { root: root.to_owned(), name: root::name_of(root) });
        Ok(())
    }

    /// What is wrong with a project that is in use: its configuration was read then, and is looked at again at little cost.
    pub fn fault_in_use(&self, root: &Path) -> Option<String> {
        let project = self.lock().open.get(root).cloned()?;
        project.config_fault()
    }
}

fn path_of(called: &str, cwd: Option<&Path>) -> PathBuf {
    cwd.map_or_else(|| PathBuf::from(called), |cwd| cwd.join(called))
}

/// A name has no `/` in it: what has one, or stands for a folder, is a path.
fn is_path(called: &str) -> bool {
    called.contains('/') || matches!(called, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Events;
    use pu_protocol::layout::HomeLayout;

    #[test]
    fn a_project_is_named_by_path_name_or_identity() {
        let folder = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(folder.path()).unwrap();
        for path in ["home", "x/shop", "y/shop", "till/src", "bare/.git"] {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        let projects = Projects::open(HomeLayout::new(base.join("home")), Events::default()).unwrap();
        for root in ["x/shop", "y/shop", "till"] {
            projects.init(&base.join(root)).unwrap();
        }
        let root_of = |called: &str| projects.named(called, Some(&base)).map(|found| found.row.root);
        let till = base.join("till");
        assert_eq!(root_of("till").unwrap(), till);
        for path in ["./till", "till/src", &till.display().to_string()] {
            assert_eq!(root_of(path).unwrap(), till, "{path}");
        }
        let id = projects.at(&till).unwrap().row.id.unwrap();
        assert_eq!((root_of(&id).unwrap(), root_of(&id[..10]).unwrap()), (till.clone(), till.clone()));
        assert!(matches!(root_of(&id[..3]), Err(ProjectError::NotFound(_))));
        assert!(matches!(root_of("shop"), Err(ProjectError::Ambiguous { roots, .. }) if roots.len() == 2));
        assert!(matches!(root_of("./bare"), Err(ProjectError::NotYet(_))));
        assert!(matches!(projects.add(&base.join("bare")), Err(ProjectError::NotYet(_))));

        std::fs::remove_dir_all(&till).unwrap();
        for called in ["till", "./till", &till.display().to_string()] {
            let found = projects.named(called, Some(&base));
            assert!(found.is_ok_and(|found| found.state == ProjectState::Missing), "{called}");
        }
        projects.remove(&till).unwrap();
        assert!(matches!(root_of("till"), Err(ProjectError::NotFound(_))));
        assert_eq!(projects.rows(None).len(), 2);
        assert_eq!(projects.rows(Some(&base.join("x/shop"))).len(), 1);
    }
}
