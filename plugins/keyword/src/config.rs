//! What the user may set. `manifest.json` carries the same as JSON Schema; a test holds the two together.

use pu_plugin_sdk::Failure;
use serde::{Deserialize, Serialize};

/// The plugin's config, as `config.toml` gives it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// At most so many picks.
    pub limit: usize,
    /// Picks below this score are left out. By default none: what is too weak the chain cuts, and says so.
    pub min_score: f32,
    /// How much the prompt counts.
    pub prompt_weight: f32,
    /// How much tags count, in a spec's tags, ids and title.
    pub tag_weight: f32,
    /// How much the names of mentioned and changed files count, in a spec's path and code.
    pub file_weight: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 20, min_score: 0.0, prompt_weight: 1.0, tag_weight: 1.0, file_weight: 0.4 }
    }
}

impl Config {
    /// Refuses figures that no user can mean.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !(1..=64).contains(&self.limit) {
            return Err(Failure::config(format!("limit is {}, must be 1 to 64", self.limit)));
        }
        let unit = [("min_score", self.min_score, 1.0)];
        let weights = [
            ("prompt_weight", self.prompt_weight, 10.0),
            ("tag_weight", self.tag_weight, 10.0),
            ("file_weight", self.file_weight, 10.0),
        ];
        for (name, value, most) in unit.into_iter().chain(weights) {
            if !(0.0..=most).contains(&value) {
                return Err(Failure::config(format!("{name} is {value}, must be 0 to {most}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_manifest_s_schema_has_the_same_entries_and_defaults() {
        let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).unwrap();
        let properties = manifest["config"]["properties"].as_object().unwrap();
        let Value::Object(defaults) = serde_json::to_value(Config::default()).unwrap() else { panic!("not an object") };
        assert_eq!(properties.keys().collect::<Vec<_>>(), defaults.keys().collect::<Vec<_>>());
        for (name, default) in &defaults {
            let (said, real) = (properties[name]["default"].as_f64().unwrap(), default.as_f64().unwrap());
            assert!((said - real).abs() < 1e-6, "{name}: the schema says {said}, the code {real}");
        }
    }

    #[test]
    fn figures_out_of_range_are_refused_by_name() {
        for (config, name) in [
            (Config { limit: 0, ..Config::default() }, "limit"),
            (Config { limit: 65, ..Config::default() }, "limit"),
            (Config { min_score: 1.5, ..Config::default() }, "min_score"),
            (Config { tag_weight: f32::NAN, ..Config::default() }, "tag_weight"),
            (Config { file_weight: -1.0, ..Config::default() }, "file_weight"),
        ] {
            let failure = config.check().unwrap_err();
            assert_eq!(failure.code, "config_invalid");
            assert!(failure.message.starts_with(name), "{}", failure.message);
        }
        assert_eq!(Config::default().check(), Ok(()));
    }
}
