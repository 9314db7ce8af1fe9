//! The context maps of a project, `.pu/context/*.toml`, for the assembler `context-map`: a plugin sees no file, so the maps
//! reach it as a part of its config.
//!
//! Read for each task, so that a map that was edited counts at once. What an entry may say is not judged here: that is for
//! the schema in the plugin's manifest. It runs nothing, and reads nothing out of the project.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use pu_protocol::context::AssemblerError;
use toml::{Table, Value};

use super::config::AssemblerConfig;
use super::config_place::{line_at, line_in};
use crate::beneath::{self, Refusal};

/// The plugin whose config gets the maps.
const PLUGIN: &str = "context-map";
/// The key of the entries, in a file and in the config.
const KEY: &str = "map";
/// What an entry is given to know its file by, and nothing of it outside.
const FROM: &str = "from";
const FILES_MAX: usize = 64;
const FILE_MAX: u64 = 256 * 1024;

/// Where a project's maps lie.
#[derive(Debug, Clone)]
pub(super) struct Maps {
    /// No map lies outside, with links resolved.
    pub root: PathBuf,
    /// `.pu/context/`.
    pub folder: PathBuf,
}

impl Maps {
    /// The config as the plugin gets it: where that is `context-map`, with the entries of all files behind its own, in the
    /// order of the files' names.
    pub(super) fn added_to(&self, config: &AssemblerConfig) -> Result<AssemblerConfig, AssemblerError> {
        let mut config = config.clone();
        if config.plugin() != PLUGIN {
            return Ok(config);
        }
        for file in self.files()? {
            let entries = self.entries(&file)?;
            match config.config.entry(KEY).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(all) => all.extend(entries),
                // The schema says what is wrong with it.
                _ => break,
            }
        }
        Ok(config)
    }

    /// `FILE, line N` of a place in a config that came from a map; `None` for any other place.
    pub(super) fn place(&self, config: &AssemblerConfig, path: &[String]) -> Option<String> {
        let [key, at, inner @ ..] = path else { return None };
        let at: usize = at.parse().ok().filter(|_| key == KEY)?;
        let entries = config.config.get(KEY)?.as_array()?;
        let from = |entry: &Value| entry.get(FROM).and_then(Value::as_str).map(str::to_owned);
        let name = from(entries.get(at)?)?;
        // Only the name of a file: a config could say anything.
        let file = self.folder.join(Path::new(&name).file_name()?);
        let before = entries[..at].iter().filter(|entry| from(entry).as_ref() == Some(&name)).count();
        let mut there = vec![KEY.to_owned(), before.to_string()];
        there.extend_from_slice(inner);
        let text = beneath::read_text(&self.root, &file, FILE_MAX).ok()?;
        Some(format!("{}, line {}", file.display(), line_in(&text, &there)?))
    }

    /// In the order of their names.
    fn files(&self) -> Result<Vec<PathBuf>, AssemblerError> {
        let failed = |error: io::Error| invalid(&self.folder, &format!("cannot be listed: {error}"));
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut files = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !name.starts_with('.') && path.extension().is_some_and(|ending| ending == "toml") {
                files.insert(name, path);
            }
        }
        if files.len() > FILES_MAX {
            return Err(invalid(&self.folder, &format!("has {} maps, at most {FILES_MAX} are read", files.len())));
        }
        Ok(files.into_values().collect())
    }

    fn entries(&self, file: &Path) -> Result<Vec<Value>, AssemblerError> {
        let text = self.text(file)?;
        let at = |line: usize, why: &str| invalid(file, &format!("line {line}: {why}"));
        let table: Table = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(&text, &span));
            at(line, error.message())
        })?;
        let line_of = |path: &[String]| line_in(&text, path).unwrap_or(1);
        if let Some(unknown) = table.keys().find(|key| *key != KEY) {
            let why = format!("a map has no key `{unknown}`, only [[{KEY}]]");
            return Err(at(line_of(std::slice::from_ref(unknown)), &why));
        }
        let entries = match table.into_iter().next() {
            None => return Ok(Vec::new()),
            Some((_, Value::Array(entries))) => entries,
            Some(_) => return Err(at(line_of(&[KEY.to_owned()]), &format!("`{KEY}` is no list: write [[{KEY}]]"))),
        };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let from_here = |(index, mut entry): (usize, Value)| match entry.as_table_mut() {
            Some(table) => {
                table.insert(FROM.to_owned(), Value::String(name.clone()));
                Ok(entry)
            }
            None => Err(at(line_of(&[KEY.to_owned(), index.to_string()]), "an entry must be a table")),
        };
        entries.into_iter().enumerate().map(from_here).collect()
    }

    fn text(&self, file: &Path) -> Result<String, AssemblerError> {
        beneath::read_text(&self.root, file, FILE_MAX).map_err(|refusal| match refusal {
            Refusal::Outside => invalid(file, "the link leads out of the project"),
            Refusal::NotRegular | Refusal::TooLarge { .. } => {
                invalid(file, &format!("is no file of at most {FILE_MAX} bytes"))
            }
            other => invalid(file, &format!("cannot be read: {other}")),
        })
    }
}

