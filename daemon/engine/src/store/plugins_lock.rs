//! A project's `plugins.lock`: which plugins its team accepted, by digest.
//!
//! It is shared with the team and edited by hand now and then, so it keeps comments and what it does not know, and a
//! damaged one is told with its line and never set aside. It reads no plugin and decides nothing.

use super::StoreError;
use crate::beneath::{self, Refusal};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Component, Path};
use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, Item, Table, value};

const VERSION: i64 = 1;
/// The folder of `.pu/` that is the agents'.
const WORKTREES: &str = "worktrees";
/// The longest lock that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;
const NEW: &str = "\
# Written by `pu plugin add`: the plugins of this project, by digest. What differs from it does not run.
version = 1
";

/// A plugin as it was accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginPin {
    pub name: String,
    /// Relative to `.pu/`.
    pub path: String,
    /// Where it came from, in the words of who added it.
    pub source: String,
    pub version: String,
    pub sha256: String,
    /// All that it could reach.
    pub imports: Vec<String>,
}

/// The lock as it stands.
#[derive(Debug, Clone)]
pub struct PluginsLock {
    document: DocumentMut,
    /// By name.
    pins: Vec<PluginPin>,
}

/// What is wrong, and where in the text.
type Fault = (Option<Range<usize>>, String);

impl PluginsLock {
    /// Reads a lock; one that is not there pins nothing.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let text = read_text(path)?.unwrap_or_else(|| NEW.to_owned());
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, StoreError> {
        let damaged = |(at, message): Fault| StoreError::PluginsLock {
            path: path.into(),
            line: line_of(text, at.map_or(0, |at| at.start)),
            message,
        };
        let document = Document::parse(text).map_err(|error| damaged((error.span(), error.message().to_owned())))?;
        let root = document.as_table();
        if let Some(item) = root.get("version") {
            match item.as_integer() {
                Some(VERSION) => {}
                Some(newer) if newer > VERSION => {
                    let found = u32::try_from(newer).unwrap_or(u32::MAX);
                    return Err(StoreError::Newer { path: path.into(), found, known: 1 });
                }
                _ => return Err(damaged((item.span(), "`version` must be 1".into()))),
            }
        }
        let mut pins: Vec<PluginPin> = Vec::new();
        match root.get("plugin") {
            None => {}
            Some(Item::ArrayOfTables(tables)) => {
                for table in tables {
                    let pin = pin_of(table).map_err(damaged)?;
                    if pins.iter().any(|known| known.name == pin.name) {
                        return Err(damaged((table.span(), format!("{:?} is pinned twice", pin.name))));
                    }
                    pins.push(pin);
                }
            }
            Some(other) => return Err(damaged((other.span(), "`plugin` must be [[plugin]] tables".into()))),
        }
        pins.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { document: document.into_mut(), pins })
    }

    /// By name.
    pub fn pins(&self) -> &[PluginPin] {
        &self.pins
    }

    pub fn find(&self, name: &str) -> Option<&PluginPin> {
        self.pins.iter().find(|pin| pin.name == name)
    }

    /// Pins a plugin, in place of an earlier pin of this name.
    pub fn put(&mut self, pin: PluginPin) {
        let mut tables = self.take_tables();
        match tables.iter_mut().find(|table| name_of(table) == Some(pin.name.as_str())) {
            Some(table) => fill(table, &pin),
            None => {
                let mut table = Table::new();
                fill(&mut table, &pin);
                tables.push(table);
            }
        }
        self.put_tables(tables);
        self.pins.retain(|known| known.name != pin.name);
        self.pins.push(pin);
        self.pins.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Takes a pin out; answers whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.pins.len();
        self.pins.retain(|pin| pin.name != name);
        if self.pins.len() == before {
            return false;
        }
        let mut tables = self.take_tables();
        tables.retain(|table| name_of(table) != Some(name));
        self.put_tables(tables);
        true
    }

    /// The file's text.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    fn take_tables(&mut self) -> Vec<Table> {
        match self.document.remove("plugin") {
            Some(Item::ArrayOfTables(tables)) => tables.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn put_tables(&mut self, mut tables: Vec<Table>) {
        self.document.entry("version").or_insert(value(VERSION));
        if tables.is_empty() {
            return;
        }
        tables.sort_by(|a, b| name_of(a).cmp(&name_of(b)));
        let mut list = ArrayOfTables::new();
        for mut table in tables {
            // Written in the order of the list, not where each stood in the text.
            unplace(&mut table);
            list.push(table);
        }
        self.document.insert("plugin", Item::ArrayOfTables(list));
    }
}

