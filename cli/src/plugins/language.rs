//! The languages that `pu plugin` knows how to write and build plugins in.

use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    Rust,
    Js,
    Python,
    C,
}

impl Language {
    /// Each with the file that tells it, in the order in which they are looked for.
    pub(crate) const MARKS: [(Self, &str); 4] =
        [(Self::Rust, "Cargo.toml"), (Self::Js, "package.json"), (Self::Python, "plugin.py"), (Self::C, "plugin.c")];

    /// The language of the plugin in a folder, by the files that are there.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        Self::MARKS.into_iter().find(|(_, mark)| folder.join(mark).is_file()).map(|(language, _)| language)
    }

    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_language_is_told_by_the_file_that_only_it_has() {
        for (files, wanted) in [
            (&["Cargo.toml", "package.json"][..], Some(Language::Rust)),
            (&["package.json", "plugin.js"], Some(Language::Js)),
            (&["plugin.py", "requirements.txt"], Some(Language::Python)),
            (&["plugin.c"], Some(Language::C)),
            (&["README.md", "manifest.json"], None),
            (&[], None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for file in files {
                File::create(folder.path().join(file)).unwrap();
            }
            assert_eq!(Language::of(folder.path()), wanted, "{files:?}");
        }
    }

    #[test]
    fn a_folder_that_has_the_name_of_a_mark_is_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("plugin.c")).unwrap();
        assert_eq!(Language::of(folder.path()), None);
    }
}
