//! `pu plugin new`: a project to start a plugin from.

use crate::failure::{Failure, Outcome};
use crate::invocation::Invocation;
use crate::plugins::language::Language;
use crate::plugins::template::{self, File};
use crate::plugins::{folder, name};
use crate::render;
use crate::screen;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write a project that builds: a small plugin, golden tasks for it, a CI file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  pu plugin new ledger
  pu plugin new ledger --lang python
  pu plugin new ledger --lang rust --sdk ~/purepoint/plugin-sdk --dir tools/ledger")]
pub(crate) struct Args {
    /// The plugin's name: lower-case letters, digits and `-`.
    name: String,
    /// The language to write it in.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// Where [default: a folder called NAME].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Rust only: the folder plugin-sdk of a checkout of PurePoint [default: pu-plugin-sdk from the registry].
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

impl Args {
    pub(crate) fn run(&self, invocation: &Invocation) -> Result<Outcome, Failure> {
        name::check(&self.name)?;
        let sdk = self.sdk(invocation)?;
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let root = invocation.path(&dir);
        let files = template::files(self.lang, &self.name, sdk.as_deref());
        refuse_what_is_there(&root)?;
        write_all(&root, &files)?;
        if invocation.json {
            let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
            let answer =
                json!({ "type": "plugin_created", "root": root.to_string_lossy(), "name": self.name, "files": paths });
            screen::say(&answer.to_string())?;
        } else {
            screen::say(&render::plugin::created(
                &self.name,
                self.lang,
                &dir,
                &files,
                sdk.is_some(),
                invocation.style,
            ))?;
        }
        Ok(Outcome::DONE)
    }

    fn sdk(&self, invocation: &Invocation) -> Result<Option<PathBuf>, Failure> {
        let Some(sdk) = &self.sdk else { return Ok(None) };
        if self.lang != Language::Rust {
            return Err(Failure::Usage("--sdk is for plugins in Rust: other languages need no SDK".to_owned()));
        }
        let path = invocation.path(sdk);
        let path = path.canonicalize().map_err(|e| Failure::io("find the SDK at", path, e))?;
        if path.join("Cargo.toml").is_file() {
            return Ok(Some(path));
        }
        Err(Failure::Refused {
            message: format!("{} holds no Cargo.toml, so it is no SDK", path.display()),
            hint: "name the folder plugin-sdk of a checkout of PurePoint".to_owned(),
        })
    }
}

fn refuse_what_is_there(root: &Path) -> Result<(), Failure> {
    let mut entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Failure::io("look into", root, e)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let plugin = if folder::PluginFolder::is_one(root) { "a plugin" } else { "something" };
    Err(Failure::Refused {
        message: format!("{} holds {plugin} already; nothing was written", root.display()),
        hint: "choose another folder with --dir, or empty this one".to_owned(),
    })
}

/// Writes all files, or leaves nothing that was not there.
fn write_all(root: &Path, files: &[File]) -> Result<(), Failure> {
    let mut made = Made::default();
    for file in files {
        if let Err(failure) = made.write(&root.join(file.path), &file.text) {
            made.undo();
            return Err(failure);
        }
    }
    Ok(())
}

/// What was made so far, in order.
#[derive(Default)]
struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn write(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        if let Some(parent) = path.parent() {
            self.make(parent)?;
        }
        let failed = |e| Failure::io("write", path, e);
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes()).map_err(failed)
    }

    fn make(&mut self, folder: &Path) -> Result<(), Failure> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|place| !place.exists()).collect();
        for place in missing.into_iter().rev() {
            fs::create_dir(place).map_err(|e| Failure::io("create", place, e))?;
            self.folders.push(place.to_owned());
        }
        Ok(())
    }

    /// What cannot be removed stays: the first failure is the one to tell.
    fn undo(&self) {
        for file in self.files.iter().rev() {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_that_cannot_be_written_whole_is_not_there_at_all() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("a/b");
        let file = |path| File { path, text: String::new() };
        // A file stands where the last one needs a folder.
        let failure = write_all(&root, &[file("one"), file("deep/two"), file("one/three")]).unwrap_err();
        assert!(failure.to_string().contains("one"), "{failure}");
        assert!(!home.path().join("a").exists());
        write_all(&root, &[file("one"), file("deep/two")]).unwrap();
        assert!(root.join("deep/two").is_file());
        assert!(refuse_what_is_there(&root).is_err() && refuse_what_is_there(&home.path().join("new")).is_ok());
    }
}
