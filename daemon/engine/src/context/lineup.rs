//! Which plugins run for a project, and in which order: the configured ones, or else the bundled ones and then those that
//! lie in the plugin folders.
//!
//! It looks at names and folders and opens no plugin.
//!
//! Invariant: a file in the line-up lies, with links resolved, in the project or in the user's PurePoint home.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::config::{AssemblerConfig, ContextConfig};
use super::error::ContextError;

/// The bundled assemblers that run where nothing is configured. What reads labels is the last of them, so that the others
/// need not wait for it.
const DEFAULT: [&str; 4] = ["classify", "tags", "keyword", "context-map"];

/// Where plugins of a project may lie.
#[derive(Debug, Clone)]
pub(super) struct Folders<'a> {
    /// No plugin of the project's configuration lies outside.
    pub project_root: &'a Path,
    /// What the project's paths are relative to: `.pu/`.
    pub project: &'a Path,
    /// `.pu/plugins/`.
    pub project_plugins: &'a Path,
    /// `PU_HOME`.
    pub home: &'a Path,
    /// `PU_HOME/plugins/`.
    pub home_plugins: &'a Path,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub config: AssemblerConfig,
    pub plugin: PluginFile,
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PluginFile {
    Bundled(String),
    /// With links resolved.
    At(PathBuf),
    /// No such file; the path as the user wrote it.
    Missing(String),
    /// A link in a plugin folder that leads out: it is not followed.
    Outside(PathBuf),
}

/// The chain of a project. Assemblers that are switched off are not in it; where a request names those that it wants, it
/// is these, in the chain's order.
pub(super) fn line_up(config: &ContextConfig, folders: &Folders<'_>) -> Result<Vec<Link>, ContextError> {
    let Some(only) = &config.only else { return links(config, folders, |config| config.enabled) };
    let mut chain = whole_line_up(config, folders)?;
    if let Some(name) = only.iter().find(|name| chain.iter().all(|link| link.config.name != **name)) {
        let known = chain.into_iter().map(|link| link.config.name).collect();
        return Err(ContextError::PluginNotFound { name: name.clone(), root: folders.project_root.to_owned(), known });
    }
    chain.retain(|link| only.contains(&link.config.name));
    Ok(chain)
}

/// The chain with those that are switched off.
pub(super) fn whole_line_up(config: &ContextConfig, folders: &Folders<'_>) -> Result<Vec<Link>, ContextError> {
    links(config, folders, |_| true)
}

fn links(
    config: &ContextConfig,
    folders: &Folders<'_>,
    wanted: impl Fn(&AssemblerConfig) -> bool,
) -> Result<Vec<Link>, ContextError> {
    let Some(configured) = &config.assemblers else {
        let mut chain = default_chain(folders)?;
        chain.iter_mut().for_each(|link| link.config = config.in_force(&link.config));
        chain.retain(|link| wanted(&link.config));
        return Ok(chain);
    };
    let link = |config: AssemblerConfig| plugin_file(&config, folders).map(|plugin| Link { config, plugin });
    configured.iter().map(|assembler| config.in_force(assembler)).filter(wanted).map(link).collect()
}

/// Whether what is configured as a plugin is the path of a file, not a name.
pub(super) fn is_path(plugin: &str) -> bool {
    plugin.contains('/') || plugin.ends_with(".wasm")
}