fn invalid(path: &Path, why: &str) -> AssemblerError {
    AssemblerError { code: "config_invalid".into(), message: format!("the context map {}: {why}", path.display()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        folder: tempfile::TempDir,
        maps: Maps,
    }

    impl World {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().join("project");
            let maps = Maps { folder: root.join(".pu/context"), root };
            std::fs::create_dir_all(&maps.folder).unwrap();
            for (name, text) in files {
                pu_record::atomic::write_atomic(&maps.folder.join(name), text.as_bytes(), 0o600).unwrap();
            }
            Self { folder, maps }
        }

        fn refused(&self) -> String {
            let error = self.maps.added_to(&AssemblerConfig::plain(PLUGIN)).unwrap_err();
            assert_eq!(error.code, "config_invalid");
            error.message
        }
    }

    const BILLING: &str = "[[map]]\nwhen = { words = \"invoice\" }\nspecs = \"LEDGER\"\n\n\
        [[map]]\nspecs = \"TAX\"\nfrom = \"elsewhere\"\n[map.when]\nwrods = \"tax\"\n";

    fn own() -> AssemblerConfig {
        let text = "name = \"context-map\"\n[[config.map]]\nwhen = { tags = \"a\" }\nspecs = \"A\"\n";
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_entries_of_all_files_stand_behind_the_config_s_own_and_know_their_file() {
        let world = World::new(&[("b.toml", BILLING), ("a.toml", "[[map]]\nspecs = \"X\"\n"), ("notes.md", "no toml")]);
        let config = world.maps.added_to(&own()).unwrap();
        let entries = config.config["map"].as_array().unwrap();
        let seen: Vec<(Option<&str>, Option<&str>)> = entries
            .iter()
            .map(|e| (e.get("specs").and_then(Value::as_str), e.get("from").and_then(Value::as_str)))
            .collect();
        let expected = [
            (Some("A"), None),
            (Some("X"), Some("a.toml")),
            (Some("LEDGER"), Some("b.toml")),
            (Some("TAX"), Some("b.toml")),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_does_not_fit_is_found_in_its_file() {
        let world = World::new(&[("b.toml", BILLING), ("a.toml", "[[map]]\nspecs = \"X\"\n")]);
        let config = world.maps.added_to(&own()).unwrap();
        let place = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
            world.maps.place(&config, &path).map(|place| place.rsplit('/').next().unwrap().to_owned())
        };
        assert_eq!(place(&["map", "3", "when", "wrods"]).as_deref(), Some("b.toml, line 9"));
        assert_eq!(place(&["map", "2", "specs"]).as_deref(), Some("b.toml, line 3"));
        assert_eq!(place(&["map", "1"]).as_deref(), Some("a.toml, line 1"));
        assert_eq!(place(&["map", "0", "specs"]), None, "that is the config's own");
        assert_eq!(place(&["min_confidence"]), None);
    }

    #[test]
    fn another_assembler_gets_none_and_no_folder_is_no_map() {
        let world = World::new(&[("b.toml", BILLING)]);
        let keyword = AssemblerConfig::plain("keyword");
        assert_eq!(world.maps.added_to(&keyword), Ok(keyword));
        let renamed = AssemblerConfig { plugin: Some(PLUGIN.into()), ..AssemblerConfig::plain("ours") };
        assert!(world.maps.added_to(&renamed).unwrap().config.contains_key(KEY));
        std::fs::remove_dir_all(&world.maps.folder).unwrap();
        assert_eq!(world.maps.added_to(&renamed), Ok(renamed));
    }

    #[test]
    fn a_file_that_is_no_map_is_told_with_its_line() {
        for (text, expected) in [
            ("[[map]]\nspecs = ?\n", "line 2: "),
            ("\n[maps]\nspecs = \"A\"\n", "line 2: a map has no key `maps`"),
            ("[map]\nspecs = \"A\"\n", "line 1: `map` is no list"),
            ("map = [\n  3,\n]\n", "line 2: an entry must be a table"),
        ] {
            let told = World::new(&[("bad.toml", text)]).refused();
            assert!(told.contains("bad.toml: ") && told.contains(expected), "{told}");
        }
        let huge = "#".repeat(usize::try_from(FILE_MAX).unwrap() + 1);
        assert!(World::new(&[("huge.toml", &huge)]).refused().contains("is no file of at most"));
    }

    #[test]
    fn no_link_leads_out() {
        let world = World::new(&[]);
        let outside = world.folder.path().join("outside.toml");
        pu_record::atomic::write_atomic(&outside, BILLING.as_bytes(), 0o600).unwrap();
        std::os::unix::fs::symlink(&outside, world.maps.folder.join("link.toml")).unwrap();
        assert!(world.refused().contains("leads out of the project"));
    }
}
