//! The spec index as its callers see it, over real folders.

mod damage;
mod formats;
mod fresh;
mod linting;
mod reading;
mod rules;
mod searching;
mod sources;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{SearchQuery, SourceConfig, SpecHit, SpecIndex};

/// A project in a folder of its own, with its index beside it.
struct Project {
    dir: TempDir,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let project = Project { dir: TempDir::new().unwrap() };
        fs::create_dir(project.root()).unwrap();
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    fn index_dir(&self) -> PathBuf {
        self.dir.path().join("index")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    fn write_bytes(&self, path: &str, bytes: &[u8]) {
        write(&self.path(path), bytes);
    }

    /// Opens without waiting for anything.
    fn reopen(&self) -> SpecIndex {
        SpecIndex::open(&self.root(), &self.index_dir(), SourceConfig::default()).unwrap()
    }

    fn open(&self) -> SpecIndex {
        self.open_with(SourceConfig::default())
    }

    fn open_with(&self, config: SourceConfig) -> SpecIndex {
        let index = SpecIndex::open(&self.root(), &self.index_dir(), config).unwrap();
        index.fresh().unwrap();
        index
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(bytes).unwrap();
}

fn paths(index: &SpecIndex) -> Vec<String> {
    index.catalog().specs().iter().map(|s| s.path.clone()).collect()
}

fn find(index: &SpecIndex, text: &str) -> Vec<SpecHit> {
    index.search(&SearchQuery { text: text.into(), limit: 10, ..SearchQuery::default() }).unwrap()
}

fn found(index: &SpecIndex, text: &str) -> Vec<String> {
    find(index, text).into_iter().map(|h| h.spec.path.clone()).collect()
}
