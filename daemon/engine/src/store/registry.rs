//! `projects.json`: which projects exist and which of them the user trusts.
//!
//! Everything else about a project lives in its own `.pu/`.

use super::{StoreError, read_or_set_aside};
use jiff::Timestamp;
use pu_record::json;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;
/// As many of a project's former places as are kept, the last ones.
const FORMER_MAX: usize = 16;

/// The registry as it stands on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    #[serde(default)]
    pub version: u32,
    #[serde(default)]
    pub projects: Vec<ProjectRow>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectRow {
    pub root: PathBuf,
    /// What the project is known by wherever it lies. None for one that has no identity of its own (yet): an unknown clone,
    /// a copy of another project, or one that an older release made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the user allowed this project's plugins, commands and specs to act.
    #[serde(default)]
    pub trusted: bool,
    #[serde(default)]
    pub first_seen: String,
    /// RFC 3339. Not written by itself: it goes to disk with the next change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// Where it lay before, the last place last: agents that were started there have that root on record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerRoot>,
    /// What tells the folder that its user trusted from another one in its place. None where nobody trusted it, or where an
    /// older release did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// What may act in it. None for one that is not trusted, or that an older release trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustRow>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A place that a project has left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FormerRoot {
    pub root: PathBuf,
    /// When it was found elsewhere, RFC 3339: what was started at that root later is of another project.
    pub until: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What its user allowed to act in a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustRow {
    /// RFC 3339.
    pub at: String,
    /// The digest of each part that may act.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl TrustRow {
    pub fn now(parts: BTreeMap<String, String>) -> Self {
        Self { at: Timestamp::now().to_string(), parts, extra: Map::default() }
    }
}

impl ProjectRow {
    /// A project that nobody trusts and that was not known until now.
    pub fn seen_now(root: &Path) -> Self {
        Self { root: root.into(), first_seen: Timestamp::now().to_string(), ..Self::default() }
    }

    /// Notes that it lies elsewhere from now on.
    pub fn move_to(&mut self, root: PathBuf, now: &str) {
        let left = std::mem::replace(&mut self.root, root);
        self.former.push(FormerRoot { root: left, until: now.to_owned(), extra: Map::new() });
        let too_many = self.former.len().saturating_sub(FORMER_MAX);
        self.former.drain(..too_many);
    }
}

impl Registry {
    /// Reads the registry; empty where there is none. A damaged one is set aside.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let registry = read_or_set_aside::<Self>(path)?.unwrap_or_default();
        if registry.version > VERSION {
            return Err(StoreError::Newer { path: path.into(), found: registry.version, known: VERSION });
        }
        Ok(registry)
    }

    pub fn write(&mut self, path: &Path) -> Result<(), StoreError> {
        self.version = VERSION;
        Ok(json::write(path, self)?)
    }

    pub fn find(&self, root: &Path) -> Option<&ProjectRow> {
        self.projects.iter().find(|row| row.root == root)
    }

    pub fn find_mut(&mut self, root: &Path) -> Option<&mut ProjectRow> {
        self.projects.iter_mut().find(|row| row.root == root)
    }

    /// The project of this identity.
    pub fn find_by_id(&self, id: &str) -> Option<&ProjectRow> {
        self.projects.iter().find(|row| row.id.as_deref() == Some(id))
    }

    pub fn remove(&mut self, root: &Path) {
        self.projects.retain(|row| row.root != root);
    }

    /// Where the project lies by now in which something was started at `root` at that time, if it was moved since.
    pub fn moved_since(&self, root: &Path, at: Timestamp) -> Option<&Path> {
        let left = |former: &FormerRoot| former.until.parse::<Timestamp>().ok();
        let all = self.projects.iter().flat_map(|row| row.former.iter().map(move |former| (row, former)));
        let here = all.filter(|(_, former)| former.root == root);
        let after = here.filter_map(|(row, former)| left(former).filter(|left| *left >= at).map(|left| (left, row)));
        // Several may have lain there, one after the other: it was the first one to leave after that.
        after.min_by_key(|(left, _)| *left).map(|(_, row)| row.root.as_path())
    }

    /// Puts the row in, in place of an earlier one of the same root.
    pub fn put(&mut self, row: ProjectRow) {
        self.projects.retain(|known| known.root != row.root);
        self.projects.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_of_an_older_release_reads_and_what_is_not_known_survives() {
        let text =
            r#"{"version":1,"projects":[{"root":"/p","trusted":true,"first_seen":"then","mood":"good"}],"theme":3}"#;
        let registry: Registry = serde_json::from_str(text).unwrap();
        let row = registry.find(Path::new("/p")).unwrap();
        assert!(row.trusted && row.id.is_none() && row.last_seen.is_none() && row.former.is_empty());
        let written = serde_json::to_value(&registry).unwrap();
        assert_eq!(
            written,
            serde_json::from_str::<Value>(text).unwrap(),
            "nothing is added to a row that has nothing new"
        );
    }

    #[test]
    fn what_was_started_at_a_root_is_of_the_project_that_lay_there_then() {
        let row = |root: &str, former: &[(&str, &str)]| {
            let former = former.iter().map(|(root, until)| FormerRoot {
                root: root.into(),
                until: (*until).to_owned(),
                ..FormerRoot::default()
            });
            ProjectRow { root: root.into(), former: former.collect(), ..ProjectRow::default() }
        };
        let projects = vec![
            row("/b", &[("/a", "2026-01-02T00:00:00Z"), ("/c", "2026-01-03T00:00:00Z")]),
            row("/d", &[("/a", "2026-01-04T00:00:00Z")]),
            row("/a", &[]),
        ];
        let registry = Registry { projects, ..Registry::default() };
        let now_at = |root: &str, at: &str| registry.moved_since(Path::new(root), at.parse().unwrap());
        assert_eq!(now_at("/a", "2026-01-01T00:00:00Z"), Some(Path::new("/b")));
        assert_eq!(now_at("/c", "2026-01-02T12:00:00Z"), Some(Path::new("/b")));
        assert_eq!(now_at("/a", "2026-01-03T00:00:00Z"), Some(Path::new("/d")));
        assert_eq!(now_at("/a", "2026-01-05T00:00:00Z"), None, "it is there still");
        assert_eq!(now_at("/x", "2026-01-01T00:00:00Z"), None);
    }

    #[test]
    fn former_places_are_bounded() {
        let mut row = ProjectRow { root: "/0".into(), ..ProjectRow::default() };
        for i in 1..=20 {
            row.move_to(format!("/{i}").into(), "now");
        }
        assert_eq!((row.root, row.former.len()), ("/20".into(), FORMER_MAX));
        assert_eq!(row.former[FORMER_MAX - 1].root, Path::new("/19"));
    }
}
