//! `[discovery]` of the user's configuration: where projects are looked for.
//!
//! Checked when it is read, so that a mistake is told with file and line. It looks at no folder.

use super::rules::Rules;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

const HOME: &str = "~";

/// Of the user's own file only: no project may say where other projects are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoveryConfig {
    /// Folders below which projects are found, as they are written: absolute, or with the user's home as `~`.
    #[serde(deserialize_with = "roots")]
    pub roots: Vec<PathBuf>,
    /// How many folders below a root a project may lie.
    pub depth: NonZeroU32,
    /// What is never looked into besides the usual, in the syntax of a .gitignore.
    #[serde(deserialize_with = "patterns")]
    pub ignore: Vec<String>,
    /// Between two looks at what cannot be watched.
    pub poll_seconds: NonZeroU32,
}

impl Default for DiscoveryConfig {
    fn default() -> Self {
        Self {
            roots: vec![Path::new(HOME).join("code")],
            depth: NonZeroU32::MIN.saturating_add(5),
            ignore: Vec::new(),
            poll_seconds: NonZeroU32::MIN.saturating_add(29),
        }
    }
}

impl DiscoveryConfig {
    /// The roots with the user's home in its place, each once. Without a home those that need one are left out.
    pub(super) fn places(&self, home: Option<&Path>) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = Vec::new();
        for root in &self.roots {
            let place = match root.strip_prefix(HOME) {
                Ok(below) => home.map(|home| home.join(below)),
                Err(_) => Some(root.clone()),
            };
            // Without the slash that `join` leaves behind an empty rest.
            let place = place.map(|place| place.components().collect::<PathBuf>());
            places.extend(place.filter(|place| !places.contains(place)));
        }
        places
    }

    pub(super) fn poll_every(&self) -> Duration {
        Duration::from_secs(self.poll_seconds.get().into())
    }
}

fn roots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    let roots: Vec<PathBuf> = Vec::deserialize(deserializer)?;
    match roots.iter().find(|root| !root.is_absolute() && !root.starts_with(HOME)) {
        None => Ok(roots),
        Some(root) => {
            Err(D::Error::custom(format!("the root {} is neither absolute nor begins with ~/", root.display())))
        }
    }
}

fn patterns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let patterns: Vec<String> = Vec::deserialize(deserializer)?;
    Rules::below(Path::new("/"), &patterns, Path::new("/")).map_err(D::Error::custom)?;
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DiscoveryConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        let config = read("").unwrap();
        assert_eq!(config, DiscoveryConfig::default());
        assert_eq!((config.depth.get(), config.poll_every()), (6, Duration::from_secs(30)));
        assert_eq!(config.places(Some(Path::new("/home/u"))), [Path::new("/home/u/code")]);
    }

    #[test]
    fn a_root_is_absolute_or_below_the_home_and_stands_once() {
        let config = read("roots = [\"~\", \"/srv/work/\", \"~/src\", \"/srv/work\"]").unwrap();
        let home = |home: Option<&str>| config.places(home.map(Path::new));
        assert_eq!(home(Some("/h")), [Path::new("/h"), Path::new("/srv/work"), Path::new("/h/src")]);
        assert_eq!(home(None), [Path::new("/srv/work")]);
        assert!(read("roots = [\"code\"]").unwrap_err().contains("neither absolute"));
        assert!(read("roots = [\"~other/code\"]").is_err(), "other users' homes are not known");
    }

    #[test]
    fn what_cannot_hold_is_refused() {
        for text in ["depth = 0", "poll_seconds = 0", "ignore = [\"a{b\"]", "depths = 3"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
