//! What of a project can act: its agent definitions, its plugins and what they are granted, part by part with a digest.
//!
//! It reads and hashes, and runs nothing; whether a part may act is the registry's to say. Specs, prompts, context maps and
//! budgets are no parts: they say what agents are told, never what is run.
//!
//! Invariant: what of a project's files can be run, or decides what is run, is a part.

use super::config::Texts;
use super::error::ProjectError;
use crate::beneath;
use crate::plugins::sha256;
use crate::specs::Stamp;
use pu_protocol::layout::ProjectLayout;
use pu_protocol::trust::TrustKind;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use toml::{Table, Value};

/// No plugin that runs is longer, nor is anything else that acts.
const FILE_MAX: u64 = 32 * 1024 * 1024;
/// A project in which more could act is nothing that anybody can judge.
const PARTS_MAX: usize = 500;

/// One thing that can act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub kind: TrustKind,
    /// An agent's name, an assembler's; of a file its path.
    pub name: String,
    /// The file that says so, relative to the project.
    pub file: String,
    /// What it says, for people.
    pub detail: String,
    /// The plugin that an assembler runs, as it is configured; empty for everything else.
    pub runs: String,
    pub digest: String,
}

/// The parts by their keys, which are what the registry knows them by.
pub(super) type Parts = BTreeMap<String, Part>;

/// All of the parts of one project, and what was seen of its files: what has not changed is not read again.
#[derive(Debug)]
pub(super) struct Acting {
    root: PathBuf,
    layout: ProjectLayout,
    configs: Mutex<Configs>,
    /// Held while files are read, so that each is read once. A panic leaves digests out, never a wrong one in.
    seen: Mutex<Seen>,
}

type Seen = HashMap<PathBuf, (Stamp, String)>;

/// The project's configuration, and the user's, which may name plugins that the project brings.
#[derive(Debug, Default)]
struct Configs {
    own: Written,
    users: Written,
}

/// A configuration as it was in force last.
#[derive(Debug, Default)]
struct Written {
    text: String,
    said: Arc<Said>,
}

/// What of a configuration can act.
#[derive(Debug, Default)]
struct Said {
    parts: Parts,
    /// The paths that assemblers run.
    plugins: Vec<String>,
}

impl Acting {
    pub(super) fn new(root: &Path, layout: &ProjectLayout) -> Self {
        let (root, layout) = (root.to_owned(), layout.clone());
        Self { root, layout, configs: Mutex::default(), seen: Mutex::default() }
    }

    /// What the project's configuration says, and the user's.
    fn said(&self, in_force: &Texts) -> (Arc<Said>, Arc<Said>) {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        let own = configs.own.take(&in_force.own, &config_name());
        (own, configs.users.take(&in_force.user, ""))
    }

    /// The parts as they are now, with this configuration in force: that is what is judged, also where its file says
    /// something else by now that cannot be used. While nothing changes this costs a look at each file, and reads none.
    pub(super) fn parts(&self, in_force: &Texts) -> Result<Parts, ProjectError> {
        let (own, users) = self.said(in_force);
        let mut seen = self.seen();
        let mut parts = own.parts.clone();
        for (kind, path) in self.files(&own, &users)? {
            let digest = self.digest(&mut seen, &path);
            let name = self.shown(&path);
            let (detail, runs) = (String::new(), String::new());
            let part = Part { kind, file: name.clone(), detail, runs, digest, name: name.clone() };
            parts.insert(file_key(&name), part);
        }
        if parts.len() > PARTS_MAX {
            return Err(ProjectError::TooMuchActs { root: self.root.clone(), most: PARTS_MAX });
        }
        Ok(parts)
    }

