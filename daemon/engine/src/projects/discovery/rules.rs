//! Which folders are never looked into.
//!
//! Pure: it judges names and paths, and looks at no file. What a repository's own .gitignore says does not count: a project
//! may well lie in a folder that another one ignores.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use pu_protocol::layout::ProjectLayout;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub(super) const GIT: &str = ".git";

/// Made by tools, of many folders, and never a place for somebody's projects. Hidden ones (`.venv`, `.cache`, `.tox`) are
/// left out as hidden.
const NEVER: &[&str] =
    &["node_modules", "bower_components", "target", "__pycache__", "site-packages", "venv", "DerivedData", "Pods"];

/// What is left out below one root.
#[derive(Debug)]
pub(super) struct Rules {
    patterns: Gitignore,
    /// The user's PurePoint folder, which holds no projects of theirs.
    home: PathBuf,
}

impl Rules {
    /// Or what is wrong with a pattern.
    pub(super) fn below(root: &Path, patterns: &[String], home: &Path) -> Result<Self, String> {
        let mut builder = GitignoreBuilder::new(root);
        for pattern in patterns {
            builder.add_line(None, pattern).map_err(|error| error.to_string())?;
        }
        let patterns = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { patterns, home: home.to_owned() })
    }

    /// Whether the folder `name` in `folder` is left out. The user's patterns go before the usual ones, so that `!target`
    /// lets in what is never looked into otherwise.
    pub(super) fn leave_out(&self, folder: &Path, name: &OsStr) -> bool {
        if name == GIT || name == ProjectLayout::FOLDER || self.is_home(folder, name) {
            return true;
        }
        if !self.patterns.is_empty() {
            match self.patterns.matched(folder.join(name), true) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        name.as_bytes().starts_with(b".") || NEVER.iter().any(|never| name == *never)
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Whether this is the user's PurePoint folder, which by default has the name that makes a project of another folder.
    pub(super) fn is_home(&self, folder: &Path, name: &OsStr) -> bool {
        self.home.file_name() == Some(name) && self.home.parent() == Some(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_folders_hidden_ones_and_what_the_user_names_are_left_out() {
        let patterns = ["scratch", "/old", "deep/er/", "!venv", "!.lab"].map(str::to_owned);
        let rules = Rules::below(Path::new("/r"), &patterns, Path::new("/r/home")).unwrap();
        for (path, expected) in [
            ("/r/a/node_modules", true),
            ("/r/a/target", true),
            ("/r/.cache", true),
            ("/r/a/.git", true),
            ("/r/a/.pu", true),
            ("/r/a/scratch", true),
            ("/r/old", true),
            ("/r/a/old", false),
            ("/r/deep/er", true),
            ("/r/venv", false),
            ("/r/.lab", false),
            ("/r/home", true),
            ("/r/a/home", false),
            ("/r/targets", false),
        ] {
            let path = Path::new(path);
            assert_eq!(rules.leave_out(path.parent().unwrap(), path.file_name().unwrap()), expected, "{path:?}");
        }
    }
}
