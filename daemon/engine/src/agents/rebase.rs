//! What was launched in a project that lies elsewhere by now, as it would have been launched there.
//!
//! Changes no file: `launch.json` stays what was asked for, and the registry knows where its root has gone.

use pu_record::launch::LaunchRecord;
use std::path::{Path, PathBuf};

/// The launch with the project's root, and the folder that the agent works in, in their new place.
pub fn rebased(launch: &LaunchRecord, from: &Path, to: &Path) -> LaunchRecord {
    let mut launch = launch.clone();
    // Joining an empty path would leave a `/` at the end.
    let below = |inside: &Path| -> PathBuf { to.components().chain(inside.components()).collect() };
    if let Ok(inside) = launch.cwd.strip_prefix(from) {
        launch.cwd = below(inside);
    }
    launch.project_root = to.to_owned();
    launch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lay_in_the_project_lies_in_its_new_place() {
        let launched = |cwd: &str| {
            let launch = LaunchRecord { project_root: "/a".into(), cwd: cwd.into(), ..LaunchRecord::default() };
            let moved = rebased(&launch, Path::new("/a"), Path::new("/b/c"));
            (moved.project_root, moved.cwd.into_os_string())
        };
        for (cwd, moved) in [
            ("/a", "/b/c"),
            ("/a/.pu/worktrees/w", "/b/c/.pu/worktrees/w"),
            ("/elsewhere", "/elsewhere"),
            ("/ab", "/ab"),
        ] {
            assert_eq!(launched(cwd), ("/b/c".into(), moved.into()));
        }
    }
}
