//! A user's config for a plugin against the JSON Schema in the plugin's manifest.
//!
//! It fetches nothing, and a schema that could keep the daemon busy is refused (`schema_bounds`). Where in which file the
//! config stands is not known here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::check::one_line;
use super::failure::{FailureCode, PluginFailure};
use super::manifest::Manifest;
use super::schema_bounds::check_bounds;

/// Bytes that one compiled pattern may take.
const PATTERN_MAX: usize = 256 * 1024;
const MESSAGE_MAX: usize = 300;
const VALIDATOR_FAILED: &str = "cannot be used: it made the validator fail";

/// A manifest's schema, ready to be asked; without one every config fits.
pub(super) struct ConfigSchema {
    validator: Option<Validator>,
}

/// Where a config does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The keys (and numbers of list items) that lead to what does not fit.
    pub path: Vec<String>,
    /// What was expected there, in one line.
    pub expected: String,
}

impl ConfigSchema {
    pub(super) fn new(schema: Option<&Value>) -> Result<Self, PluginFailure> {
        let Some(schema) = schema else { return Ok(Self { validator: None }) };
        check_bounds(schema).map_err(|why| invalid(&why))?;
        // Patterns in linear time: one that backtracks could take for ever.
        let patterns = PatternOptions::regex().size_limit(PATTERN_MAX).dfa_size_limit(PATTERN_MAX);
        let build = || {
            let options = jsonschema::options().offline().should_validate_formats(false);
            options.with_pattern_options(patterns).build(schema).map_err(|error| error.to_string())
        };
        match catch_unwind(AssertUnwindSafe(build)) {
            Ok(Ok(validator)) => Ok(Self { validator: Some(validator) }),
            Ok(Err(error)) => Err(invalid(&format!("cannot be used: {error}"))),
            Err(_) => Err(invalid(VALIDATOR_FAILED)),
        }
    }

    /// The first place where a config does not fit, if there is one; fails where the validator does.
    pub(super) fn misfit(&self, config: &Value) -> Result<Option<Misfit>, PluginFailure> {
        let Some(validator) = &self.validator else { return Ok(None) };
        let look = || first_misfit(validator, config);
        catch_unwind(AssertUnwindSafe(look)).map_err(|_| invalid(VALIDATOR_FAILED))
    }
}

/// Where a config does not fit the schema of a plugin that need not be loaded for that, if it does not.
pub fn config_misfit(manifest: &Manifest, config: &Value) -> Result<Option<Misfit>, PluginFailure> {
    ConfigSchema::new(manifest.config.as_ref())?.misfit(config)
}

fn first_misfit(validator: &Validator, config: &Value) -> Option<Misfit> {
    let error = validator.iter_errors(config).next()?;
    let mut path: Vec<String> = error.instance_path().as_str().split('/').skip(1).map(unescaped).collect();
    // The place of a key that should not be there is the key's.
    if let ValidationErrorKind::AdditionalProperties { unexpected }
    | ValidationErrorKind::UnevaluatedProperties { unexpected } = error.kind()
    {
        path.extend(unexpected.first().cloned());
    }
    Some(Misfit { path, expected: one_line(&error.to_string(), MESSAGE_MAX) })
}

fn invalid(why: &str) -> PluginFailure {
    PluginFailure::new(FailureCode::ManifestInvalid, format!("its config schema {}", one_line(why, MESSAGE_MAX)))
}

impl fmt::Debug for ConfigSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigSchema").field("any", &self.validator.is_none()).finish()
    }
}

/// One step of a JSON pointer.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_misfit_names_the_place_and_what_was_expected() {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["areas"], "properties": {
            "areas": {"type": "array", "items": {"type": "string"}}, "limit": {"type": "integer", "maximum": 9}}});
        let schema = ConfigSchema::new(Some(&schema)).unwrap();
        assert_eq!(schema.misfit(&json!({"areas": ["billing"], "limit": 3})), Ok(None));
        for (config, path, part) in [
            (json!({"areas": ["a", 3]}), vec!["areas", "1"], "string"),
            (json!({"areas": [], "limit": 10}), vec!["limit"], "9"),
            (json!({"areas": [], "lmit": 1}), vec!["lmit"], "lmit"),
            (json!({}), vec![], "areas"),
        ] {
            let misfit = schema.misfit(&config).unwrap().unwrap();
            assert_eq!(misfit.path, path, "{misfit:?}");
            assert!(misfit.expected.contains(part), "{misfit:?}");
        }
        assert_eq!(ConfigSchema::new(None).unwrap().misfit(&json!({"any": 1})), Ok(None));
    }

    #[test]
    fn a_schema_that_is_none_is_the_manifest_s_fault() {
        let unknown = "https://example.invalid/unknown";
        for schema in [json!({"type": 3}), json!({"pattern": "("}), json!({"$ref": "#"}), json!({"$schema": unknown})] {
            let failure = ConfigSchema::new(Some(&schema)).unwrap_err();
            assert_eq!(failure.code, FailureCode::ManifestInvalid, "{schema}");
        }
    }

    #[test]
    fn the_bundled_plugins_schemas_can_be_used() {
        for plugin in super::super::bundled() {
            let manifest = super::super::inspect(plugin.bytes).unwrap().manifest;
            let schema = ConfigSchema::new(manifest.config.as_ref()).unwrap();
            assert_eq!(schema.misfit(&json!({})), Ok(None), "{}", plugin.name);
        }
    }
}
