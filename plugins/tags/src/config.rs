//! What the user may set. `manifest.json` carries the same as JSON Schema; a test holds the two together.

use pu_plugin_sdk::Failure;
use serde::{Deserialize, Serialize};

/// The plugin's config, as `config.toml` gives it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// At most so many picks.
    pub limit: usize,
    /// The links of at most so many picked specs are followed.
    pub link_sources: usize,
    /// The score of a spec that a picked one links to.
    pub link_score: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 48, link_sources: 4, link_score: 0.3 }
    }
}

impl Config {
    /// Refuses figures that no user can mean.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !(1..=64).contains(&self.limit) {
            return Err(Failure::config(format!("limit is {}, must be 1 to 64", self.limit)));
        }
        if self.link_sources > 16 {
            return Err(Failure::config(format!("link_sources is {}, must be 0 to 16", self.link_sources)));
        }
        if !(0.0..=1.0).contains(&self.link_score) {
            return Err(Failure::config(format!("link_score is {}, must be 0 to 1", self.link_score)));
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
            (Config { link_sources: 17, ..Config::default() }, "link_sources"),
            (Config { link_score: f32::NAN, ..Config::default() }, "link_score"),
        ] {
            let failure = config.check().unwrap_err();
            assert_eq!(failure.code, "config_invalid");
            assert!(failure.message.starts_with(name), "{}", failure.message);
        }
        assert_eq!(Config::default().check(), Ok(()));
    }
}
