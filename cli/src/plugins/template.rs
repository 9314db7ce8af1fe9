//! The projects that `pu plugin new` writes: one example, in each language.
//!
//! Pure: which files there are and what is in them. The texts themselves are in `cli/templates/plugin`.

use super::language::Language;
use std::path::Path;

/// A file of a new project: its path there, and its text before names are put in.
type Source = (&'static str, &'static str);

/// The contract, as it stands in the SDK.
const WIT: &str = include_str!("../../../plugin-sdk/wit/context.wit");

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../templates/plugin/", $path))
    };
}

const COMMON: &[Source] = &[
    ("README.md", template!("common/README.md")),
    ("specs/ledger.md", template!("common/ledger.md")),
    ("specs/login.md", template!("common/login.md")),
];

const RUST: &[Source] = &[
    ("Cargo.toml", template!("rust/Cargo.toml.in")),
    ("src/lib.rs", template!("rust/lib.rs.in")),
    ("tests/picks.rs", template!("rust/picks.rs.in")),
    ("manifest.json", template!("common/manifest.json")),
    ("golden.toml", template!("common/golden.toml")),
    (".gitignore", template!("rust/gitignore")),
    (".github/workflows/plugin.yml", template!("rust/plugin.yml")),
];

const JS: &[Source] = &[
    ("package.json", template!("js/package.json")),
    ("plugin.js", template!("js/plugin.js")),
    ("manifest.json", template!("common/manifest.json")),
    ("golden.toml", template!("common/golden.toml")),
    (".gitignore", template!("js/gitignore")),
    (".github/workflows/plugin.yml", template!("js/plugin.yml")),
];

const PYTHON: &[Source] = &[
    ("requirements.txt", template!("python/requirements.txt")),
    ("plugin.py", template!("python/plugin.py")),
    ("manifest.json", template!("common/manifest.json")),
    ("golden.toml", template!("common/golden.toml")),
    (".gitignore", template!("python/gitignore")),
    (".github/workflows/plugin.yml", template!("python/plugin.yml")),
];

/// Without a parser of JSON at hand, the plugin in C has no configuration.
const C: &[Source] = &[
    ("requirements.txt", template!("c/requirements.txt")),
    ("plugin.c", template!("c/plugin.c")),
    ("manifest.json", template!("c/manifest.json")),
    ("golden.toml", template!("c/golden.toml")),
    (".gitignore", template!("c/gitignore")),
    (".github/workflows/plugin.yml", template!("c/plugin.yml")),
];

/// A file of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// Relative to the project.
    pub(crate) path: &'static str,
    pub(crate) text: String,
}

/// The files of a new plugin. `sdk` is where a checkout of the Rust SDK lies; without it the registry's is taken.
pub(crate) fn files(language: Language, name: &str, sdk: Option<&Path>) -> Vec<File> {
    let own = match language {
        Language::Rust => RUST,
        Language::Js => JS,
        Language::Python => PYTHON,
        Language::C => C,
    };
    let values = Values::of(language, name, sdk);
    let filled = own.iter().chain(COMMON).map(|&(path, text)| File { path, text: values.fill(text) });
    filled.chain([File { path: "wit/context.wit", text: WIT.to_owned() }]).collect()
}

/// What has to be installed before the first build, as commands.
pub(crate) fn setup(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &["rustup target add wasm32-unknown-unknown"],
        Language::Js => &["npm install"],
        Language::Python => &["python3 -m venv .venv", ".venv/bin/pip install -r requirements.txt"],
        Language::C => &[
            "python3 -m venv .venv",
            ".venv/bin/pip install -r requirements.txt",
            "cargo install --locked wit-bindgen-cli@0.61.0",
        ],
    }
}

