//! Whether the files that say what to ignore may be read for it. The walker opens them by their names, waits for a pipe, and
//! reads a device to its end, which it does not have; a repository can bring a link to either.
//!
//! It opens nothing. What the files say is for the walker.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// What the walker reads in a folder that it comes to.
const NAMES: [&str; 3] = [".ignore", ".gitignore", ".git/info/exclude"];
/// The longest one that is read.
const FILE_MAX: u64 = 1024 * 1024;

/// What says in `folder` what to ignore and may not be read, if there is such a thing.
pub(super) fn unsound(root: &Path, folder: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| folder.join(name)).find(|path| !is_sound(root, path))
}

/// The same for a folder and those above it in the project, which the walker reads too.
pub(super) fn unsound_above(root: &Path, folder: &Path) -> Option<PathBuf> {
    folder.ancestors().take_while(|above| above.starts_with(root)).find_map(|above| unsound(root, above))
}

fn is_sound(root: &Path, path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => match fs::canonicalize(path) {
            Ok(real) => real.starts_with(root) && fs::metadata(&real).is_ok_and(|found| may_be_read(&found)),
            // It leads nowhere, and is not opened.
            Err(_) => true,
        },
        Ok(found) => may_be_read(&found),
        Err(_) => true,
    }
}

/// A folder of that name says nothing.
fn may_be_read(found: &Metadata) -> bool {
    found.is_dir() || (found.is_file() && found.len() <= FILE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_no_file_of_the_project_is_told_and_what_is_missing_is_not() {
        let world = tempfile::tempdir().unwrap();
        let root = world.path().canonicalize().unwrap().join("project");
        fs::create_dir_all(root.join("docs/deep")).unwrap();
        fs::File::create(root.join("patterns")).unwrap();
        let (docs, file) = (root.join("docs"), root.join("docs/.gitignore"));
        assert_eq!(unsound(&root, &docs), None);
        for (target, sound) in [("/dev/zero", false), ("/etc/passwd", false), ("../patterns", true), ("none", true)] {
            symlink(target, &file).unwrap();
            assert_eq!(unsound(&root, &docs).is_none(), sound, "{target}");
            assert_eq!(unsound_above(&root, &docs.join("deep")).is_none(), sound, "{target}");
            fs::remove_file(&file).unwrap();
        }
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(unsound_above(&root, &docs.join("deep")), Some(file.clone()));
        assert_eq!(unsound_above(&root, &root), None);
        fs::remove_file(&file).unwrap();
        fs::File::create(&file).unwrap().set_len(FILE_MAX + 1).unwrap();
        assert_eq!(unsound(&root, &docs), Some(file));
    }
}
