//! A git repository that no configuration of the machine's reaches.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Writes a file as an editor would, with the folders above it.
#[track_caller]
pub fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let path = path.as_ref();
    std::fs::create_dir_all(path.parent().expect("a folder above")).expect("the folder above");
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_ref()));
    written.unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
}

#[track_caller]
pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()))
}

#[derive(Debug)]
pub struct Repo {
    root: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

impl Repo {
    pub(crate) fn new(environment: Vec<(&'static str, OsString)>, root: PathBuf) -> Self {
        std::fs::create_dir_all(&root).expect("the repository's folder");
        let repo = Self { root, environment };
        repo.git(["init", "-q", "-b", "main"]);
        repo
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs git here and answers what it printed, without the last newline.
    #[track_caller]
    pub fn git<const N: usize>(&self, args: [&str; N]) -> String {
        self.git_in(&self.root, &args)
    }

    #[track_caller]
    pub fn git_in(&self, folder: &Path, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.env_clear().envs(self.environment.iter().cloned()).current_dir(folder).args(args).stdin(Stdio::null());
        let output = command.output().expect("git");
        assert!(output.status.success(), "git {args:?} in {}: {output:?}", folder.display());
        String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
    }

    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        write(self.root.join(path), text);
    }

    /// Commits everything there is.
    #[track_caller]
    pub fn commit(&self, message: &str) {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
    }

    pub fn branches(&self) -> Vec<String> {
        self.git(["for-each-ref", "--format=%(refname:short)", "refs/heads"]).lines().map(str::to_owned).collect()
    }

    /// What `git status` has to complain about.
    pub fn dirt(&self, folder: &Path) -> String {
        self.git_in(folder, &["status", "--porcelain", "--untracked-files=all"])
    }
}
