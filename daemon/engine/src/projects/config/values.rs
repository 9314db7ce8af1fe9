//! The values in force, key by key, each with the place that says it; and whether a key is one.
//!
//! The keys are those of the serialized types, so that nothing can be shown that does not act and nothing that acts is
//! left out. Reads no file but what was read.

use super::Config;
use super::fault::{Fault, check_path, dotted};
use super::place::{Found, Outline};
use super::read::Loaded;
use pu_protocol::config::{ConfigOrigin, ConfigValue};
use pu_protocol::{ErrorBody, ErrorCode};
use serde_json::Value;

/// A key that no configuration has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no configuration has the key `{key}`")]
pub struct ConfigKeyError {
    key: String,
    nearest: Option<String>,
}

impl ConfigKeyError {
    pub fn body(&self) -> ErrorBody {
        let hint = match &self.nearest {
            Some(nearest) => format!("the nearest is {nearest}; `pu config show` lists all"),
            None => "`pu config show` lists all".to_owned(),
        };
        ErrorBody::new(ErrorCode::UnknownConfigKey, self.to_string()).with_hint(hint)
    }
}

/// A key that somebody wrote, as the keys of values are written, if it is one that a configuration can have, be it set or
/// not.
pub fn config_key(asked: &str) -> Result<String, ConfigKeyError> {
    let refused = |nearest| ConfigKeyError { key: asked.chars().take(100).collect(), nearest };
    let path = toml_edit::Key::parse(asked).map_err(|_| refused(None))?;
    let path: Vec<String> = path.iter().map(|step| step.get().to_owned()).collect();
    if path.is_empty() {
        return Err(refused(None));
    }
    check_path(&path).map_err(refused)?;
    Ok(dotted(&path))
}

/// What is in force.
pub(super) fn of(loaded: &Loaded) -> Result<Vec<ConfigValue>, Fault> {
    let outlines: Vec<Outline<'_>> = loaded.sources.iter().map(|source| Outline::of(&source.text)).collect();
    let origin = |path: &[String]| {
        for (source, outline) in loaded.sources.iter().zip(&outlines).rev() {
            let file = || source.file.path().to_owned();
            match outline.find(path) {
                Found::Here(line) if source.file.is_users() => return ConfigOrigin::User { file: file(), line },
                Found::Here(line) => return ConfigOrigin::Project { file: file(), line },
                Found::NotInList => break,
                Found::Nowhere => {}
            }
        }
        ConfigOrigin::Default
    };
    let default = as_json(&Config::default()).unwrap_or_default();
    let value = as_json(&loaded.config).map_err(|error| Fault::Invalid {
        path: loaded.sources.last().map(|source| source.file.path().to_owned()).unwrap_or_default(),
        message: format!("cannot be shown: {error}"),
    })?;
    let mut values = Vec::new();
    leaves(&mut Vec::new(), &value, Some(&default), &mut |path, value| {
        values.push(ConfigValue { key: dotted(path), value: value.clone(), origin: origin(path) });
    });
    Ok(values)
}

/// The keys that are there whatever is configured, set or not.
pub(super) fn fixed_keys() -> Vec<Vec<String>> {
    let default = as_json(&Config::default()).unwrap_or_default();
    let mut keys = Vec::new();
    leaves(&mut Vec::new(), &default, Some(&default), &mut |path, _| keys.push(path.to_vec()));
    keys
}

/// By way of a text, in which numbers are as short as they were written.
fn as_json(config: &Config) -> serde_json::Result<Value> {
    serde_json::from_str(&serde_json::to_string(config)?)
}

