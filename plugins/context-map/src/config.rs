//! The map, as the host hands it over. `manifest.json` carries the same as JSON Schema; a test holds the two together.

use pu_plugin_sdk::Failure;
use serde::Deserialize;

/// As many characters of a reason as the contract takes, less what stands around them.
const REASON_MAX: usize = 480;

/// The plugin's config: the user's own entries, then those of the files in `.pu/context/`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub map: Vec<Entry>,
    /// Labels that are less sure do not count.
    pub min_confidence: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { map: Vec::new(), min_confidence: 0.4 }
    }
}

/// Which specs belong to which tasks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub when: When,
    /// Ids, paths, or globs over paths.
    pub specs: Texts,
    #[serde(default = "sure")]
    pub score: f32,
    /// What the user is told, instead of what matched.
    pub reason: Option<String>,
    /// The file that it stands in; the host says so.
    pub from: Option<String>,
}

/// All that are given must hold; each is a list of which one is enough.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    pub words: Texts,
    pub pattern: Texts,
    pub files: Texts,
    pub tags: Texts,
    pub labels: Texts,
    pub template: Texts,
    pub agent: Texts,
    pub branch: Texts,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Texts {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

fn sure() -> f32 {
    0.9
}

impl Entry {
    /// Where it stands, for whoever has to look at it.
    pub(crate) fn place(&self, at: usize) -> String {
        match &self.from {
            Some(file) => format!("an entry of .pu/context/{file}"),
            None => format!("map.{at}"),
        }
    }

    /// The reason of its picks.
    pub(crate) fn told(&self, matched: &str) -> String {
        let what = self.reason.as_deref().unwrap_or(matched);
        let told = self.from.as_ref().map_or_else(|| what.to_owned(), |file| format!("{what} (.pu/context/{file})"));
        let line = told.chars().map(|c| if c.is_control() { ' ' } else { c });
        line.take(REASON_MAX).collect()
    }
}

impl Config {
    /// Refuses what no user can mean.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(Failure::config(format!("min_confidence is {}, must be 0 to 1", self.min_confidence)));
        }
        for (at, entry) in self.map.iter().enumerate() {
            let place = entry.place(at);
            if !(0.0..=1.0).contains(&entry.score) {
                return Err(Failure::config(format!("{place}: score is {}, must be 0 to 1", entry.score)));
            }
            if entry.when == When::default() {
                return Err(Failure::config(format!("{place}: `when` is empty, so it would hold for every task")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn config(value: Value) -> Result<Config, String> {
        let config: Config = serde_json::from_value(value).map_err(|error| error.to_string())?;
        config.check().map_err(|failure| failure.message)?;
        Ok(config)
    }

    #[test]
    fn every_entry_of_the_schema_is_read_and_has_its_default() {
        let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).unwrap();
        let schema = &manifest["config"];
        let default = schema["properties"]["min_confidence"]["default"].as_f64().unwrap();
        assert!((default - f64::from(Config::default().min_confidence)).abs() < 1e-6);
        let when = schema["$defs"]["when"]["properties"].as_object().unwrap();
        let when: serde_json::Map<String, Value> = when.keys().map(|key| (key.clone(), json!([key]))).collect();
        let entry = json!({"when": when, "specs": "A", "score": 0.5, "reason": "r", "from": "f.toml"});
        let known = schema["$defs"]["entry"]["properties"].as_object().unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), entry.as_object().unwrap().keys().collect::<Vec<_>>());
        let read = &config(json!({"map": [entry], "min_confidence": 0.1})).unwrap().map[0];
        assert_eq!((read.when.branch.all(), read.specs.all()), (&["branch".to_owned()][..], &["A".to_owned()][..]));
        let score = known["score"]["default"].as_f64().unwrap();
        assert!((score - f64::from(sure())).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        for (value, part) in [
            (json!({"map": [{"when": {}, "specs": "A"}]}), "map.0: `when` is empty"),
            (
                json!({"map": [{"when": {"words": "a"}, "specs": "A", "score": 2, "from": "x.toml"}]}),
                "x.toml: score is 2",
            ),
            (json!({"map": [{"when": {"wrods": "a"}, "specs": "A"}]}), "wrods"),
            (json!({"map": [{"when": {"words": "a"}}]}), "specs"),
            (json!({"min_confidence": 3}), "min_confidence"),
        ] {
            let error = config(value).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_reason_is_one_line_that_names_the_file() {
        let entry = Entry {
            when: When::default(),
            specs: Texts::One("A".into()),
            score: 0.9,
            reason: Some("read\nthis".into()),
            from: Some("billing.toml".into()),
        };
        assert_eq!(entry.told("matched"), "read this (.pu/context/billing.toml)");
        assert_eq!(Entry { reason: None, from: None, ..entry.clone() }.told("matched"), "matched");
        assert_eq!(Entry { from: None, ..entry }.told(&"x".repeat(900)), "read this");
    }
}
