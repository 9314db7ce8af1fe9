//! The files of the project's work tree, by a walk that has bounds: what patterns of rules may mean.
//!
//! It opens no file and follows no link. What git ignores is left out, and so is what is never read for specs.

use std::path::Path;

use ignore::WalkBuilder;

use super::super::ignores;
use super::super::source::is_never_read;

/// After so many entries the walk ends.
const MAX_ENTRIES: usize = 200_000;

/// Paths from the root, with `/`.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<String>,
    /// There are more.
    pub(super) is_cut: bool,
}

impl Tree {
    pub(super) fn of(root: &Path) -> Self {
        let base = root.to_path_buf();
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .follow_links(false)
            .require_git(false)
            .filter_entry(move |entry| {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                let is_sound = || !is_folder || ignores::unsound(&base, entry.path()).is_none();
                entry.depth() == 0 || (!is_never_read(&base, entry.path()) && is_sound())
            })
            .build();
        let mut tree = Self::default();
        if ignores::unsound(root, root).is_some() {
            return tree;
        }
        // A folder that cannot be read is nobody's concern here.
        for (nth, entry) in walk.filter_map(Result::ok).enumerate() {
            if nth >= MAX_ENTRIES {
                tree.is_cut = true;
                break;
            }
            let is_folder = entry.file_type().is_none_or(|kind| kind.is_dir());
            let path = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
            if let Some(path) = path.filter(|_| !is_folder) {
                tree.files.push(path.to_owned());
            }
        }
        tree
    }
}
