//! Files of a project that one request changes: all of them or, by taking back what was done, none.
//!
//! Each single write is atomic. It never leaves the project: a link is followed, and one that leads out is refused, or
//! else it is the link that is replaced.

use super::Failure;
use crate::projects::{Project, ProjectError};
use pu_protocol::{ErrorBody, ErrorCode};
use pu_record::{RecordError, atomic};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// These files are the team's, like any other of the repository.
const SHARED_FILE: u32 = 0o644;

/// What was at a place before.
enum Before {
    Nothing,
    File { bytes: Vec<u8>, mode: u32 },
    Link { target: PathBuf },
}

pub(super) struct Changes {
    root: PathBuf,
    /// The place as it was named, where it really is, and what was there; the first change first.
    done: Vec<(PathBuf, PathBuf, Before)>,
}

impl Changes {
    pub(super) fn of(project: &Project) -> Self {
        Self { root: project.root.clone(), done: Vec::new() }
    }

    /// Makes a file hold these bytes, with the folder above it. What it holds already is no change.
    pub(super) fn write(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        make_folder_of(path)?;
        let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        let place = if is_link { real(path)? } else { beside(path)? };
        self.put(path, &place, bytes)
    }

    /// As [`Changes::write`], but in place of a link and not of what it leads to.
    pub(super) fn replace(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        make_folder_of(path)?;
        self.put(path, &beside(path)?, bytes)
    }

    fn put(&mut self, path: &Path, place: &Path, bytes: &[u8]) -> Result<(), Failure> {
        self.check_inside(path, place)?;
        let before = before(place)?;
        let mode = match &before {
            Before::File { bytes: known, .. } if known == bytes => return Ok(()),
            Before::File { mode, .. } => *mode,
            Before::Nothing | Before::Link { .. } => SHARED_FILE,
        };
        self.done.push((path.to_owned(), place.to_owned(), before));
        Ok(atomic::write_atomic(place, bytes, mode)?)
    }

    /// Removes a file, of a link the link; answers whether there was one.
    pub(super) fn remove(&mut self, path: &Path) -> Result<bool, Failure> {
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed("look at", path)(error)),
            Ok(_) => {}
        }
        let place = beside(path)?;
        self.check_inside(path, &place)?;
        let before = before(&place)?;
        self.done.push((path.to_owned(), place.clone(), before));
        atomic::remove_file(&place)?;
        Ok(true)
    }

    /// What was changed so far.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.done.iter().map(|(path, ..)| path.clone()).collect()
    }

    /// The changes stay; answers what was changed.
    pub(super) fn keep(self) -> Vec<PathBuf> {
        self.done.into_iter().map(|(path, ..)| path).collect()
    }

    /// Takes everything back, the last change first. What cannot be is told with the failure.
    pub(super) fn undo(self, mut failure: Failure) -> Failure {
        for (path, place, before) in self.done.into_iter().rev() {
            if let Err(error) = restore(&place, &before) {
                failure.body.message += &format!("; {} could not be put back as it was: {error}", path.display());
            }
        }
        failure
    }

    fn check_inside(&self, path: &Path, place: &Path) -> Result<(), Failure> {
        if place.starts_with(real(&self.root)?) {
            return Ok(());
        }
        let message = format!("{} leads out of the project, to {}", path.display(), place.display());
        Err(ErrorBody::new(ErrorCode::PathOutsideProject, message)
            .with_hint("put a file there in place of the link")
            .into())
    }
}

fn before(place: &Path) -> Result<Before, Failure> {
    let found = match place.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Before::Nothing),
        Err(error) => return Err(failed("look at", place)(error)),
    };
    if found.is_symlink() {
        return Ok(Before::Link { target: std::fs::read_link(place).map_err(failed("read the link", place))? });
    }
    if !found.is_file() {
        return Err(failed("change", place)(io::Error::new(ErrorKind::InvalidInput, "it is no regular file")));
    }
    let bytes = std::fs::read(place).map_err(failed("read", place))?;
    Ok(Before::File { bytes, mode: found.permissions().mode() & 0o777 })
}

