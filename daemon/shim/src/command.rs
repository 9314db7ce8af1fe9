//! Finds the program that a launch names, before anything is started: a name that leads nowhere must be an answer and
//! not an agent that ends at once.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};

/// The program that `command` names: a path (relative to `cwd`) if it has a slash, else the first in `search_path`.
pub(crate) fn find(command: &str, cwd: &Path, search_path: Option<&OsStr>) -> Option<PathBuf> {
    if command.is_empty() {
        return None;
    }
    if command.contains('/') {
        return Some(cwd.join(command)).filter(|p| is_program(p));
    }
    let folders = std::env::split_paths(search_path?).filter(|f| !f.as_os_str().is_empty());
    folders.map(|folder| cwd.join(folder).join(command)).find(|p| is_program(p))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_files_that_may_be_run_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (name, mode) in [("bin/tool", 0o755), ("bin/text", 0o644), ("other/tool", 0o755)] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(&path).unwrap().set_permissions(Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(root.join("bin/folder")).unwrap();
        let search = std::env::join_paths([root.join("none"), root.join("bin"), root.join("other")]).unwrap();
        let table = [
            ("tool", Some("bin/tool")),
            ("text", None),
            ("folder", None),
            ("absent", None),
            ("", None),
            ("./other/tool", Some("./other/tool")),
            ("./tool", None),
            ("/bin/sh", Some("/bin/sh")),
        ];
        for (command, expected) in table {
            let found = find(command, root, Some(&search));
            assert_eq!(found, expected.map(|e| root.join(e)), "{command}");
        }
        assert_eq!(find("tool", root, None), None);
        assert_eq!(find("tool", root, Some(OsStr::new("bin"))), Some(root.join("bin/tool")), "relative PATH");
    }
}
