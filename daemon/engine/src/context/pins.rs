//! Which plugins of a project its `plugins.lock` pins, and to what.
//!
//! It reads the lock and no plugin: the host holds what it reads against the pin.

use std::path::{Path, PathBuf};

use pu_protocol::layout::ProjectLayout;

use super::lineup::{self, Link, PluginFile};
use crate::plugins::PinnedAs;
use crate::store::{PluginPin, PluginsLock};

/// What the lock says of one link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pinned {
    /// Nothing: whatever lies there runs.
    No,
    As(PinnedAs),
    /// The lock cannot be read, so that no plugin's file can be trusted; why.
    Unknown(String),
}

/// A project's pins as they stand now.
pub(super) struct Pins {
    lock: Result<PluginsLock, String>,
    /// What the paths in the lock are relative to.
    folder: PathBuf,
}

impl Pins {
    pub(super) fn read(project: &ProjectLayout) -> Self {
        let lock = PluginsLock::read(&project.plugins_lock()).map_err(|error| error.to_string());
        Self { lock, folder: project.root().to_owned() }
    }

    /// All of them; none where the lock cannot be read.
    pub(super) fn all(&self) -> &[PluginPin] {
        self.lock.as_ref().map_or(&[], PluginsLock::pins)
    }

    /// Where a pinned plugin is to lie.
    pub(super) fn place(&self, pin: &PluginPin) -> PathBuf {
        self.folder.join(&pin.path)
    }

    pub(super) fn of(&self, link: &Link) -> Pinned {
        match (&self.lock, &link.plugin) {
            (Err(why), PluginFile::At(_)) => Pinned::Unknown(why.clone()),
            (Err(_), _) => Pinned::No,
            (Ok(lock), file) => match lock.pins().iter().find(|pin| self.is_of(pin, link, file)) {
                Some(pin) => Pinned::As(pinned_as(pin)),
                None => Pinned::No,
            },
        }
    }

    /// A pin holds for the file at its path, whatever that is called in the chain, and for its name, wherever that is
    /// found: a file in the user's home does not stand in for the one that was pinned.
    fn is_of(&self, pin: &PluginPin, link: &Link, file: &PluginFile) -> bool {
        let plugin = link.config.plugin();
        if !lineup::is_path(plugin) && plugin == pin.name {
            return true;
        }
        let same = |real: &Path| self.place(pin).canonicalize().is_ok_and(|pinned| pinned == real);
        matches!(file, PluginFile::At(real) if same(real))
    }
}

pub(super) fn pinned_as(pin: &PluginPin) -> PinnedAs {
    PinnedAs { sha256: pin.sha256.clone(), imports: pin.imports.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::AssemblerConfig;

    struct World {
        _folder: tempfile::TempDir,
        layout: ProjectLayout,
    }

    impl World {
        fn new(lock: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let layout = ProjectLayout::new(folder.path().canonicalize().unwrap());
            for name in ["a.wasm", "b.wasm"] {
                std::fs::create_dir_all(layout.plugins()).unwrap();
                std::fs::File::create(layout.plugins().join(name)).unwrap();
            }
            pu_record::atomic::write_atomic(&layout.plugins_lock(), lock.as_bytes(), 0o644).unwrap();
            Self { _folder: folder, layout }
        }

        fn of(&self, plugin: &str, file: PluginFile) -> Pinned {
            let config = AssemblerConfig { plugin: Some(plugin.into()), ..AssemblerConfig::plain("x") };
            Pins::read(&self.layout).of(&Link { config, plugin: file })
        }

        fn file(&self, name: &str) -> PluginFile {
            PluginFile::At(self.layout.plugins().join(name))
        }
    }

    fn lock() -> String {
        let sha256 = "a".repeat(64);
        format!(
            "version = 1\n[[plugin]]\nname = \"a\"\npath = \"plugins/a.wasm\"\nsha256 = \"{sha256}\"\nimports = []\n"
        )
    }

    #[test]
    fn a_pin_is_found_by_its_path_and_by_its_name() {
        let world = World::new(&lock());
        let pinned = Pinned::As(PinnedAs { sha256: "a".repeat(64), imports: vec![] });
        assert_eq!(world.of("plugins/a.wasm", world.file("a.wasm")), pinned);
        assert_eq!(world.of("a", PluginFile::At("/home/me/.pu/plugins/a.wasm".into())), pinned);
        assert_eq!(world.of("a", PluginFile::Bundled("a".into())), pinned);
        assert_eq!(world.of("b", world.file("b.wasm")), Pinned::No);
        assert_eq!(world.of("keyword", PluginFile::Bundled("keyword".into())), Pinned::No);
    }

    #[test]
    fn a_damaged_lock_leaves_only_what_is_bundled() {
        let world = World::new("[[plugin\n");
        let Pinned::Unknown(why) = world.of("b", world.file("b.wasm")) else { panic!("it was read") };
        assert!(why.contains("plugins.lock, line 1"), "{why}");
        assert_eq!(world.of("keyword", PluginFile::Bundled("keyword".into())), Pinned::No);
    }
}