/// Calls for each value that is not made of others. What is not set is one where the key is always there, and not in the
/// tables that a user names: `default` is what there is by default at this path.
fn leaves(path: &mut Vec<String>, value: &Value, default: Option<&Value>, leaf: &mut dyn FnMut(&[String], &Value)) {
    let mut inside = |step: String, inner: &Value, default: Option<&Value>| {
        path.push(step);
        leaves(path, inner, default, leaf);
        path.pop();
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, inner) in fields {
                inside(name.clone(), inner, default.and_then(|default| default.get(name)));
            }
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
            for (at, item) in items.iter().enumerate() {
                inside(at.to_string(), item, None);
            }
        }
        Value::Null if default.is_none() => {}
        value => leaf(path, value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::{ConfigFile, load};
    use super::*;
    use serde::de::DeserializeOwned;
    use std::path::Path;

    fn shown(user: &str, project: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (of_user, of_project) = (root.join("user.toml"), root.join("project.toml"));
        for (path, text) in [(&of_user, user), (&of_project, project)] {
            pu_record::atomic::write_atomic(path, text.as_bytes(), 0o600).unwrap();
        }
        let files = [ConfigFile::of_user(of_user), ConfigFile::of_project(of_project, &root)];
        let name = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
        let values = of(&load(&files).unwrap()).unwrap();
        let lines = values.into_iter().map(|ConfigValue { key, value, origin }| match origin {
            ConfigOrigin::Default => format!("{key} = {value}"),
            ConfigOrigin::User { file, line } | ConfigOrigin::Project { file, line } => {
                format!("{key} = {value} # {}:{line}", name(&file))
            }
        });
        lines.collect()
    }

    #[test]
    fn without_any_file_the_defaults_are_shown_that_act() {
        insta::assert_snapshot!(
            shown("", "").into_iter().filter(|line| !line.starts_with("discovery.")).collect::<Vec<_>>().join("\n"),
            @r"
        agents = {}
        context.assembler = null
        context.budget = 8000
        context.budgets = {}
        context.deadline_ms = 500
        context.disabled = []
        context.grants = {}
        context.learn = true
        context.min_score = 0.3
        context.near_best = 0.25
        default_agent = null
        history.max_days = 365
        history.max_mib = 64
        specs.folders = []
        specs.rules = true
        spool.max_days = 90
        spool.max_mib = 1024
        terminal.cols = 200
        terminal.kill_grace_ms = 5000
        terminal.output_mib = 16
        terminal.rows = 50
        "
        );
    }

    #[test]
    fn each_value_names_the_file_and_line_that_says_it() {
        let user = "[terminal]\ncols = 100\nrows = 40\n[context]\ngrants = { a = [\"state\"] }\n\
            [[context.assembler]]\nname = \"x\"\nrequired = true\n";
        let project = "[terminal]\nrows = 24\n[agents.\"my.own\"]\ncommand = \"x{{y}\"\nenv = { A = \"{prompt}\" }\n\
            [[context.assembler]]\nname = \"keyword\"\nconfig = { deep = { k = [1, 2] } }\n";
        let shown = shown(user, project);
        for line in [
            "terminal.cols = 100 # user:2",
            "terminal.rows = 24 # project:2",
            "terminal.output_mib = 16",
            "context.grants.a = [\"state\"] # user:5",
            "context.assembler.0.name = \"keyword\" # project:7",
            "context.assembler.0.config.deep.k = [1,2] # project:8",
            "agents.\"my.own\".command = \"x{{y}\" # project:4",
            "agents.\"my.own\".env.A = \"{prompt}\" # project:5",
        ] {
            assert!(shown.iter().any(|known| known == line), "{line} is not in {shown:#?}");
        }
        // The list is the project's as a whole: what the user's says of its first entry is not in force.
        assert!(shown.contains(&"context.assembler.0.required = false".to_owned()), "{shown:#?}");
        assert!(!shown.iter().any(|line| line.contains("context.assembler.1")));
        assert!(!shown.iter().any(|line| line.contains("args") || line.ends_with("null # project:4")), "{shown:#?}");
    }

    /// The keys that are shown and those that are read come from the same types by two ways: this holds them together.
    #[test]
    fn what_is_shown_is_what_can_be_read() {
        fn known<T: DeserializeOwned>() -> Vec<String> {
            let error = toml::from_str::<T>("no-such-key = 1").err().unwrap().to_string();
            let mut known: Vec<String> =
                error.rsplit_once("expected ").unwrap().1.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            known.sort();
            known
        }
        fn keys(value: &Value) -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        }
        let all = as_json(&Config::default()).unwrap();
        assert_eq!(keys(&all), known::<Config>());
        assert_eq!(keys(&all["context"]), known::<crate::context::ContextConfig>());
        assert_eq!(keys(&all["specs"]), known::<super::super::SpecsConfig>());
        assert_eq!(keys(&all["terminal"]), known::<super::super::TerminalConfig>());
        assert_eq!(keys(&all["history"]), known::<super::super::HistoryConfig>());
        assert_eq!(keys(&all["spool"]), known::<super::super::SpoolConfig>());
        let agent = serde_json::to_value(crate::agents::DefinitionTable::default()).unwrap();
        assert_eq!(keys(&agent), known::<crate::agents::DefinitionTable>());
        let assembler = serde_json::to_value(crate::context::AssemblerConfig::plain("x")).unwrap();
        assert_eq!(keys(&assembler), known::<crate::context::AssemblerConfig>());
        for path in fixed_keys() {
            assert_eq!(config_key(&dotted(&path)), Ok(dotted(&path)));
        }
    }

    #[test]
    fn a_key_that_is_none_is_told_with_the_nearest() {
        for known in ["terminal", "context.assembler.7.name", "agents.\"my.own\".env.A", "default_agent"] {
            assert_eq!(config_key(known).as_deref(), Ok(known));
        }
        assert_eq!(config_key("\"terminal\" . rows").as_deref(), Ok("terminal.rows"));
        let hint = config_key("terminal.rowz").unwrap_err().body().hint.unwrap();
        assert!(hint.starts_with("the nearest is `terminal.rows`"), "{hint}");
        for nonsense in ["", "a b", "[terminal]", "terminal."] {
            assert!(config_key(nonsense).is_err(), "{nonsense}");
        }
    }
}
