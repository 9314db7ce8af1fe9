//! The manifest that a plugin carries in a custom section: who it is, and what it asks for. Reading it runs no code.

use serde::Deserialize;
use serde_json::Value;

use super::check::one_line;
use super::failure::{FailureCode, PluginFailure};

/// The name of the custom section.
pub(super) const SECTION: &str = "purepoint:manifest";
/// No manifest needs more.
pub(super) const MANIFEST_MAX: usize = 256 * 1024;
const NAME_MAX: usize = 64;
/// Of the version and the licence.
const SHORT_MAX: usize = 64;
const DESCRIPTION_MAX: usize = 500;

/// What a plugin says of itself. Entries that this host does not know are passed over.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Manifest {
    /// Lower-case letters, digits and `-`.
    pub name: String,
    pub version: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub licence: String,
    /// The version of `purepoint:context` that it was built against.
    pub contract: String,
    /// JSON Schema of its config.
    #[serde(default)]
    pub config: Option<Value>,
    /// Whether it looks at what the assemblers before it found. One that does not say so gets no labels and may run at the
    /// same time as they do.
    #[serde(default)]
    pub reads_labels: bool,
    #[serde(default)]
    pub limits: AskedLimits,
}

/// The limits that a plugin asks for. The host grants what it will.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct AskedLimits {
    /// How long one call may take, in milliseconds.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
}

impl Manifest {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PluginFailure> {
        let invalid = |why: String| PluginFailure::new(FailureCode::ManifestInvalid, format!("its manifest {why}"));
        if bytes.len() > MANIFEST_MAX {
            return Err(invalid(format!("is larger than {} KiB", MANIFEST_MAX / 1024)));
        }
        let mut manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| invalid(format!("cannot be read: {error}")))?;
        if !is_plugin_name(&manifest.name) {
            return Err(invalid(format!(
                "has the name {:?}: a name is 1 to {NAME_MAX} lower-case letters, digits and '-'",
                manifest.name
            )));
        }
        // Shown to people as they are.
        manifest.version = one_line(&manifest.version, SHORT_MAX);
        manifest.licence = one_line(&manifest.licence, SHORT_MAX);
        manifest.description = one_line(&manifest.description, DESCRIPTION_MAX);
        Ok(manifest)
    }
}

/// Whether this is a name that a plugin can have: 1 to 64 lower-case letters, digits and `-`.
pub fn is_plugin_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_entries_are_passed_over_and_left_out_ones_have_defaults() {
        let json = br#"{"name": "a-1", "version": "2", "contract": "0.1.0", "colour": "red"}"#;
        let manifest = Manifest::parse(json).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.limits.deadline_ms, manifest.config), ("a-1", None, None));
        assert!(!manifest.reads_labels);
    }

    #[test]
    fn what_people_are_shown_is_short_and_has_no_control_characters() {
        let long = "x".repeat(5000);
        let json = serde_json::json!({"name": "a", "version": "1\u{1b}[2J", "contract": "0.1.0", "licence": long,
            "description": long});
        let manifest = Manifest::parse(json.to_string().as_bytes()).unwrap();
        assert_eq!(manifest.version, "1 [2J");
        assert_eq!((manifest.licence.chars().count(), manifest.description.chars().count()), (64, 500));
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_reason() {
        let large = vec![b' '; MANIFEST_MAX + 1];
        for (json, reason) in [
            (&b"{"[..], "cannot be read"),
            (br#"{"version": "1", "contract": "0.1.0"}"#, "missing field `name`"),
            (br#"{"name": "../x", "version": "1", "contract": "0.1.0"}"#, "has the name \"../x\""),
            (br#"{"name": "", "version": "1", "contract": "0.1.0"}"#, "has the name \"\""),
            (&large, "is larger than 256 KiB"),
        ] {
            let failure = Manifest::parse(json).unwrap_err();
            assert_eq!(failure.code, FailureCode::ManifestInvalid);
            assert!(failure.message.contains(reason), "{}", failure.message);
        }
    }
}
