//! Reads configuration files and merges them: the project's keys win over the user's, tables merge, all else is replaced.
//!
//! Each file is checked by itself first, so that an error names the file and the line it stands in. Only regular files are
//! opened, nothing is waited for, and no link is followed out of a project. Nothing is kept here.

use super::Config;
use super::fault::{self, Fault, dotted};
use super::place::{Found, Outline};
use crate::agents::{AgentsError, Definitions};
use crate::beneath::{self, Refusal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::{Table, Value};

/// The longest configuration file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// Keys that only the user's file may have: what a repository brings must not say where the user's projects are.
const USER_ONLY: [&str; 1] = ["discovery"];

/// A place where a configuration may lie.
#[derive(Debug, Clone)]
pub(in crate::projects) struct ConfigFile {
    path: PathBuf,
    /// Of a project's file: the real path of its root, out of which no link may lead.
    root: Option<PathBuf>,
}

/// What the files say together.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: Arc<Config>,
    /// The one that wins is the last.
    pub(super) sources: Vec<Source>,
}

/// A file as it was read; a text without anything where there is none.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) file: ConfigFile,
    pub(super) text: String,
}

impl ConfigFile {
    pub(in crate::projects) fn of_user(path: PathBuf) -> Self {
        Self { path, root: None }
    }

    pub(in crate::projects) fn of_project(path: PathBuf, root: &Path) -> Self {
        Self { path, root: Some(root.to_owned()) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_users(&self) -> bool {
        self.root.is_none()
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::Invalid { path: self.path.clone(), message: message.into() }
    }

    /// The text; empty where there is no file.
    pub(super) fn text(&self) -> Result<String, Fault> {
        let bytes = self.bytes()?;
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            self.fault(format!("line {line}: is not UTF-8"))
        })
    }

    fn bytes(&self) -> Result<Vec<u8>, Fault> {
        // The user's own may lie anywhere.
        let root = self.root.as_deref().unwrap_or(Path::new("/"));
        let refusal = match beneath::read(root, &self.path, FILE_MAX) {
            Ok(bytes) => return Ok(bytes),
            Err(refusal) => refusal,
        };
        match refusal {
            // A link that leads nowhere was meant to lead somewhere.
            missing if missing.is_missing() && !self.path.is_symlink() => Ok(Vec::new()),
            Refusal::Outside => {
                let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
                Err(Fault::Outside { path: self.path.clone(), real })
            }
            Refusal::NotRegular => Err(self.fault("is no regular file")),
            Refusal::TooLarge { .. } => Err(self.fault(format!("is over {FILE_MAX} bytes long"))),
            other => Err(self.fault(format!("cannot be read: {other}"))),
        }
    }

    fn table(&self, text: &str) -> Result<Table, Fault> {
        let failed = |error: toml::de::Error| self.fault(fault::told(text, &error));
        let table: Table = toml::from_str(text).map_err(failed)?;
        if !self.is_users()
            && let Some(key) = USER_ONLY.into_iter().find(|key| table.contains_key(*key))
        {
            let line = Outline::of(text).line_of_top(key).unwrap_or(1);
            let message = format!("line {line}: `{key}` can stand only in the config.toml of your PurePoint home");
            return Err(self.fault(message));
        }
        toml::from_str::<Config>(text).map_err(failed)?;
        Ok(table)
    }
}