/// The bundled ones, then whatever name the folders have a plugin for; a file that has two names runs once.
pub(super) fn default_chain(folders: &Folders<'_>) -> Result<Vec<Link>, ContextError> {
    let mut names = DEFAULT.map(str::to_owned).to_vec();
    for folder in [folders.project_plugins, folders.home_plugins] {
        for path in wasm_files(folder)? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let mut known: BTreeSet<PathBuf> = BTreeSet::new();
    let mut links = Vec::new();
    for name in names {
        let plugin = named(&name, folders);
        if let PluginFile::At(path) = &plugin
            && !known.insert(path.clone())
        {
            continue;
        }
        links.push(Link { config: AssemblerConfig::plain(name), plugin });
    }
    Ok(links)
}

fn plugin_file(config: &AssemblerConfig, folders: &Folders<'_>) -> Result<PluginFile, ContextError> {
    let plugin = config.plugin();
    if !is_path(plugin) {
        return Ok(named(plugin, folders));
    }
    for base in [folders.project, folders.home] {
        // An absolute path replaces the base and is then judged by where it leads.
        if let Ok(real) = base.join(plugin).canonicalize() {
            if inside(&real, folders) {
                return Ok(PluginFile::At(real));
            }
            let (name, plugin) = (config.name.clone(), plugin.to_owned());
            return Err(ContextError::PluginOutside { name, plugin, root: folders.project_root.to_path_buf() });
        }
    }
    Ok(PluginFile::Missing(plugin.to_owned()))
}

/// What a name stands for: the project's plugin of that name, else the user's, else the bundled one. So a file replaces
/// a bundled plugin.
fn named(name: &str, folders: &Folders<'_>) -> PluginFile {
    for folder in [folders.project_plugins, folders.home_plugins] {
        let path = folder.join(format!("{name}.wasm"));
        if let Ok(real) = path.canonicalize()
            && real.is_file()
        {
            return if inside(&real, folders) { PluginFile::At(real) } else { PluginFile::Outside(path) };
        }
    }
    PluginFile::Bundled(name.to_owned())
}

pub(super) fn inside(real: &Path, folders: &Folders<'_>) -> bool {
    [folders.project_root, folders.home].iter().any(|base| base.canonicalize().is_ok_and(|base| real.starts_with(base)))
}

/// The plugins of a folder in the order of their names; none if there is no such folder.
fn wasm_files(folder: &Path) -> Result<Vec<PathBuf>, ContextError> {
    let failed = |source| ContextError::Io { act: "list the plugins in", path: folder.into(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|e| e == "wasm") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct World {
        folder: tempfile::TempDir,
    }

    impl World {
        fn new(files: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for file in files.iter().chain(&["project/.pu/config.toml", "home/config.toml"]) {
                let path = folder.path().join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::File::create(path).unwrap();
            }
            Self { folder }
        }

        fn line_up(&self, config: &str) -> Result<Vec<(String, String)>, ContextError> {
            self.line_up_of(&toml::from_str(config).unwrap())
        }

        fn line_up_of(&self, config: &ContextConfig) -> Result<Vec<(String, String)>, ContextError> {
            let path = |p: &str| self.folder.path().join(p);
            let folders = Folders {
                project_root: &path("project"),
                project: &path("project/.pu"),
                project_plugins: &path("project/.pu/plugins"),
                home: &path("home"),
                home_plugins: &path("home/plugins"),
            };
            let base = self.folder.path().canonicalize().unwrap();
            let shown = |plugin| match plugin {
                PluginFile::Bundled(name) => format!("bundled {name}"),
                PluginFile::Missing(name) => format!("missing {name}"),
                PluginFile::Outside(path) => format!("outside {}", path.display()),
                PluginFile::At(path) => path.strip_prefix(&base).unwrap().display().to_string(),
            };
            Ok(line_up(config, &folders)?.into_iter().map(|l| (l.config.name, shown(l.plugin))).collect())
        }
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    /// The bundled ones, then these.
    fn default_and(further: &[(&str, &str)]) -> Vec<(String, String)> {
        let bundled = DEFAULT.iter().map(|name| ((*name).to_owned(), format!("bundled {name}")));
        bundled.chain(pairs(further)).collect()
    }

    const FILES: [&str; 6] = [
        "project/.pu/plugins/b.wasm",
        "project/.pu/plugins/a.wasm",
        "project/.pu/plugins/.c.wasm",
        "project/.pu/plugins/notes.md",
        "home/plugins/a.wasm",
        "home/plugins/c.wasm",
    ];

    #[test]
    fn without_configuration_the_bundled_ones_run_and_then_the_folders_in_the_order_of_names() {
        let expected =
            [("a", "project/.pu/plugins/a.wasm"), ("b", "project/.pu/plugins/b.wasm"), ("c", "home/plugins/c.wasm")];
        assert_eq!(World::new(&FILES).line_up("").unwrap(), default_and(&expected));
        assert_eq!(World::new(&[]).line_up("").unwrap(), default_and(&[]));
    }

    #[test]
    fn where_a_chain_is_configured_nothing_else_runs() {
        let world = World::new(&FILES);
        let config = "[[assembler]]\nname = \"bee\"\nplugin = \"plugins/b.wasm\"\n\
             [[assembler]]\nname = \"keyword\"\n\
             [[assembler]]\nname = \"off\"\nplugin = \"plugins/a.wasm\"\nenabled = false\n\
             [[assembler]]\nname = \"none\"\nplugin = \"plugins/none.wasm\"\n";
        let expected = [
            ("bee", "project/.pu/plugins/b.wasm"),
            ("keyword", "bundled keyword"),
            ("none", "missing plugins/none.wasm"),
        ];
        assert_eq!(world.line_up(config).unwrap(), pairs(&expected));
    }

    #[test]
    fn what_is_disabled_by_name_does_not_run_wherever_the_chain_comes_from() {
        let world = World::new(&FILES);
        let expected = [("b", "project/.pu/plugins/b.wasm")];
        assert_eq!(world.line_up("disabled = [\"a\", \"c\", \"none\"]\n").unwrap(), default_and(&expected));
        let without = world.line_up("disabled = [\"tags\"]\n").unwrap();
        assert!(without.iter().all(|(name, _)| name != "tags"), "{without:?}");
        let config = "disabled = [\"keyword\"]\n[[assembler]]\nname = \"keyword\"\n[[assembler]]\nname = \"b\"\n";
        assert_eq!(world.line_up(config).unwrap(), pairs(&expected));
    }

    #[test]
    fn a_request_names_those_that_run_and_an_unknown_one_is_refused() {
        let world = World::new(&FILES);
        let line_up = |config: &str, only: &[&str]| {
            let mut config: ContextConfig = toml::from_str(config).unwrap();
            config.only = Some(only.iter().map(|name| (*name).to_owned()).collect());
            world.line_up_of(&config)
        };
        let both = pairs(&[("keyword", "bundled keyword"), ("b", "project/.pu/plugins/b.wasm")]);
        assert_eq!(line_up("", &["b", "keyword"]).unwrap(), both, "the chain's order");
        assert_eq!(line_up("disabled = [\"b\"]\n", &["b"]).unwrap(), both[1..], "switched off or not");
        assert_eq!(line_up("", &[]).unwrap(), []);
        let error = line_up("", &["b", "x"]).unwrap_err();
        let ContextError::PluginNotFound { name, known, .. } = error else { panic!("{error}") };
        let all: Vec<&str> = DEFAULT.into_iter().chain(["a", "b", "c"]).collect();
        assert_eq!((name.as_str(), known), ("x", all.into_iter().map(str::to_owned).collect::<Vec<_>>()));
    }

    #[test]
    fn a_name_is_looked_up_in_the_project_then_in_the_home_then_among_the_bundled_ones() {
        let world = World::new(&FILES);
        let config = "[[assembler]]\nname = \"a\"\n[[assembler]]\nname = \"c\"\n\
             [[assembler]]\nname = \"other\"\nplugin = \"b\"\n[[assembler]]\nname = \"keyword\"\n";
        let expected = [
            ("a", "project/.pu/plugins/a.wasm"),
            ("c", "home/plugins/c.wasm"),
            ("other", "project/.pu/plugins/b.wasm"),
            ("keyword", "bundled keyword"),
        ];
        assert_eq!(world.line_up(config).unwrap(), pairs(&expected));
    }

    #[test]
    fn a_file_with_a_bundled_plugin_s_name_runs_in_its_place_and_once() {
        for file in ["project/.pu/plugins/keyword.wasm", "home/plugins/keyword.wasm"] {
            let world = World::new(&[file]);
            let expected = pairs(&[("keyword", file)]);
            let found = world.line_up("").unwrap();
            assert_eq!((found.len(), &found[2..3]), (DEFAULT.len(), &expected[..]));
            assert_eq!(world.line_up("[[assembler]]\nname = \"keyword\"\n").unwrap(), expected);
        }
    }

    #[test]
    fn a_file_with_two_names_runs_once() {
        let world = World::new(&["project/.pu/plugins/a.wasm"]);
        std::os::unix::fs::symlink("a.wasm", world.folder.path().join("project/.pu/plugins/b.wasm")).unwrap();
        let expected = [("a", "project/.pu/plugins/a.wasm")];
        assert_eq!(world.line_up("").unwrap(), default_and(&expected));
    }

    #[test]
    fn a_file_that_only_the_home_has_is_found_there_and_an_empty_chain_is_empty() {
        let world = World::new(&["home/tools/x.wasm", "project/wasm/y.wasm"]);
        let config = "[[assembler]]\nname = \"x\"\nplugin = \"tools/x.wasm\"\n\
                      [[assembler]]\nname = \"y\"\nplugin = \"../wasm/y.wasm\"\n";
        assert_eq!(world.line_up(config).unwrap(), pairs(&[("x", "home/tools/x.wasm"), ("y", "project/wasm/y.wasm")]));
        assert_eq!(world.line_up("assembler = []").unwrap(), []);
    }

    #[test]
    fn no_path_and_no_link_leads_out() {
        let world = World::new(&["outside/x.wasm", "project/.pu/plugins/a.wasm"]);
        let absolute = world.folder.path().join("outside/x.wasm");
        for plugin in ["../../outside/x.wasm", absolute.to_str().unwrap()] {
            let config = format!("[[assembler]]\nname = \"x\"\nplugin = \"{plugin}\"\n");
            let error = world.line_up(&config).unwrap_err();
            assert!(matches!(&error, ContextError::PluginOutside { name, .. } if name == "x"), "{error}");
            assert_eq!(error.body().code, pu_protocol::ErrorCode::PathOutsideProject);
        }
        std::os::unix::fs::symlink(&absolute, world.folder.path().join("project/.pu/plugins/link.wasm")).unwrap();
        for config in ["", "[[assembler]]\nname = \"link\"\n"] {
            let found = world.line_up(config).unwrap();
            assert!(found.iter().any(|(name, plugin)| name == "link" && plugin.starts_with("outside ")), "{found:?}");
        }
    }
}