fn read_text(path: &Path) -> Result<Option<String>, StoreError> {
    let io = |source| pu_record::RecordError::Io { act: "read", path: path.into(), source };
    let bytes = match beneath::open_own(path).and_then(|file| beneath::bytes_of(file, FILE_MAX)) {
        Ok(bytes) => bytes,
        Err(refusal) if refusal.is_missing() => return Ok(None),
        Err(Refusal::NotRegular) => return Err(io(not_a_lock("it is no regular file")).into()),
        Err(Refusal::TooLarge { .. }) => return Err(io(not_a_lock("it is over 1 MiB long")).into()),
        Err(other) => return Err(io(other.into()).into()),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| StoreError::PluginsLock {
        path: path.into(),
        line: error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1,
        message: "it is not UTF-8".into(),
    })
}

fn not_a_lock(why: &'static str) -> std::io::Error {
    std::io::Error::new(ErrorKind::InvalidData, why)
}

fn pin_of(table: &Table) -> Result<PluginPin, Fault> {
    let optional = |key: &str| -> Result<String, Fault> {
        let Some(item) = table.get(key) else { return Ok(String::new()) };
        item.as_str().map(str::to_owned).ok_or_else(|| (item.span(), format!("`{key}` must be a text")))
    };
    let required = |key: &str| -> Result<String, Fault> {
        let text = optional(key)?;
        if text.is_empty() { Err((table.span(), format!("a [[plugin]] has no `{key}`"))) } else { Ok(text) }
    };
    let at = |key: &str| table.get(key).and_then(Item::span);
    let pin = PluginPin {
        name: required("name")?,
        path: required("path")?,
        source: optional("source")?,
        version: optional("version")?,
        sha256: required("sha256")?.to_ascii_lowercase(),
        imports: imports(table)?,
    };
    if pin.sha256.len() != 64 || !pin.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err((at("sha256"), "`sha256` must be 64 hexadecimal digits".into()));
    }
    if !is_place(Path::new(&pin.path)) {
        return Err((at("path"), "`path` must lead to a .wasm file in .pu/, and to none of a worktree".into()));
    }
    Ok(pin)
}

/// Whether a plugin may lie there: what a pin names is removed with it.
fn is_place(path: &Path) -> bool {
    path.components().all(|step| matches!(step, Component::Normal(_)))
        && path.extension().is_some_and(|extension| extension == "wasm")
        && !path.starts_with(WORKTREES)
}

fn imports(table: &Table) -> Result<Vec<String>, Fault> {
    let fault = |at| (at, "`imports` must be a list of texts".to_owned());
    let Some(item) = table.get("imports") else {
        return Err((table.span(), "a [[plugin]] has no `imports`".into()));
    };
    let list = item.as_array().ok_or_else(|| fault(item.span()))?;
    list.iter().map(|import| import.as_str().map(str::to_owned).ok_or_else(|| fault(item.span()))).collect()
}

fn fill(table: &mut Table, pin: &PluginPin) {
    for (key, text) in [
        ("name", &pin.name),
        ("path", &pin.path),
        ("source", &pin.source),
        ("version", &pin.version),
        ("sha256", &pin.sha256),
    ] {
        table.insert(key, value(text.as_str()));
    }
    table.insert("imports", value(pin.imports.iter().map(String::as_str).collect::<Array>()));
}

fn name_of(table: &Table) -> Option<&str> {
    table.get("name").and_then(Item::as_str)
}

fn unplace(table: &mut Table) {
    table.set_position(None);
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => unplace(inner),
            Item::ArrayOfTables(list) => list.iter_mut().for_each(unplace),
            _ => {}
        }
    }
}

/// Counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use pu_record::atomic;

    fn pin(name: &str, digit: char) -> PluginPin {
        PluginPin {
            name: name.into(),
            path: format!("plugins/{name}.wasm"),
            source: format!("../{name}.wasm"),
            version: "0.1.0".into(),
            sha256: digit.to_string().repeat(64),
            imports: vec!["purepoint:context/specs@0.1.0".into()],
        }
    }

    fn parse(text: &str) -> Result<PluginsLock, StoreError> {
        PluginsLock::parse(Path::new("/p/.pu/plugins.lock"), text)
    }

    #[test]
    fn what_was_put_is_read_back_sorted_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins.lock");
        let mut lock = PluginsLock::read(&path).unwrap();
        assert!(lock.pins().is_empty());
        for (name, digit) in [("ledger", 'a'), ("auth", 'b'), ("ledger", 'c')] {
            lock.put(pin(name, digit));
        }
        atomic::write_atomic(&path, lock.text().as_bytes(), 0o644).unwrap();
        let read = PluginsLock::read(&path).unwrap();
        assert_eq!(read.pins(), [pin("auth", 'b'), pin("ledger", 'c')]);
        assert_eq!(read.find("auth"), Some(&pin("auth", 'b')));
        let text = read.text();
        assert!(text.starts_with("# Written by") && text.contains("version = 1\n"), "{text}");
        assert!(text.find("\"auth\"") < text.find("\"ledger\""), "{text}");
        let mut read = read;
        assert!(read.remove("auth") && !read.remove("auth"));
        assert_eq!(parse(&read.text()).unwrap().pins(), [pin("ledger", 'c')]);
        assert!(read.remove("ledger"));
        assert!(parse(&read.text()).unwrap().pins().is_empty());
    }

    #[test]
    fn comments_and_what_is_unknown_survive_a_change() {
        let mut lock = parse("version = 1\n").unwrap();
        lock.put(pin("b", 'b'));
        let text = lock.text().replace("[[plugin]]", "# reviewed by Ada\n[[plugin]]\nmood = \"good\"")
            + "[plugin.review]\nby = \"ada\"\n\n[future]\nx = 1\n";
        let mut lock = parse(&text).unwrap();
        lock.put(pin("a", 'a'));
        lock.put(PluginPin { version: "0.2.0".into(), ..pin("b", 'd') });
        let text = lock.text();
        let again = parse(&text).unwrap();
        assert_eq!(again.pins()[1].version, "0.2.0");
        for part in ["# reviewed by Ada", "mood = \"good\"", "[future]\nx = 1"] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        let value: toml::Table = toml::from_str(&text).unwrap();
        let plugins = value["plugin"].as_array().unwrap();
        assert_eq!(plugins[1]["review"]["by"].as_str(), Some("ada"), "{text}");
        assert!(plugins[0].get("review").is_none(), "{text}");
    }

    #[test]
    fn a_damaged_lock_names_the_file_and_the_line() {
        let mut lock = parse("").unwrap();
        lock.put(pin("a", 'a'));
        let good = lock.text();
        let line = |text: &str| text.lines().count() + 1;
        for (text, at, part) in [
            (format!("{good}[[plugin\n"), line(&good), ""),
            (good.replace("name = \"a\"", "name = 3"), 3, "`name` must be a text"),
            (good.replace(&"a".repeat(64), "abc"), 7, "64 hexadecimal digits"),
            (good.replace("plugins/a.wasm", "../../a.wasm"), 4, "a .wasm file in .pu/"),
            (good.replace("plugins/a.wasm", "config.toml"), 4, "a .wasm file in .pu/"),
            (good.replace("plugins/a.wasm", "worktrees/b/a.wasm"), 4, "none of a worktree"),
            (format!("{good}\n{good}"), 0, ""),
            ("plugin = 3\n".to_owned(), 1, "[[plugin]] tables"),
            ("\nversion = \"x\"\n".to_owned(), 2, "`version` must be 1"),
        ] {
            let error = parse(&text).unwrap_err();
            let StoreError::PluginsLock { line, message, .. } = &error else { panic!("{error}") };
            assert!(message.contains(part), "{message}");
            assert!(error.to_string().contains("/p/.pu/plugins.lock"), "{error}");
            assert!(at == 0 || line.abs_diff(at) <= 1, "line {line}, not {at}, in:\n{text}");
            assert_eq!(error.body().code, pu_protocol::ErrorCode::InvalidConfig);
        }
        assert!(matches!(parse("version = 2"), Err(StoreError::Newer { found: 2, .. })));
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let error = PluginsLock::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("no regular file"), "{error}");
    }
}
