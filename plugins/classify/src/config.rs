//! What the user may set. `manifest.json` carries the same as JSON Schema; a test holds the two together.

use pu_plugin_sdk::Failure;
use serde::{Deserialize, Serialize};

/// The plugin's config, as `config.toml` gives it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Labels that are less sure are not given.
    pub min_confidence: f32,
    /// The parts of the project are learnt from at most so many specs, the first by path; 0: not at all.
    pub domain_specs: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { min_confidence: 0.35, domain_specs: 128 }
    }
}

impl Config {
    /// Refuses figures that no user can mean.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(Failure::config(format!("min_confidence is {}, must be 0 to 1", self.min_confidence)));
        }
        if self.domain_specs > 2000 {
            return Err(Failure::config(format!("domain_specs is {}, must be 0 to 2000", self.domain_specs)));
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
            (Config { min_confidence: f32::NAN, ..Config::default() }, "min_confidence"),
            (Config { domain_specs: 2001, ..Config::default() }, "domain_specs"),
        ] {
            let failure = config.check().unwrap_err();
            assert_eq!(failure.code, "config_invalid");
            assert!(failure.message.starts_with(name), "{}", failure.message);
        }
        assert_eq!(Config::default().check(), Ok(()));
    }
}
