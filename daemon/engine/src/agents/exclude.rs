//! Keeps what PurePoint puts into a working tree out of git's sight, by `info/exclude`: a file that is the user's own,
//! tracked nowhere and shared by all worktrees.
//!
//! Only ever adds lines, and each once. What the user wrote stays byte by byte, and nothing is written where git ignores
//! the paths already.

use super::error::{AgentsError, Result};
use super::repository::{Repository, fields};
use pu_protocol::layout::ProjectLayout;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Written once above our lines, so that whoever reads the file knows where they come from.
const HEADING: &[u8] = b"# PurePoint (pu): what belongs to this machine only\n";

/// What a new file gets; git makes it so too.
const NEW_FILE_MODE: u32 = 0o644;

/// A path of a project that git is to ignore.
struct Local {
    /// Relative to the top of the tree.
    path: PathBuf,
    is_folder: bool,
}

/// Two spawns at once would each read a file without the other's lines. Each file has turns of its own: one that cannot be
/// reached keeps no other repository waiting.
fn turn_of(file: &Path) -> Arc<Mutex<()>> {
    static TURNS: LazyLock<Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>> = LazyLock::new(Mutex::default);
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(file.to_owned()).or_default())
}

impl Repository {
    /// Makes git ignore the project's own folders and files of this machine, in every worktree. Answers whether anything
    /// had to be written.
    pub fn exclude_local_files(&self) -> Result<bool> {
        let file = self.common_dir().join("info").join("exclude");
        // Where it is a link (dotfiles kept elsewhere) the link stays and its target is written.
        let file = file.canonicalize().unwrap_or(file);
        let turn = turn_of(&file);
        let _one_at_a_time = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(AgentsError::io("read", &file)(error)),
        };
        let locals: Vec<Local> = self.locals().into_iter().filter(|l| !has_line(&before, &pattern(l))).collect();
        if locals.is_empty() {
            return Ok(false);
        }
        let ignored = self.ignored_elsewhere(&locals)?;
        let missing: Vec<_> =
            locals.iter().zip(ignored).filter(|(_, ignored)| !ignored).map(|(l, _)| pattern(l)).collect();
        if missing.is_empty() {
            return Ok(false);
        }
        write(&file, &with_lines(before, &missing))?;
        Ok(true)
    }

    fn locals(&self) -> Vec<Local> {
        let layout = ProjectLayout::new(self.prefix());
        let run = layout.handed("").components().as_path().to_owned();
        let of = |path, is_folder| Local { path, is_folder };
        vec![
            of(run, true),
            of(layout.worktrees(), true),
            of(layout.state(), true),
            of(layout.manifest(), false),
            of(layout.history(), false),
            of(layout.older_history(), false),
        ]
    }

    /// For each path whether git ignores it by something that holds in every worktree. A `.pu/.gitignore` does not: it
    /// may not be committed yet.
    fn ignored_elsewhere(&self, locals: &[Local]) -> Result<Vec<bool>> {
        let probes: Vec<PathBuf> =
            locals.iter().map(|l| if l.is_folder { l.path.join("x") } else { l.path.clone() }).collect();
        let question = ["check-ignore", "--no-index", "--verbose", "-z", "--stdin"];
        let mut input = Vec::new();
        for probe in &probes {
            input.extend_from_slice(probe.as_os_str().as_bytes());
            input.push(0);
        }
        let ended = self.git.run_fed("ask what is ignored", self.top(), &question, &input)?;
        if !matches!(ended.status.code(), Some(0 | 1)) {
            return Err(super::git::failure("ask what is ignored", self.top(), &ended));
        }
        // Four fields a path: the file with the pattern, the line, the pattern, the path.
        let answers: Vec<&[u8]> = fields(&ended.stdout).collect();
        let own = ProjectLayout::new(self.prefix()).gitignore();
        let counts =
            |source: &[u8], pattern: &[u8]| !pattern.starts_with(b"!") && !super::repository::is_path(source, &own);
        Ok(probes
            .iter()
            .map(|probe| answers.chunks_exact(4).any(|a| super::repository::is_path(a[3], probe) && counts(a[0], a[2])))
            .collect())
    }
}

/// The line for a path: anchored at the top, special characters escaped.
fn pattern(local: &Local) -> Vec<u8> {
    let mut line = vec![b'/'];
    for byte in local.path.as_os_str().as_bytes() {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b' ' | b'!' | b'#') {
            line.push(b'\\');
        }
        line.push(*byte);
    }
    if local.is_folder {
        line.push(b'/');
    }
    line
}

fn has_line(text: &[u8], line: &[u8]) -> bool {
    text.split(|b| *b == b'\n').any(|l| l.strip_suffix(b"\r").unwrap_or(l) == line)
}

fn with_lines(mut text: Vec<u8>, lines: &[Vec<u8>]) -> Vec<u8> {
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    if !has_line(&text, HEADING.trim_ascii_end()) {
        text.extend_from_slice(HEADING);
    }
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(AgentsError::io("create", folder))?;
    }
    let mode = std::fs::metadata(file).map_or(NEW_FILE_MODE, |m| m.permissions().mode() & 0o7777);
    Ok(pu_record::atomic::write_atomic(file, bytes, mode)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_exactly_one_path() {
        let folder = |path: &str| pattern(&Local { path: path.into(), is_folder: true });
        assert_eq!(folder(".pu/run"), b"/.pu/run/");
        assert_eq!(folder("a b/[c]*/.pu/run"), br"/a\ b/\[c\]\*/.pu/run/");
    }

    #[test]
    fn lines_are_added_below_the_users_own() {
        let line = || vec![b"/.pu/run/".to_vec()];
        let heading = String::from_utf8(HEADING.to_vec()).unwrap();
        let added = |before: &[u8]| with_lines(before.to_vec(), &line());
        assert_eq!(added(b""), format!("{heading}/.pu/run/\n").as_bytes());
        assert_eq!(added(b"*.swp"), format!("*.swp\n{heading}/.pu/run/\n").as_bytes());
        assert_eq!(added(b"\xff\n"), [b"\xff\n", heading.as_bytes(), b"/.pu/run/\n"].concat());
        assert_eq!(added(heading.as_bytes()), format!("{heading}/.pu/run/\n").as_bytes());
        assert!(has_line(b"a\r\n/.pu/run/\r\n", b"/.pu/run/"));
        assert!(!has_line(b"#/.pu/run/\n", b"/.pu/run/"));
    }
}
