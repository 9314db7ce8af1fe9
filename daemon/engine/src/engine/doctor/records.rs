//! Files of PurePoint's own that were damaged and set aside: kept for their user, who should know of them.

use super::listed;
use pu_protocol::Finding;
use pu_protocol::layout::{HomeLayout, ProjectLayout};
use std::path::{Path, PathBuf};

/// Part of the name of whatever was set aside.
const MARK: &str = ".damaged-";

pub(super) fn set_aside(home: &HomeLayout, project: Option<&ProjectLayout>) -> Finding {
    let mut folders = vec![home.root().to_owned()];
    // Each project's index has a folder of its own.
    folders.extend(inside(&home.index()));
    folders.extend(project.map(|project| project.root().to_owned()));
    let is_marked = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains(MARK));
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| inside(folder)).filter(is_marked).collect();
    if found.is_empty() {
        return Finding::ok("records", "no file was found damaged");
    }
    found.sort();
    let names: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
    Finding::warning("records", format!("damaged, and set aside: {}", listed(&names)))
        .with_hint("new ones took their place; look whether you miss what is in them, then remove them")
}

/// What is in a folder; nothing where it cannot be read.
fn inside(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_protocol::FindingState;

    #[test]
    fn what_was_set_aside_is_named_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let (home, project) = (HomeLayout::new(folder.path().join("h")), ProjectLayout::new(folder.path().join("p")));
        std::fs::create_dir_all(project.root()).unwrap();
        assert_eq!(set_aside(&home, Some(&project)).state, FindingState::Ok);
        let aside = project.root().join("manifest.json.damaged-20261123T130501Z");
        std::fs::File::create(&aside).unwrap();
        let index = home.index().join("ab12/v3.damaged-1790000000");
        std::fs::create_dir_all(&index).unwrap();
        let finding = set_aside(&home, Some(&project));
        assert_eq!(finding.state, FindingState::Warning);
        for path in [&aside, &index] {
            assert!(finding.detail.contains(path.to_str().unwrap()), "{finding:?}");
        }
    }
}
