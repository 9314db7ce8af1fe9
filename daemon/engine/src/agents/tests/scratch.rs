//! A git repository of a test's own: own home, own configuration, nothing of the user's.

use crate::agents::{Git, Repository, Result};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub(super) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// A repository with one commit on `main`.
    pub(super) fn new() -> Self {
        let scratch = Self::without_commit();
        scratch.write("README.md", "hello\n");
        scratch.commit("first");
        scratch
    }

    pub(super) fn without_commit() -> Self {
        let scratch = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(scratch.root()).unwrap();
        scratch.git(&["init", "--quiet", "--initial-branch=main"]);
        scratch
    }

    /// The folder above the repository, where nothing else is.
    pub(super) fn outside(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(super) fn root(&self) -> PathBuf {
        self.outside().join("repo")
    }

    pub(super) fn env(&self) -> BTreeMap<String, String> {
        let home = self.outside().to_str().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap();
        let pairs = [
            ("PATH", path.as_str()),
            ("HOME", &home),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "T"),
            ("GIT_AUTHOR_EMAIL", "t@example.org"),
            ("GIT_COMMITTER_NAME", "T"),
            ("GIT_COMMITTER_EMAIL", "t@example.org"),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(super) fn program(&self) -> Git {
        Git::in_environment(self.env()).unwrap()
    }

    pub(super) fn repository(&self) -> Repository {
        self.open(&self.root()).unwrap()
    }

    pub(super) fn open(&self, folder: &Path) -> Result<Repository> {
        Repository::open(self.program(), folder)
    }

    /// Runs git in the root; the test fails if it does.
    pub(super) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.root(), args)
    }

    pub(super) fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        let output = Command::new("git").args(args).current_dir(folder).env_clear().envs(self.env()).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        write_in(&self.root(), path, text);
    }

    pub(super) fn commit(&self, message: &str) -> String {
        self.commit_in(&self.root(), message)
    }

    pub(super) fn commit_in(&self, folder: &Path, message: &str) -> String {
        self.git_in(folder, &["add", "--all"]);
        self.git_in(folder, &["commit", "--quiet", "--allow-empty", "--no-verify", "-m", message]);
        self.git_in(folder, &["rev-parse", "HEAD"])
    }

    /// Installs an executable hook.
    pub(super) fn hook(&self, name: &str, script: &str) {
        let path = self.root().join(".git/hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_in(path.parent().unwrap(), name, &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// All that a failed spawn must leave as it was: branches, worktrees, git's records of them, folders.
    pub(super) fn traces(&self) -> Vec<String> {
        let mut traces = vec![
            self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]),
            self.git(&["worktree", "list", "--porcelain"]),
        ];
        for folder in [".git/worktrees", ".pu/worktrees"] {
            let entries = std::fs::read_dir(self.root().join(folder)).into_iter().flatten().flatten();
            traces.extend(entries.map(|entry| entry.path().display().to_string()));
        }
        traces
    }
}

pub(super) fn write_in(folder: &Path, path: &str, text: &str) {
    use std::io::Write;
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}