fn restore(place: &Path, before: &Before) -> Result<(), RecordError> {
    match before {
        Before::Nothing => atomic::remove_file(place),
        Before::File { bytes, mode } => atomic::write_atomic(place, bytes, *mode),
        Before::Link { target } => {
            atomic::remove_file(place)?;
            let linked = std::os::unix::fs::symlink(target, place);
            linked.map_err(|source| RecordError::Io { act: "make the link", path: place.into(), source })
        }
    }
}

fn make_folder_of(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(failed("create the folder", folder)),
        None => Ok(()),
    }
}

fn real(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(failed("find", path))
}

/// The path with the links above it resolved.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => Ok(real(folder)?.join(name)),
        _ => real(path),
    }
}

fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |source| ProjectError::Io { act, path, source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(folder: &tempfile::TempDir) -> (PathBuf, Changes) {
        let root = folder.path().join("project");
        std::fs::create_dir_all(&root).unwrap();
        (root.clone(), Changes { root, done: Vec::new() })
    }

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_fails_in_the_end_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (root, mut changes) = changes(&folder);
        let (old, new, gone, link) = (root.join("old"), root.join("a/new"), root.join("gone"), root.join("link"));
        for (path, mode) in [(&old, 0o600), (&gone, 0o640)] {
            atomic::write_atomic(path, b"before", mode).unwrap();
        }
        std::os::unix::fs::symlink("gone", &link).unwrap();
        changes.write(&old, b"after").unwrap();
        changes.write(&new, b"after").unwrap();
        assert!(changes.remove(&link).unwrap() && changes.remove(&gone).unwrap());
        assert!(!changes.remove(&root.join("none/none")).unwrap());
        assert_eq!(std::fs::read(&old).unwrap(), b"after");
        assert_eq!((mode_of(&old), mode_of(&new), gone.exists()), (0o600, 0o644, false));
        let failure = changes.undo(Failure::new(ErrorCode::Io, "because"));
        assert_eq!(failure.body.message, "because");
        assert_eq!((std::fs::read(&old).unwrap(), std::fs::read(&gone).unwrap()), (b"before".into(), b"before".into()));
        assert_eq!((mode_of(&gone), new.exists()), (0o640, false));
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("gone"));
    }

    #[test]
    fn only_what_was_changed_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (root, mut changes) = changes(&folder);
        changes.write(&root.join("a"), b"x").unwrap();
        changes.write(&root.join("a"), b"x").unwrap();
        assert_eq!(changes.keep(), [root.join("a")]);
    }

    #[test]
    fn a_link_is_replaced_and_not_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (root, mut changes) = changes(&folder);
        let (file, link) = (root.join("file"), root.join("link"));
        atomic::write_atomic(&file, b"before", 0o600).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        changes.replace(&link, b"after").unwrap();
        assert_eq!((std::fs::read(&file).unwrap(), std::fs::read(&link).unwrap()), (b"before".into(), b"after".into()));
        assert!(!link.is_symlink());
        let failure = changes.undo(Failure::new(ErrorCode::Io, "because"));
        assert_eq!(failure.body.message, "because");
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("file"));
    }

    #[test]
    fn no_link_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        let (root, mut changes) = changes(&folder);
        let outside = folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        atomic::write_atomic(&outside.join("file"), b"x", 0o600).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("folder")).unwrap();
        std::os::unix::fs::symlink(outside.join("file"), root.join("link")).unwrap();
        for path in ["folder/file", "link"] {
            let failure = changes.write(&root.join(path), b"y").unwrap_err();
            assert_eq!(failure.body.code, ErrorCode::PathOutsideProject);
        }
        assert!(changes.remove(&root.join("folder/file")).is_err());
        assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"x");
    }
}