/// What is put in for `@key@`.
struct Values(Vec<(&'static str, String)>);

impl Values {
    fn of(language: Language, name: &str, sdk: Option<&Path>) -> Self {
        let sdk = match sdk {
            // A JSON string is a TOML string too.
            Some(path) => format!("{{ path = {} }}", serde_json::Value::from(path.to_string_lossy())),
            None => format!("{{ version = \"{SDK_VERSION}\" }}"),
        };
        let (source, deadline) = match language {
            Language::Rust => ("src/lib.rs", 50),
            Language::Js => ("plugin.js", 250),
            Language::Python => ("plugin.py", 250),
            Language::C => ("plugin.c", 50),
        };
        Self(vec![
            ("@name@", name.to_owned()),
            ("@crate@", name.replace('-', "_")),
            ("@sdk@", sdk),
            ("@source@", source.to_owned()),
            ("@deadline_ms@", deadline.to_string()),
            ("@setup@", setup(language).join("\n")),
        ])
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (key, value)| text.replace(key, value))
    }
}

const SDK_VERSION: &str = "0.1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::golden::Golden;
    use serde_json::{Value, json};

    const ALL: [Language; 4] = [Language::Rust, Language::Js, Language::Python, Language::C];

    fn text(language: Language, path: &str) -> String {
        let found = files(language, "my-plugin", None).into_iter().find(|file| file.path == path);
        found.unwrap_or_else(|| panic!("{language:?} has no {path}")).text
    }

    #[test]
    fn manifests_and_golden_tasks_can_be_read() {
        for language in ALL {
            let manifest: Value = serde_json::from_str(&text(language, "manifest.json")).unwrap();
            assert_eq!((&manifest["name"], &manifest["contract"]), (&json!("my-plugin"), &json!("0.1.1")));
            assert!(manifest["limits"]["deadline_ms"].is_u64(), "{language:?}");
            let golden = Golden::parse(&text(language, "golden.toml")).unwrap();
            assert!(golden.tasks.len() >= 2 && golden.specs.is_some(), "{language:?}");
        }
    }

    #[test]
    fn every_project_is_told_by_its_mark_and_has_the_contract() {
        for (language, mark) in Language::MARKS {
            let paths: Vec<&str> = files(language, "x", None).iter().map(|file| file.path).collect();
            let rest =
                ["wit/context.wit", "README.md", "specs/ledger.md", ".gitignore", ".github/workflows/plugin.yml"];
            for wanted in rest.into_iter().chain([mark]) {
                assert!(paths.contains(&wanted), "{language:?} has no {wanted}");
            }
            let others = Language::MARKS.iter().filter(|(other, _)| *other != language);
            for (_, other) in others {
                assert!(!paths.contains(other), "{language:?} looks like another language: {other}");
            }
        }
        assert!(text(Language::C, "wit/context.wit").contains("package purepoint:context@"));
    }

    #[test]
    fn no_blank_is_left_unfilled() {
        let keys: Vec<&str> = Values::of(Language::Rust, "x", None).0.iter().map(|(key, _)| *key).collect();
        for language in ALL {
            for file in files(language, "my-plugin", None) {
                assert!(keys.iter().all(|key| !file.text.contains(key)), "{language:?} {}", file.path);
            }
        }
    }

    #[test]
    fn the_sdk_comes_from_the_registry_or_from_a_checkout() {
        let cargo = |sdk: Option<&Path>| {
            let all = files(Language::Rust, "my-plugin", sdk);
            let text = all.iter().find(|file| file.path == "Cargo.toml").unwrap().text.clone();
            text.parse::<toml_edit::DocumentMut>().unwrap()
        };
        assert_eq!(cargo(None)["dependencies"]["pu-plugin-sdk"]["version"].as_str(), Some(SDK_VERSION));
        let checkout = cargo(Some(Path::new("/work/a \"b\"/plugin-sdk")));
        assert_eq!(checkout["dependencies"]["pu-plugin-sdk"]["path"].as_str(), Some("/work/a \"b\"/plugin-sdk"));
        assert_eq!(checkout["package"]["name"].as_str(), Some("my-plugin"));
        assert!(text(Language::Rust, "tests/picks.rs").contains("use my_plugin::Plugin;"));
    }
}