/// What these files say together; the last one wins.
pub(super) fn load(files: &[ConfigFile]) -> Result<Loaded, Fault> {
    let (mut merged, mut sources) = (Table::new(), Vec::new());
    for file in files {
        let text = file.text()?;
        merge(&mut merged, file.table(&text)?);
        sources.push(Source { file: file.clone(), text });
    }
    let config: Result<Config, toml::de::Error> = merged.try_into();
    // What reads file by file reads merged.
    let config = config.map_err(|error| unfit(&sources, &[], error.message()))?;
    check(&config, &sources)?;
    Ok(Loaded { config: Arc::new(config), sources })
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// What the types do not rule out, and what only both files together say.
fn check(config: &Config, sources: &[Source]) -> Result<(), Fault> {
    if let Err(found) = config.context.check() {
        let path: Vec<String> = std::iter::once("context".to_owned()).chain(found.path).collect();
        return Err(unfit(sources, &path, &found.message));
    }
    let definitions = Definitions::built_in().and_then(|built_in| built_in.with(&config.agents));
    match definitions {
        Err(AgentsError::InvalidDefinition { key, reason }) => {
            // An agent may have dots in its name.
            let inner = key.strip_prefix("agents.").and_then(|inner| inner.rsplit_once('.'));
            let path = inner.map_or_else(Vec::new, |(name, key)| ["agents", name, key].map(str::to_owned).to_vec());
            Err(unfit(sources, &path, &format!("`{}` {reason}", dotted(&path))))
        }
        // Whatever else it may be is not the files' fault.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A fault of the file that says what is at this path, or what is nearest above it.
fn unfit(sources: &[Source], path: &[String], message: &str) -> Fault {
    for length in (1..=path.len()).rev() {
        for source in sources.iter().rev() {
            if let Found::Here(line) = Outline::of(&source.text).find(&path[..length]) {
                return source.file.fault(format!("line {line}: {message}"));
            }
        }
    }
    let path = sources.last().map(|source| source.file.path.clone()).unwrap_or_default();
    Fault::Invalid { path, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A project with its file, and a user's file.
    struct World {
        _folder: tempfile::TempDir,
        base: PathBuf,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path().canonicalize().unwrap();
            std::fs::create_dir_all(base.join("root/.pu")).unwrap();
            Self { _folder: folder, base }
        }

        fn project(&self) -> ConfigFile {
            ConfigFile::of_project(self.base.join("root/.pu/config.toml"), &self.base.join("root"))
        }

        fn user(&self) -> ConfigFile {
            ConfigFile::of_user(self.base.join("user.toml"))
        }

        fn load(&self) -> Result<Loaded, Fault> {
            load(&[self.user(), self.project()])
        }

        /// What is wrong with a project whose file this is.
        fn fault(&self, bytes: &[u8]) -> String {
            write(self.project().path(), bytes);
            self.load().unwrap_err().to_string()
        }
    }

    fn write(path: &Path, bytes: &[u8]) {
        pu_record::atomic::write_atomic(path, bytes, 0o600).unwrap();
    }

    #[test]
    fn the_project_wins_key_by_key_and_lists_are_replaced() {
        let world = World::new();
        assert_eq!(world.load().unwrap().config.terminal.cols, 200, "without any file the defaults hold");
        write(
            world.user().path(),
            b"default_agent = \"codex\"\n[terminal]\ncols = 100\nrows = 40\n[specs]\nfolders = [\"a\", \"b\"]\n",
        );
        write(world.project().path(), b"[terminal]\nrows = 24\n[specs]\nfolders = [\"c\"]\n");
        let config = world.load().unwrap().config;
        assert_eq!(config.default_agent.as_deref(), Some("codex"));
        assert_eq!((config.terminal.cols, config.terminal.rows), (100, 24));
        assert_eq!(config.specs.folders, ["c"]);
    }

    #[test]
    fn an_error_names_the_file_the_line_and_the_key() {
        let world = World::new();
        let said = world.fault(b"\n[terminal]\nrowz = 3\n");
        for part in [world.project().path().to_str().unwrap(), "line 3", "terminal.rowz", "terminal.rows"] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
    }

    #[test]
    fn what_only_the_user_may_set_is_refused_in_a_project() {
        let world = World::new();
        for text in ["[terminal]\n[discovery]\nroots = [\"/\"]\n", "\ndiscovery.depth = 3\n"] {
            let said = world.fault(text.as_bytes());
            assert!(said.contains("config.toml: line 2: `discovery` can stand only in"), "{said}");
        }
    }

    /// Under another name than that of a setting it would keep nobody out.
    #[test]
    fn what_only_the_user_may_set_is_a_setting() {
        let keys = super::super::values::fixed_keys();
        for key in USER_ONLY {
            assert!(keys.iter().any(|path| path[0] == key), "{key}");
        }
    }

    #[test]
    fn values_that_cannot_be_meant_are_told_with_file_and_line() {
        let world = World::new();
        for (text, part) in [
            ("[context]\nmin_score = 1.5\n", "line 2: min_score is 1.5"),
            ("[[context.assembler]]\nname = \"a\"\n[[context.assembler]]\nname = \"a\"\n", "line 4: two assemblers"),
            ("[agents.mine]\nargument_limit = 0\n", "line 2: `agents.mine.argument_limit` must be more than 0"),
            ("\n[agents.\"m.e\"]\ndelivery = \"system\"\n", "line 3: `agents.\"m.e\".delivery` `system` needs"),
        ] {
            let said = world.fault(text.as_bytes());
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        // It is the user's file that is wrong here, and it is named.
        write(world.user().path(), b"[context]\nnear_best = 2.0\n");
        let said = world.fault(b"[terminal]\nrows = 3\n");
        assert!(said.contains("user.toml: line 2: near_best"), "{said}");
        write(world.project().path(), b"[context]\nnear_best = 0.5\n");
        assert!(world.load().is_ok(), "what the project replaces does not count");
    }

    #[test]
    fn whatever_lies_there_is_an_error_and_never_waited_for() {
        let world = World::new();
        let path = world.project().path().to_owned();
        let long = vec![b'#'; 10 << 20];
        assert!(world.fault(&long).ends_with("is over 1048576 bytes long"));
        assert!(world.fault(b"# a\n# \xff\n").ends_with("line 2: is not UTF-8"));
        for nested in ["a.".repeat(400_000), "[".repeat(500_000), format!("a = {}", "[".repeat(500_000))] {
            assert!(world.fault(nested.as_bytes()).len() < 1000);
        }
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(world.load().unwrap_err().to_string().ends_with("is no regular file"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(world.load().unwrap_err().to_string().ends_with("is no regular file"));
        std::fs::remove_dir(&path).unwrap();
        for target in ["config.toml", "nowhere.toml"] {
            symlink(target, &path).unwrap();
            assert!(world.load().unwrap_err().to_string().contains("cannot be read"), "{target}");
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_link_may_lead_about_a_project_and_not_out_of_it() {
        let world = World::new();
        let path = world.project().path().to_owned();
        let (inside, outside) = (world.base.join("root/shared.toml"), world.base.join("outside.toml"));
        for file in [&inside, &outside] {
            write(file, b"[terminal]\nrows = 7\n");
        }
        symlink("../shared.toml", &path).unwrap();
        assert_eq!(world.load().unwrap().config.terminal.rows, 7);
        std::fs::remove_file(&path).unwrap();
        symlink(&outside, &path).unwrap();
        assert_eq!(world.load().unwrap_err(), Fault::Outside { path, real: outside.clone() });
        // The user's own file may lie wherever they like.
        symlink(&outside, world.user().path()).unwrap();
        assert_eq!(load(&[world.user()]).unwrap().config.terminal.rows, 7);
    }
}
