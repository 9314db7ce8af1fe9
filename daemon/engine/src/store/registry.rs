//! `projects.json`: which projects exist and which of them the user trusts.
//!
//! Everything else about a project lives in its own `.pu/`.

use super::{StoreError, read_or_set_aside};
use pu_record::json;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

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
    /// Whether the user allowed this project's plugins, commands and specs to act.
    #[serde(default)]
    pub trusted: bool,
    #[serde(default)]
    pub first_seen: String,
    /// What may act in it. None for one that is not trusted, or that an older release trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<TrustRow>,
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
        Self { at: jiff::Timestamp::now().to_string(), parts, extra: Map::default() }
    }
}

impl ProjectRow {
    /// A project that nobody trusts and that was not known until now.
    pub fn seen_now(root: &Path) -> Self {
        Self { root: root.into(), first_seen: jiff::Timestamp::now().to_string(), ..Self::default() }
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

    /// Puts the row in, in place of an earlier one of the same root.
    pub fn put(&mut self, row: ProjectRow) {
        self.projects.retain(|known| known.root != row.root);
        self.projects.push(row);
    }
}
