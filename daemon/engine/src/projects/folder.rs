//! A project's `.pu/` folder as `pu init` makes it.
//!
//! Only adds what is missing; never changes a file that is there, but for the identity that a copy brought along.

use super::error::ProjectError;
use crate::store;
use pu_protocol::layout::ProjectLayout;
use pu_record::atomic;
use std::path::Path;

const CONFIG: &str = include_str!("config.template.toml");

/// These files are the team's, like any other of the repository.
const SHARED_FILE: u32 = 0o644;

/// What is shared with a team is tracked; what is this user's is not.
const GITIGNORE: &str = "\
# Written by `pu init`. Tracked: config.toml, agents/, prompts/, plugins/, plugins.lock, context/.
/manifest.json
/manifest.lock
/history.jsonl
/history.1.jsonl
/state/
/worktrees/
/run/
*.damaged-*
";

/// Makes the folder complete, as that of the project with this identity; answers the names of the files that were written,
/// relative to the project root. The identity is not among them: it is not the user's to look after.
pub(super) fn complete(layout: &ProjectLayout, id: &str) -> Result<Vec<String>, ProjectError> {
    let root = layout.root();
    std::fs::create_dir_all(root).map_err(|source| ProjectError::Io { act: "create", path: root.into(), source })?;
    let mut created = Vec::new();
    for (path, content) in [(layout.config(), CONFIG), (layout.gitignore(), GITIGNORE)] {
        if std::fs::symlink_metadata(&path).is_err() {
            atomic::write_atomic(&path, content.as_bytes(), SHARED_FILE).map_err(store::StoreError::from)?;
            created.push(relative(&path, layout));
        }
    }
    if store::read_identity(layout).as_deref() != Some(id) {
        store::write_identity(layout, id)?;
    }
    Ok(created)
}

fn relative(path: &Path, layout: &ProjectLayout) -> String {
    let project = layout.root().parent().unwrap_or(layout.root());
    path.strip_prefix(project).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projects::Config;

    #[test]
    fn the_template_is_a_valid_configuration_that_changes_nothing() {
        let parsed: Config = toml::from_str(CONFIG).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Config::default()));
    }

    /// The template shows each key commented out: uncommented, it must be valid too.
    #[test]
    fn what_the_template_shows_can_be_uncommented() {
        let shown: String =
            CONFIG.lines().map(|l| l.strip_prefix("#: ").unwrap_or(l)).map(|l| format!("{l}\n")).collect();
        assert_ne!(shown, CONFIG);
        toml::from_str::<Config>(&shown).unwrap();
    }
}