    /// The files that can act: those that lie where plugins and agent definitions do, and those that a chain names.
    fn files(&self, own: &Said, users: &Said) -> Result<BTreeSet<(TrustKind, PathBuf)>, ProjectError> {
        let mut files = BTreeSet::new();
        // Where the file system tells no capitals, `X.WASM` is found as `x.wasm`.
        let is_wasm = |ending: &OsStr| ending.eq_ignore_ascii_case("wasm");
        let is_plugin = |name: &OsStr| Path::new(name).extension().is_some_and(is_wasm);
        files.extend(self.listed(&self.layout.plugins(), is_plugin)?.into_iter().map(|path| (TrustKind::Plugin, path)));
        // What editors leave there for a moment is no definition. A hidden plugin can be named by a chain.
        let is_definition = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".");
        let agents = self.listed(&self.layout.agents(), is_definition)?;
        files.extend(agents.into_iter().map(|path| (TrustKind::AgentFile, path)));
        let lock = self.layout.plugins_lock();
        if lock.symlink_metadata().is_ok() {
            files.insert((TrustKind::Lock, lock));
        }
        for plugin in own.plugins.iter().chain(&users.plugins) {
            // Where it leads out of the project it is the user's own, or refused by the chain.
            let real = self.layout.root().join(plugin).canonicalize().ok();
            files.extend(real.filter(|real| real.starts_with(&self.root)).map(|real| (TrustKind::Plugin, real)));
        }
        Ok(files)
    }

    /// The files of a folder of the project that have such names.
    fn listed(&self, folder: &Path, wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<PathBuf>, ProjectError> {
        // What lies elsewhere is neither read nor run, not even its names.
        if !folder.canonicalize().is_ok_and(|real| real.starts_with(&self.root)) {
            return Ok(Vec::new());
        }
        let failed = |source| ProjectError::Io { act: "list", path: folder.into(), source };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(failed(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder || !wanted(&name) {
                continue;
            }
            if files.len() == PARTS_MAX {
                return Err(ProjectError::TooMuchActs { root: self.root.clone(), most: PARTS_MAX });
            }
            files.push(entry.path());
        }
        Ok(files)
    }

    /// The digest of a file; of one that is not read, which is then not run either, why that is so.
    fn digest(&self, seen: &mut Seen, path: &Path) -> String {
        let stamp = stamp_of(path);
        if let Some((known, digest)) = seen.get(path)
            && stamp == Some(*known)
        {
            return digest.clone();
        }
        let read_at = SystemTime::now();
        let read = beneath::open(&self.root, path).and_then(|file| {
            let stamp = Stamp::of(&file.metadata()?);
            Ok((stamp, beneath::bytes_of(file, FILE_MAX)?))
        });
        match read {
            Ok((stamp, bytes)) => {
                let digest = sha256(&bytes);
                seen.insert(path.to_owned(), (stamp.trusted(read_at), digest.clone()));
                digest
            }
            Err(refusal) => {
                seen.remove(path);
                // Where a link leads is a part of it.
                let target = std::fs::read_link(path).map(|to| format!(" (to {})", to.display())).unwrap_or_default();
                format!("not read: {refusal}{target}")
            }
        }
    }

    fn shown(&self, path: &Path) -> String {
        let inner = path.strip_prefix(&self.root).unwrap_or(path);
        // Two names that are not UTF-8 must not become one.
        inner.to_str().map_or_else(|| format!("{inner:?}"), str::to_owned)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Written {
    /// What a text says, which is looked through once.
    fn take(&mut self, text: &str, file: &str) -> Arc<Said> {
        if self.text != text {
            // What is in force reads.
            let table: Table = toml::from_str(text).unwrap_or_default();
            self.said = Arc::new(said(&table, file));
            text.clone_into(&mut self.text);
        }
        Arc::clone(&self.said)
    }
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

fn said(config: &Table, file: &str) -> Said {
    let mut said = Said::default();
    let mut add = |kind: TrustKind, key: String, name: &str, value: &Value| {
        let mut text = String::new();
        canonical(value, &mut text);
        let digest = sha256(text.as_bytes());
        let (name, file, detail) = (name.to_owned(), file.to_owned(), shown(value));
        let runs = value.get("plugin").and_then(Value::as_str).filter(|_| kind == TrustKind::Assembler);
        let part = Part { kind, name, file, detail, runs: runs.unwrap_or_default().to_owned(), digest };
        match said.parts.get_mut(&key) {
            // Two of a name are refused later on; until then they are one part.
            Some(known) => known.digest = sha256(format!("{} {}", known.digest, part.digest).as_bytes()),
            None => {
                said.parts.insert(key, part);
            }
        }
    };
    for (name, value) in tables(config.get("agents")) {
        add(TrustKind::Agent, format!("config agents.{name}"), name, value);
    }
    if let Some(value) = config.get("default_agent") {
        let name = value.as_str().unwrap_or_default();
        add(TrustKind::DefaultAgent, "config default_agent".to_owned(), name, value);
    }
    let context = config.get("context").and_then(Value::as_table);
    for (name, value) in tables(context.and_then(|context| context.get("grants"))) {
        add(TrustKind::Grant, grant_key(name), name, value);
    }
    let mut plugins = Vec::new();
    let chain = context.and_then(|context| context.get("assembler")).and_then(Value::as_array);
    for assembler in chain.into_iter().flatten().filter_map(Value::as_table) {
        let text = |key: &str| assembler.get(key).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let plugin = text("plugin").unwrap_or(name);
        if plugin.contains('/') || plugin.ends_with(".wasm") {
            plugins.push(plugin.to_owned());
        }
        // What it is configured with reaches the plugin alone, and whether it runs depends on what was allowed anyhow.
        let mut acts = Table::new();
        acts.insert("plugin".to_owned(), Value::String(plugin.to_owned()));
        acts.extend(assembler.get("grants").map(|grants| ("grants".to_owned(), grants.clone())));
        add(TrustKind::Assembler, assembler_key(name), name, &Value::Table(acts));
    }
    said.plugins = plugins;
    said
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_table).into_iter().flatten()
}

/// The same text for the same value, in whatever order its keys stand.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Table(table) => {
            out.push('{');
            for (key, value) in sorted(table) {
                let _ = write!(out, "{key:?}=");
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

fn sorted(table: &Table) -> Vec<(&String, &Value)> {
    let mut entries: Vec<(&String, &Value)> = table.iter().collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    entries
}

/// A value as its file has it, in one line.
fn shown(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let entries = sorted(table).into_iter().map(|(key, value)| format!("{key} = {value}"));
            entries.collect::<Vec<_>>().join(", ")
        }
        plain => plain.to_string(),
    }
}

fn config_name() -> String {
    format!("{}/config.toml", ProjectLayout::FOLDER)
}

fn assembler_key(name: &str) -> String {
    format!("config context.assembler.{name}")
}

fn grant_key(name: &str) -> String {
    format!("config context.grants.{name}")
}

fn file_key(path: &str) -> String {
    format!("file {path}")
}

/// The keys that say something of the plugin of this name: what it is granted, its file, and the assemblers that run it.
pub(super) fn keys_of_plugin(name: &str, parts: &Parts) -> Vec<String> {
    let file = format!("plugins/{name}.wasm");
    let runs = |part: &Part| !part.runs.is_empty() && (part.runs == name || part.runs.trim_start_matches("./") == file);
    let assemblers = parts.iter().filter(|(_, part)| runs(part)).map(|(key, _)| key.clone());
    let named = [assembler_key(name), grant_key(name), file_key(&format!("{}/{file}", ProjectLayout::FOLDER))];
    named.into_iter().chain(assemblers).collect()
}

/// The key of a file of the project.
pub(super) fn key_of_file(root: &Path, path: &Path) -> Option<String> {
    Some(file_key(path.strip_prefix(root).ok()?.to_str()?))
}

/// What a key stands for, for people.
pub(super) fn described(key: &str) -> String {
    match key.split_once(' ') {
        Some(("config", name)) => format!("{name} in {}", config_name()),
        Some((_, path)) => path.to_owned(),
        None => key.to_owned(),
    }
}

/// The digests of parts, as the registry keeps them.
pub(super) fn digests(parts: &Parts) -> BTreeMap<String, String> {
    parts.iter().map(|(key, part)| (key.clone(), part.digest.clone())).collect()
}

/// One digest for all of them.
pub(super) fn digest_of(parts: &Parts) -> String {
    let mut all = Sha256::new();
    for (key, part) in parts {
        for text in [key, &part.digest] {
            all.update((text.len() as u64).to_le_bytes());
            all.update(text.as_bytes());
        }
    }
    all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::config::ConfigCache;
    use super::*;
    use pu_record::atomic;

    struct World {
        _folder: tempfile::TempDir,
        base: PathBuf,
        acting: Acting,
        config: ConfigCache,
    }

    impl World {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path().canonicalize().unwrap();
            let root = base.join("project");
            std::fs::create_dir_all(root.join(".pu")).unwrap();
            std::fs::create_dir(base.join("home")).unwrap();
            let acting = Acting::new(&root, &ProjectLayout::new(&root));
            let config = ConfigCache::of_project(base.join("home/config.toml"), root.join(".pu/config.toml"), &root);
            let world = Self { _folder: folder, base, acting, config };
            files.iter().for_each(|(path, text)| world.write(path, text));
            world
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.base.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            atomic::write_volatile(&path, text.as_bytes(), 0o600).unwrap();
        }

        fn try_parts(&self) -> Result<Parts, ProjectError> {
            self.acting.parts(&self.config.texts())
        }

        fn parts(&self) -> Parts {
            self.try_parts().unwrap()
        }

        fn keys(&self) -> Vec<String> {
            self.parts().into_keys().collect()
        }

        fn digest(&self) -> String {
            digest_of(&self.parts())
        }
    }

    const CONFIG: &str = "project/.pu/config.toml";
    const ACTS: &str = "default_agent = \"own\"\n[agents.own]\ncommand = \"./run\"\nargs = [\"-c\", \"x\"]\n\
        [context.grants]\nledger = [\"state\"]\n\
        [[context.assembler]]\nname = \"ledger\"\nplugin = \"../tools/ledger.wasm\"\ngrants = [\"history\"]\n";

    #[test]
    fn all_that_can_act_is_a_part_and_nothing_else() {
        let world = World::new(&[
            (CONFIG, ACTS),
            ("project/tools/ledger.wasm", "a"),
            ("project/.pu/plugins/rules.wasm", "b"),
            ("project/.pu/plugins/notes.md", "no plugin"),
            ("project/.pu/plugins/LOUD.WASM", "a Mac finds it as loud.wasm"),
            ("project/.pu/plugins/.hidden.wasm", "a chain can name it"),
            ("project/.pu/agents/own.toml", "c"),
            ("project/.pu/agents/.own.toml.swp", "an editor's"),
            ("project/.pu/plugins.lock", "version = 1\n"),
            ("project/.pu/prompts/fix.md", "a prompt"),
            ("project/.pu/context/map.toml", "a map"),
            ("project/.pu/wasm/users.wasm", "named by the user's chain, found in the project"),
            ("project/specs/a.md", "# A spec"),
            ("home/config.toml", "[[context.assembler]]\nname = \"u\"\nplugin = \"wasm/users.wasm\"\n"),
        ]);
        let expected = [
            "config agents.own",
            "config context.assembler.ledger",
            "config context.grants.ledger",
            "config default_agent",
            "file .pu/agents/own.toml",
            "file .pu/plugins.lock",
            "file .pu/plugins/.hidden.wasm",
            "file .pu/plugins/LOUD.WASM",
            "file .pu/plugins/rules.wasm",
            "file .pu/wasm/users.wasm",
            "file tools/ledger.wasm",
        ];
        assert_eq!(world.keys(), expected);
        let parts = world.parts();
        assert_eq!(parts["config agents.own"].detail, "args = [\"-c\", \"x\"], command = \"./run\"");
        assert_eq!(parts["file .pu/plugins/rules.wasm"].digest, sha256(b"b"));
        assert_eq!(described("config agents.own"), "agents.own in .pu/config.toml");
        assert_eq!(described("file .pu/plugins/rules.wasm"), ".pu/plugins/rules.wasm");
    }

    #[test]
    fn what_changes_a_command_or_a_plugin_changes_the_digest_and_what_does_not_does_not() {
        let world = World::new(&[(CONFIG, ACTS), ("project/.pu/plugins/rules.wasm", "b")]);
        let mut before = world.digest();
        assert_eq!(world.digest(), before);
        let config = |text: &str| format!("# a comment\n[terminal]\nrows = 30\n{text}\n[specs]\nfolders = [\"x\"]\n");
        let orders =
            ACTS.replace("command = \"./run\"\nargs = [\"-c\", \"x\"]", "args = [\"-c\", \"x\"]\ncommand = \"./run\"");
        for text in [orders.as_str(), &format!("{ACTS}config = {{ areas = [1] }}\n")] {
            world.write(CONFIG, text);
            assert_eq!(world.digest(), before, "{text}");
        }
        world.write("project/specs/a.md", "# Another spec");
        world.write(CONFIG, &config(&ACTS.replacen("default_agent = \"own\"\n", "", 1)));
        assert_ne!(world.digest(), before, "the default agent is gone");
        for (path, text) in [
            (CONFIG, ACTS.replace("./run", "./steal")),
            (CONFIG, ACTS.replace("\"history\"", "\"history\", \"state\"")),
            (CONFIG, ACTS.replace("[\"state\"]", "[\"history\"]")),
            (CONFIG, ACTS.replace("../tools/ledger.wasm", "keyword")),
            ("project/.pu/plugins/rules.wasm", "c".to_owned()),
            ("project/.pu/plugins/more.wasm", "d".to_owned()),
            ("project/.pu/plugins.lock", "version = 1\n".to_owned()),
        ] {
            world.write(path, &text);
            let after = world.digest();
            assert_ne!(after, before, "{path}: {text}");
            before = after;
        }
    }

    /// A file of the same length, written within the same tick of the clock, is no other file by its stamp alone.
    #[test]
    fn a_quick_change_is_seen() {
        let world = World::new(&[]);
        let path = world.base.join("project/.pu/plugins/p.wasm");
        world.write("project/.pu/plugins/p.wasm", "0");
        for round in 0..200_u32 {
            let text = [b'0' + u8::try_from(round % 10).unwrap()];
            std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &text).unwrap();
            assert_eq!(world.parts()["file .pu/plugins/p.wasm"].digest, sha256(&text), "{round}");
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_used_stays_what_it_was() {
        let world = World::new(&[(CONFIG, ACTS)]);
        let before = world.keys();
        for text in ["[agents", &"#".repeat(2 << 20), "no_such_key = 1\n[agents.other]\ncommand = \"x\"\n"] {
            world.write(CONFIG, text);
            assert_eq!(world.keys(), before);
        }
        std::fs::remove_file(world.base.join(CONFIG)).unwrap();
        assert!(world.keys().is_empty());
        assert!(World::new(&[(CONFIG, "[agents")]).keys().is_empty(), "nothing of it is in force");
    }

    /// What was read by somebody while nobody looked at the parts is in force still when its file is faulty, whatever the file
    /// says then.
    #[test]
    fn what_came_into_force_is_judged_even_if_its_file_is_faulty_later() {
        let world = World::new(&[(CONFIG, ACTS)]);
        let before = world.digest();
        world.write(CONFIG, &ACTS.replace("./run", "./steal"));
        world.config.current().unwrap();
        for text in ["[agents", &format!("no_such_key = 1\n{ACTS}")] {
            world.write(CONFIG, text);
            assert_ne!(world.digest(), before, "{text}");
        }
        world.write(CONFIG, ACTS);
        assert_eq!(world.digest(), before);
    }

    #[test]
    fn what_leads_out_is_not_read_and_what_it_leads_to_counts() {
        let world = World::new(&[("outside/x.wasm", "secret"), ("outside/more/y.wasm", "secret")]);
        let plugins = world.base.join("project/.pu/plugins");
        std::fs::create_dir(&plugins).unwrap();
        let link = |to: &str| {
            let _ = std::fs::remove_file(plugins.join("x.wasm"));
            std::os::unix::fs::symlink(to, plugins.join("x.wasm")).unwrap();
            world.parts()["file .pu/plugins/x.wasm"].digest.clone()
        };
        let first = link("../../../outside/x.wasm");
        assert!(first.starts_with("not read: it leads out of the project"), "{first}");
        assert_ne!(link("/dev/zero"), first);
        std::fs::remove_dir_all(&plugins).unwrap();
        std::os::unix::fs::symlink("../../outside/more", &plugins).unwrap();
        assert!(world.keys().is_empty(), "not even the names of what lies there are listed");
    }

    #[test]
    fn a_pipe_is_not_waited_for_and_too_many_parts_are_refused() {
        let world = World::new(&[("project/.pu/plugins/a.wasm", "a")]);
        let pipe = world.base.join("project/.pu/plugins/pipe.wasm");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let parts = world.parts();
        assert_eq!(parts["file .pu/plugins/pipe.wasm"].digest, "not read: not a regular file");
        let many: String = (0..=PARTS_MAX).map(|number| format!("[agents.a{number}]\ncommand = \"x\"\n")).collect();
        world.write(CONFIG, &many);
        assert!(matches!(world.try_parts(), Err(ProjectError::TooMuchActs { .. })));
    }
}
